"""The arrays that a run of operations computes, and the operations that they belong to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework import randomness
from framework.accelerated import program
from framework.accelerated.table import Table
from framework.activations import LeakyReLU
from framework.layers import BatchNormalization, Dense, Dropout
from framework.operation import Array


def as_compiled(values: ArrayLike, dtype: np.dtype[Any]) -> Array:
    """Return ``values`` as the compiled code takes them, without a copy where they are so.

    It is an array object that nobody else has, so that its shape stays what it was checked to be.
    """
    return np.require(np.asarray(values).view(), dtype, ["C", "W"])


# An array of ``values`` or ``dvalues``: see ``program.py``. From Python it is faster uncompiled.
rows = program.rows.py_func


class Computation:
    """What ``operations`` compute for at most ``samples`` samples.

    Attributes:
        values: room for what they compute forward: see ``program.py``. ``more`` numbers for each
            sample stand behind it.
        statistics: of the batch normalizations.
    """

    def __init__(
        self,
        operations: Sequence[Any],
        table: Table,
        samples: int,
        dtype: np.dtype[Any],
        more: int = 0,
    ) -> None:
        self.operations = operations
        self.table = table
        self.values: Array = np.empty(samples * (table.values + more), dtype=dtype)
        self.statistics: Array = np.empty(table.statistics, dtype=dtype)
        for operation, statistics in self._normalizations():
            statistics[0] = operation.running_mean
            statistics[1] = operation.running_variance

    def dvalues(self, samples: int, more: int = 0) -> Array:
        """Return room for what is computed backward, with ``more`` behind it."""
        return np.empty(samples * (self.table.dvalues + more), dtype=self.values.dtype)

    def draw(self, samples: int) -> Array:
        """Return the chances of the dropouts for ``samples``, as they would draw them."""
        count = samples * self.table.chances
        return randomness.generator().random(count, dtype=self.values.dtype)

    def hand_out_outputs(self, inputs: Array) -> None:
        """Leave the operations with what their ``forward`` of ``inputs`` would have stored."""
        samples = len(inputs)
        for operation, line in zip(self.operations, self.table.lines, strict=True):
            if isinstance(operation, (Dense, LeakyReLU)):
                operation.inputs = inputs
            elif isinstance(operation, Dropout):
                operation.mask = self._kept(line, samples)
            elif isinstance(operation, BatchNormalization):
                operation.training, operation.normalized = True, self._kept(line, samples)
                operation.count = float(samples)
            output = rows(self.values, line["output"], samples, line["n_outputs"])
            inputs = operation.output = output
        for operation, statistics in self._normalizations():
            operation.running_mean = statistics[:1]
            operation.running_variance = statistics[1:2]
            operation.deviation = statistics[2:]

    def hand_out_gradients(
        self, dvalues: Array, samples: int, first: int, all_dinputs: bool
    ) -> None:
        """Leave those from ``first`` on with their ``dinputs``: see ``program.backward``."""
        for i in range(first, len(self.operations)):
            operation, line = self.operations[i], self.table.lines[i]
            if i > first or all_dinputs or not isinstance(operation, Dense):
                operation.dinputs = rows(dvalues, line["dinputs"], samples, line["n_inputs"])

    def _kept(self, line: Any, samples: int) -> Array:
        kept: Array = rows(self.values, line["kept"], samples, line["n_outputs"])
        return kept

    def _normalizations(self) -> list[tuple[Any, Array]]:
        found = []
        for operation, line in zip(self.operations, self.table.lines, strict=True):
            if isinstance(operation, BatchNormalization):
                start, width = line["statistics"], line["n_inputs"]
                found.append(
                    (operation, self.statistics[start : start + 3 * width].reshape(3, width))
                )
        return found
