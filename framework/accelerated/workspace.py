"""The arrays that a network computes, and the operations that they belong to."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.accelerated.instructions import Group, Instructions
from framework.accelerated.kernels import FORK, SUM
from framework.accelerated.vectors import whole_vectors
from framework.containers.flattening import plain_sequentials, store_around
from framework.utils import rng
from framework.utils.aligned import aligned_zeros
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names


def as_compiled(values: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return ``values`` as a writable array of ``dtype`` in C order, copied only if need be.

    The array object is a new one, even where its memory is that of ``values``: the shape that is
    checked cannot be changed through another reference.
    """
    return np.require(np.asarray(values).view(), dtype, ["C", "W"])


def rows(vector: Array, place: int, samples: int, width: int) -> Array:
    """Return an array of ``values`` or ``dvalues``: see ``interpreter.py``."""
    start = place * samples
    return vector[start : start + samples * width].reshape(samples, width)


class Results:
    """The memory for everything that a network computes for at most ``samples`` samples.

    Attributes:
        values, dvalues: what is computed forward and back: see ``interpreter.py``. Behind it
            stand, for each sample, the values and the loss, and the gradient, of a loss.
        statistics: of the batch normalizations, constants such as those of ``Normalization``, and
            the parameters of frozen operations.
    """

    def __init__(self, instructions: Instructions, samples: int, dtype: np.dtype[Any]) -> None:
        self.instructions = instructions
        outputs = instructions.n_outputs
        # The last vector that is read may reach beyond the last number.
        beyond = whole_vectors(1, dtype.itemsize)
        self.values: Array = aligned_zeros(
            samples * (instructions.values + outputs + 1) + beyond, dtype
        )
        self.dvalues: Array = aligned_zeros(
            samples * (instructions.dvalues + outputs) + beyond, dtype
        )
        self.statistics: Array = np.empty(instructions.statistics, dtype)
        for operation, name, statistics, _ in self._statistics():
            if name in operation.state:
                statistics[...] = getattr(operation, name)
        for group, op in self._groups():
            if op["n_frozen"]:
                first, start = group.operations[0], op["frozen"]
                arrays = [getattr(first, name).ravel() for name in parameter_names(first)]
                self.statistics[start : start + op["n_frozen"]] = np.concatenate(arrays)

    def draw(self, samples: int) -> Array:
        """Return the random numbers of the dropouts for ``samples``, in the order they draw."""
        count = samples * self.instructions.uniforms
        return rng.generator().random(count, dtype=self.values.dtype)

    def store_outputs(self, inputs: Array) -> None:
        """Give the operations the attributes that their ``forward`` of ``inputs`` stores."""
        samples = len(inputs)
        for i, (group, op) in enumerate(self._groups()):
            first, kernel = group.operations[0], group.kernel
            if kernel is FORK:
                continue
            given = rows(self.values, op["inputs"], samples, op["n_inputs"]) if i else inputs
            given = given.reshape(samples, *group.input_shape)
            if "inputs" in kernel.saved:
                first.inputs = given
            if kernel.arrays:
                saved = self._saved(group, op, samples)
                for name, array in zip(kernel.arrays, saved, strict=False):
                    setattr(first, name, array)
            if kernel.store is not None:
                kernel.store(first, given)
            output = rows(self.values, op["output"], samples, op["n_outputs"])
            group.operations[-1].output = output.reshape(samples, *group.output_shape)
            if kernel is SUM:
                _store_around(first, "output")
        for operation, name, statistics, changes in self._statistics():
            if changes:
                setattr(operation, name, statistics)

    def store_gradients(self, samples: int) -> None:
        """Give the operations from the first trained one on their ``dinputs``."""
        for group, op in reversed(self._groups()[self.instructions.first :]):
            if group.kernel is not SUM and not op["leaves_out_dinputs"]:
                dinputs = rows(self.dvalues, op["dinputs"], samples, op["n_inputs"])
                group.operations[0].dinputs = dinputs.reshape(samples, *group.input_shape)
            if len(group.operations) > 1:
                group.operations[-1].dinputs = self._saved(group, op, samples)[-1]
            if group.kernel is FORK:
                _store_around(group.operations[0], "dinputs")

    def _groups(self) -> list[tuple[Group, Any]]:
        return list(zip(self.instructions.groups, self.instructions.fields, strict=True))

    def _saved(self, group: Group, op: Any, samples: int) -> list[Array]:
        """Return the arrays that an instruction saves."""
        width = op["n_outputs"]
        return [
            rows(self.values, op["saved"] + i * width, samples, width).reshape(
                samples, *group.output_shape
            )
            for i in range(op["n_saved"])
        ]

    def _statistics(self) -> list[tuple[Any, str, Array, bool]]:
        """Return each operation with constants or statistics, their names, and where they are.

        The last says whether it is a statistic, which changes.
        """
        found = []
        for group, op in self._groups():
            constants, start = group.kernel.constants, op["statistics"]
            for i, name in enumerate(constants + group.kernel.statistics):
                begin = start + i * op["last_axis"]
                numbers = self.statistics[begin : begin + op["last_axis"]]
                found.append((group.operations[0], name, numbers[np.newaxis], i >= len(constants)))
        return found


def _store_around(residual: Any, name: str) -> None:
    """Give the sequentials in both branches of ``residual`` an array that a step stores."""
    for branch in (residual.operations, residual.shortcut):
        store_around(plain_sequentials(branch), [name])
