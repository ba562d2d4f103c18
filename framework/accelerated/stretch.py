"""Consecutive operations of a model, computed together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.accelerated import program
from framework.accelerated.computation import Computation, as_compiled
from framework.accelerated.table import KINDS, Table, is_exactly, offsets
from framework.accelerated.team import team_of
from framework.operation import Array
from framework.parameters import ParameterVector
from optimizers.optimizer import parameter_names

ALONE = team_of(1)


class Stretch:
    """Operations one after the other, of which each has a twin, as one operation.

    Each is left with what its own ``forward`` and ``backward`` would have stored. What the twins
    do not take (images, a wrong width) is given to the operations themselves; so is what is to be
    predicted, since forward alone is no faster compiled.

    Args:
        operations: of classes that have twins.
        vector: all parameters of the model.

    Attributes:
        parameters: the names of what is trained in it.
    """

    def __init__(self, operations: Sequence[Any], vector: ParameterVector) -> None:
        self.operations = operations
        self.vector = vector
        self.offsets = offsets(vector)
        self.parameters = tuple(name for op in operations for name in parameter_names(op))

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        values: Array = np.asarray(inputs, self.vector.dtype)
        table = self._table(values) if training else None
        if table is None:
            self.computation = None
            for operation in self.operations:
                values = operation.forward(values, training)
            self.output = values
            return values
        values = as_compiled(values, values.dtype)
        computation = Computation(self.operations, table, len(values), values.dtype)
        program.forward(
            table=table.lines,
            parameters=self.vector.weights,
            statistics=computation.statistics,
            chances=computation.draw(len(values)),
            inputs=values,
            values=computation.values,
            team=ALONE,
            member=0,
        )
        computation.hand_out_outputs(values)
        self.inputs, self.computation = values, computation
        self.output = output = self.operations[-1].output
        return output

    def _table(self, values: Array) -> Table | None:
        try:
            (width,) = values.shape[1:]
            return Table(self.operations, self.offsets, width)
        except ValueError:
            return None

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
        gradients = computation.dvalues(len(self.inputs))
        program.backward(
            table=computation.table.lines,
            first=0,
            all_dinputs=all_dinputs,
            parameters=self.vector.weights,
            statistics=computation.statistics,
            inputs=self.inputs,
            values=computation.values,
            gradient=as_compiled(dvalues, self.inputs.dtype),
            dvalues=gradients,
            gradients=self.vector.dweights,
            team=ALONE,
            member=0,
        )
        computation.hand_out_gradients(gradients, len(self.inputs), 0, all_dinputs)


def stretches(operations: Sequence[Any], vector: ParameterVector) -> list[Any]:
    """Return ``operations`` with a ``Stretch`` in the place of neighbours that have twins.

    A new one begins at the first operation that is trained, since training goes back no further.
    """
    found: list[Any] = []
    neighbours: list[Any] = []
    trained = False
    for operation in operations:
        # What is added up over several processes has no twin that does that.
        has_twin = is_exactly(operation, KINDS) and not getattr(operation, "synchronized", False)
        is_first = not trained and bool(parameter_names(operation))
        trained = trained or is_first
        if neighbours and (is_first or not has_twin):
            found.append(Stretch(neighbours, vector))
            neighbours = []
        if has_twin:
            neighbours = [*neighbours, operation]
        else:
            found.append(operation)
    return [*found, Stretch(neighbours, vector)] if neighbours else found
