"""Compiled kernels for whole training steps, for ``Model.finalize(accelerated=True)``.

The NumPy classes are the specification, and the objects that people read and hold. A kernel here
computes the same in fewer passes over memory, and an interpreter runs the kernels of whole training
steps in one call. A network is taken whole or trains in plain NumPy. Nothing outside this folder
knows numba, and nothing here is imported before it is asked for.

| file | what it does |
|---|---|
| ``activations/ layers/ losses/ optimizers/`` | the kernels, a file of its class's name for each |
| ``kernels.py`` | the list of all of them |
| ``support.py`` | decides whether a model's every part has a kernel, and warns if not |
| ``instructions.py`` | turns a network into plain numbers, ``loss_and_optimizer.py`` these two |
| ``records.py`` | the fields of all instructions |
| ``state.py`` | how a kernel gets its parameters |
| ``entries.py`` | compiles the kernels of a network, each by itself |
| ``interpreter.py`` | goes through the instructions, forward and back |
| ``steps.py`` | batch, forward, loss, backward, update: the one function that Python calls |
| ``small_networks.py columns.py`` | the same for small networks, as loops along the samples |
| ``trainer.py`` | calls it, and leaves the model as plain training does |
| ``checked_data.py`` | checks the data right before they are used as indices |
| ``workspace.py`` | the memory of the results, and the attributes they become |
| ``compilation.py`` | compiled code on disk, and Ctrl-C while it is compiled |
| ``thread_team.py`` | the parts of a step, and threads that wait for each other |
| ``thread_choice.py`` | finds out how many threads are fastest |
| ``products.py tiles.py panels.py vectors.py`` | matrix products, in tiles of registers |
| ``exponential.py accuracies.py views.py jit.py`` | parts of compiled code |

To add a kernel, write its file and add a row to ``kernels.py``. The kernel of an activation has two
functions (see ``interpreter.py`` for their arguments), such as for a class ``Cube`` that keeps its
``inputs``:

    @jit
    def forward(op, inputs, state, saved, output):
        x, out = inputs.ravel(), output.ravel()
        for i in range(len(x)):
            out[i] = op.factor * x[i] ** 3

    @jit
    def backward(op, inputs, output, state, saved, dvalues, dinputs): ...

    OperationKernel((Cube,), cube, settings=("factor",), saved=("inputs",))

The kernel of an optimizer has one function, and that of a loss two:

    update(optimizer, parameter, gradient, first, second, rate, step)
    OptimizerKernel(Lion, lion, ("beta_1", "beta_2", "weight_decay"), state=("momentum",))

where ``first`` and ``second`` are the arrays that it remembers and ``step`` counts from 1. An
operation with parameters has a third function, ``parameter_gradients``. It reads its parameters,
one after the other, from ``state.parameters``, and writes their gradients to ``state.gradients``.
The tests take all kernels from the lists.
"""

from framework.utils.optional import required

required("numba", "'dinputs[fast]'")

from framework.accelerated.trainer import Trainer, trainer_of  # noqa: E402

__all__ = ["Trainer", "trainer_of"]
