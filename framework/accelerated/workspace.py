"""The arrays that a network computes, and the operations that they belong to."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.accelerated import state
from framework.accelerated.instructions import Group, Instructions, frozen_parameters
from framework.accelerated.tiles import whole_vectors
from framework.utils import rng
from optimizers.arrays import Array


def as_compiled(values: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return ``values`` as a writable array of ``dtype`` in C order, copied only if need be.

    The array object is a new one, even where its memory is that of ``values``: the shape that is
    checked cannot be changed through another reference.
    """
    return np.require(np.asarray(values).view(), dtype, ["C", "W"])


# An array of ``values`` or ``dvalues``: see ``interpreter.py``. Python calls it faster uncompiled.
rows = state.rows.py_func


class Results:
    """The memory for everything that a network computes for at most ``samples`` samples.

    Attributes:
        values, dvalues: what is computed forward and back: see ``interpreter.py``. Behind it
            stand, for each sample, the values and the loss, and the gradient, of a loss.
        statistics: of the batch normalizations, and the parameters that are frozen.
    """

    def __init__(self, instructions: Instructions, samples: int, dtype: np.dtype[Any]) -> None:
        self.instructions = instructions
        outputs = instructions.n_outputs
        # The last vector that is read may reach beyond the last number.
        beyond = whole_vectors(1, dtype.itemsize)
        self.values: Array = np.empty(samples * (instructions.values + outputs + 1) + beyond, dtype)
        self.dvalues: Array = np.empty(samples * (instructions.dvalues + outputs) + beyond, dtype)
        self.statistics: Array = np.empty(instructions.statistics, dtype)
        for operation, name, statistics in self._statistics():
            if name in operation.state:
                statistics[...] = getattr(operation, name)
        for group, op in zip(instructions.groups, instructions.array, strict=True):
            start = op["frozen"]
            for parameter in frozen_parameters(group.operations[0]):
                self.statistics[start : start + parameter.size] = parameter.ravel()
                start += parameter.size

    def draw(self, samples: int) -> Array:
        """Return the random numbers of the dropouts for ``samples``, in the order they draw."""
        count = samples * self.instructions.uniforms
        return rng.generator().random(count, dtype=self.values.dtype)

    def store_outputs(self, inputs: Array) -> None:
        """Give the operations the attributes that their ``forward`` of ``inputs`` stores."""
        samples = len(inputs)
        for group, op in zip(self.instructions.groups, self.instructions.array, strict=True):
            first, kernel = group.operations[0], group.kernel
            inputs = inputs.reshape(samples, *group.input_shape)
            if "inputs" in kernel.saved:
                first.inputs = inputs
            for name, saved in zip(kernel.arrays, self._saved(group, op, samples), strict=False):
                setattr(first, name, saved)
            if kernel.store is not None:
                kernel.store(first, inputs)
            output = rows(self.values, op["output"], samples, op["n_outputs"])
            inputs = group.operations[-1].output = output.reshape(samples, *group.output_shape)
        for operation, name, statistics in self._statistics():
            setattr(operation, name, statistics)

    def store_gradients(self, samples: int) -> None:
        """Give the operations from the first trained one on their ``dinputs``."""
        first = self.instructions.first
        instructions = self.instructions.array[first:]
        for group, op in zip(self.instructions.groups[first:], instructions, strict=True):
            if not op["leaves_out_dinputs"]:
                dinputs = rows(self.dvalues, op["dinputs"], samples, op["n_inputs"])
                group.operations[0].dinputs = dinputs.reshape(samples, *group.input_shape)
            if len(group.operations) > 1:
                group.operations[-1].dinputs = self._saved(group, op, samples)[-1]

    def _saved(self, group: Group, op: Any, samples: int) -> list[Array]:
        """Return the arrays that an instruction saves."""
        width = op["n_outputs"]
        return [
            rows(self.values, op["saved"] + i * width, samples, width).reshape(
                samples, *group.output_shape
            )
            for i in range(op["n_saved"])
        ]

    def _statistics(self) -> list[tuple[Any, str, Array]]:
        """Return each operation with statistics, the names of these, and where they are."""
        found = []
        for group, op in zip(self.instructions.groups, self.instructions.array, strict=True):
            names, start = group.kernel.statistics, op["statistics"]
            for i, name in enumerate(names):
                begin = start + i * op["last_axis"]
                statistics = self.statistics[begin : begin + op["last_axis"]]
                found.append((group.operations[0], name, statistics[np.newaxis]))
        return found
