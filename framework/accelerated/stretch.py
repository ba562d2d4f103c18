"""Consecutive operations of a model, computed together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.accelerated import program
from framework.accelerated.computation import Computation
from framework.accelerated.table import KINDS, Table, has_twin, offsets
from framework.operation import Array
from framework.parameters import ParameterVector


class Stretch:
    """Operations one after the other, of which each has a twin, as one operation.

    Each is left with what its own ``forward`` and ``backward`` would have stored. What the twins
    do not take (images, a wrong width) is given to the operations themselves.

    Args:
        operations: of classes that have twins.
        parameters: the vector that theirs are in.
    """

    def __init__(self, operations: Sequence[Any], parameters: ParameterVector) -> None:
        self.operations = operations
        self.parameters = parameters
        self.offsets = offsets(parameters)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        values = np.require(np.asarray(inputs), self.parameters.dtype, ["C", "W"])
        try:
            (width,) = values.shape[1:]
            table = Table(self.operations, self.offsets, width)
        except ValueError:
            self.computation = None
            for operation in self.operations:
                values = operation.forward(values, training)
            self.output = values
            return values
        computation = Computation(self.operations, table, len(values), values.dtype)
        self.output = program.forward(
            table.lines,
            self.parameters.weights,
            computation.statistics,
            computation.draw(len(values), training),
            values,
            computation.memory,
            training,
        )
        computation.hand_out_outputs(values, training)
        self.inputs, self.training, self.computation = values, training, computation
        return self.output

    def backward(self, dvalues: ArrayLike) -> Array:
        self._backward(dvalues, all_dinputs=True)
        self.dinputs = self.operations[0].dinputs
        return self.dinputs

    def parameter_gradients(self, dvalues: ArrayLike) -> None:
        """Do what ``backward`` does, without ``dinputs`` where the first layer is dense."""
        self._backward(dvalues, all_dinputs=False)

    def _backward(self, dvalues: ArrayLike, all_dinputs: bool) -> None:
        if self.computation is None:
            for operation in reversed(self.operations):
                dvalues = operation.backward(dvalues)
            return
        computation = self.computation
        program.backward(
            computation.table.lines,
            0,
            all_dinputs,
            self.parameters.weights,
            computation.statistics,
            self.inputs,
            computation.memory,
            np.require(np.asarray(dvalues), self.inputs.dtype, ["C", "W"]),
            self.training,
            self.parameters.dweights,
        )
        computation.hand_out_gradients(len(self.inputs), 0, all_dinputs)


def stretches(operations: Sequence[Any], parameters: ParameterVector) -> list[Any]:
    """Return ``operations`` with a ``Stretch`` in the place of neighbours that have twins.

    None of them holds operations both before and after the first that is trained, since a
    training does not go back to those before.
    """
