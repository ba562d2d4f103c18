"""Goes through the instructions of a network, forward and back, within compiled code.

A compiled function that is called from Python takes a microsecond or two before it begins, a good
part of the time of a small layer. So operations are not called one by one: ``forward`` and
``backward`` go through the instructions of all of them (see ``instructions.py``) and call the
kernel of each by its address (see ``entries.py``). They are compiled once for each dtype, whatever
the network is.

A kernel has these functions, the third only if the operation is trained. ``op`` is its instruction.
The arrays of the first two are the samples of one part (see ``thread_team.py``), ``(samples,
numbers)``. ``state`` holds the operation's parameters and gradients (see ``state.py``).

    forward(op, inputs, state, saved, output)
    backward(op, inputs, output, state, saved, dvalues, dinputs)
    parameter_gradients(op, inputs, dvalues, state, saved)

``saved`` is three arrays of the output's shape, of which ``op.n_saved`` can be used. The last
function is called when every part has gone through ``backward``. It is given all samples, and
writes a part's chunk of the gradients. An operation whose samples depend on each other has two
more, which write into ``state.partials`` what the samples of a part add to what ``forward`` or
``backward`` has to know of all of them:

    forward_partials(op, inputs, state)
    backward_partials(op, dvalues, state, saved)

The results lie in two vectors, ``values`` on the way forward and ``dvalues`` on the way back. An
array of ``width`` numbers for each of ``samples`` samples, whose place is ``p``, is

    values[p * samples : (p + width) * samples]   as (samples, width)

``op.inputs`` is the place of what an operation reads, usually the output of the one before, and
``op.dvalues`` that of the gradient by its output, usually the ``dinputs`` of the next. Those of the
first and of the last are the data and the gradient of the loss. In a ``Residual`` two branches read
the same, and are given the same gradient: see ``layers/fork.py`` and ``layers/residual.py``. An
instruction may have no ``forward`` or no ``backward``.
"""

from framework.accelerated.entries import (
    call_backward,
    call_backward_partials,
    call_forward,
    call_forward_partials,
    call_parameter_gradients,
)
from framework.accelerated.jit import inlined, jit
from framework.accelerated.layers import dense
from framework.accelerated.state import rows, state_of
from framework.accelerated.thread_team import barrier, chunk, own_parts


@jit
def saved_by(op, values, samples, own):
    """Return the arrays that an operation saves for its backward, empty those that it does not."""
    width, place = op.n_outputs, op.saved
    return (
        rows(values, place, samples, width if op.n_saved > 0 else 0)[own],
        rows(values, place + width, samples, width if op.n_saved > 1 else 0)[own],
        rows(values, place + 2 * width, samples, width if op.n_saved > 2 else 0)[own],
    )


@jit
def inputs_of(i, op, inputs, values):
    """Return what instruction ``i`` reads, of all samples."""
    return inputs if i == 0 else rows(values, op.inputs, len(inputs), op.n_inputs)


@inlined
def forward(instructions, state, inputs, values, thread_team, thread_id):
    """Run every operation on a thread's parts of ``inputs``.

    Returns the last output, of all samples.
    """
    samples, parts = len(inputs), own_parts(thread_team, thread_id)
    for i in range(len(instructions)):
        op = instructions[i]
        before = inputs_of(i, op, inputs, values)
        if op.forward_partials:
            for part in parts:
                own = chunk(samples, part, state.parts)
                own_state = state_of(op, state, samples, part)
                call_forward_partials(op.forward_partials, (op, before[own], own_state))
            barrier(thread_team, thread_id)
        if op.forward:
            output = rows(values, op.output, samples, op.n_outputs)
            for part in parts:
                own = chunk(samples, part, state.parts)
                own_state = state_of(op, state, samples, part)
                saved = saved_by(op, values, samples, own)
                call_forward(op.forward, (op, before[own], own_state, saved, output[own]))
    last = instructions[-1]
    return rows(values, last.output, samples, last.n_outputs)


@inlined
def backward(instructions, first, state, inputs, values, dvalues, thread_team, thread_id):
    """Go back through the instructions to the ``first``, from the gradient that the loss has left.

    For its parts a thread computes the ``dinputs`` of their chunks of the samples; and when every
    thread has, so that none waits in between, their chunks of the gradients of all parameters.

    Returns whether every thread has come to the end.
    """
    samples, parts = len(inputs), own_parts(thread_team, thread_id)
    everything = slice(0, samples)
    for i in range(len(instructions) - 1, first - 1, -1):
        op = instructions[i]
        gradient = rows(dvalues, op.dvalues, samples, op.n_outputs)
        if op.backward_partials:
            for part in parts:
                own = chunk(samples, part, state.parts)
                own_state = state_of(op, state, samples, part)
                saved = saved_by(op, values, samples, own)
                call_backward_partials(op.backward_partials, (op, gradient[own], own_state, saved))
            if not barrier(thread_team, thread_id):
                return False
        if op.backward:
            before = inputs_of(i, op, inputs, values)
            # A fork is given a second gradient in place of an output.
            output = rows(values if op.forward else dvalues, op.output, samples, op.n_outputs)
            dinputs = rows(dvalues, op.dinputs, samples, op.n_inputs)
            for part in parts:
                own = chunk(samples, part, state.parts)
                own_state = state_of(op, state, samples, part)
                saved = saved_by(op, values, samples, own)
                call_backward(
                    op.backward,
                    (op, before[own], output[own], own_state, saved, gradient[own], dinputs[own]),
                )
    if not barrier(thread_team, thread_id):
        return False
    for i in range(first, len(instructions)):
        op = instructions[i]
        if op.n_parameters:
            before = inputs_of(i, op, inputs, values)
            gradient = rows(dvalues, op.dvalues, samples, op.n_outputs)
            saved = saved_by(op, values, samples, everything)
            for part in parts:
                own_state = state_of(op, state, samples, part)
                call_parameter_gradients(
                    op.parameter_gradients, (op, before, gradient, own_state, saved)
                )
    return True


@jit
def penalties(instructions, parameters):
    """Return the L1 and L2 penalties of every dense layer."""
    total = 0.0
    for op in instructions:
        if (
            op.weight_regularizer_l1
            or op.weight_regularizer_l2
            or op.bias_regularizer_l1
            or op.bias_regularizer_l2
        ):
            total += dense.penalty(op, parameters[op.parameters : op.parameters + op.n_parameters])
    return total
