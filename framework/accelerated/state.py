"""How a kernel gets its parameters, and writes their gradients.

All parameters of a network lie in one vector, and their gradients in another. ``places`` finds
where in it those of each operation are, and an instruction holds that as ``parameters`` and
``n_parameters``. ``state_of`` takes the part of an operation out of the ``State`` of the network.
"""

from typing import Any, NamedTuple

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.thread_team import chunk
from framework.accelerated.views import as_matrix
from framework.parameters import ParameterVector


class Place(NamedTuple):
    """Where in the vector the parameters of an operation begin, and how many they are."""

    start: int
    size: int


def places(parameters: ParameterVector) -> dict[int, Place]:
    """Return the place of the parameters of each operation, by the operation's id."""
    found: dict[int, Place] = {}
    for operation, _, part in parameters.split(np.arange(len(parameters))):
        if part.size:
            start, size = found.get(id(operation), (int(part.flat[0]), 0))
            found[id(operation)] = Place(start, size + part.size)
    return found


class State(NamedTuple):
    """The arrays of a network, or of one operation, beside its inputs and outputs.

    Attributes:
        parameters, gradients: one after the other, as in a ``ParameterVector``.
        statistics: see ``OperationKernel``.
        uniforms: random numbers, of the output's shape.
        partials: what has been found out about the samples of each part, ``(parts, numbers)``:
            see ``OperationKernel``.
        part, parts: which part is to be computed, and how many there are: see ``thread_team.py``.
    """

    parameters: Any
    gradients: Any
    statistics: Any
    uniforms: Any
    partials: Any
    part: Any
    parts: Any


@jit
def state_of(op, state, samples, part):
    """Return what of the network's ``state`` belongs to the operation ``op``, for a part of it."""
    own = chunk(samples, part, state.parts)
    end = op.parameters + op.n_parameters
    parameters = state.parameters[op.parameters : end]
    if op.n_frozen:
        parameters = state.statistics[op.frozen : op.frozen + op.n_frozen]
    return State(
        parameters,
        state.gradients[op.parameters : end],
        state.statistics[op.statistics : op.statistics + op.n_statistics],
        rows(state.uniforms, op.uniforms, samples, op.n_uniforms)[own],
        rows(state.partials, op.partials, state.parts, op.n_partials),
        part,
        state.parts,
    )


@jit
def own_rows(op, state):
    """Return the rows of an operation's parameters whose gradients a part computes."""
    return rows_of_part(op, state.part, state.parts)


@jit
def rows_of_part(op, part, parts):
    return chunk(op.n_parameters // op.parameter_row, part, parts)


@jit
def rows(vector, place, samples, width):
    """Return the array of ``width`` numbers per sample at ``place``: see ``interpreter.py``."""
    start = place * samples
    return as_matrix(vector[start : start + samples * width], samples, width)
