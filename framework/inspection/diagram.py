"""A network as a diagram: columns of neurons, and the weights between them.

How it is drawn is left to others: ``diagram_svg.py``, ``framework.plots.network`` and the page in
the browser.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from framework.containers.container import Container
from framework.containers.flattening import flattened
from framework.containers.sequential import Sequential
from framework.containers.shapes import shapes_along
from framework.operation import Shape
from framework.utils.figures import COLOURS
from optimizers.arrays import Array

# Colours of weights above and below 0.
POSITIVE, NEGATIVE = COLOURS[0], COLOURS[1]
# Of a larger layer the first neurons are drawn, and the rest as one.
MOST_NEURONS = 10
# Of more weights between two layers, the largest are drawn.
MOST_WEIGHTS = 400


@dataclass(frozen=True)
class Column:
    """A layer of neurons: an operation, and those behind it that keep the number of its neurons.

    Attributes:
        names: of the operations' classes; "inputs" for the data.
        operation: the position of the first among the operations in order; -1 for the data.
        last: the position of the last, which gives the outputs of the column.
        shape: of one sample of its output; None where that is not known.
        neurons: how many it has; 1, for all of it, where a sample is no row of numbers.
        shown: the neurons that are drawn each on its own.
        weights: from the column before, ``(neurons before, neurons)``, or None.
    """

    names: tuple[str, ...]
    operation: int
    last: int
    shape: Shape
    neurons: int
    shown: range
    weights: Array | None = None

    @property
    def folded(self) -> int:
        """How many neurons are drawn as one."""
        return self.neurons - len(self.shown)

    @property
    def places(self) -> int:
        """How many things are drawn one below the other."""
        return len(self.shown) + (self.folded > 0)


class Edge(NamedTuple):
    """A weight between two neurons that are drawn; ``strength`` is its share of the largest."""

    before: int
    after: int
    weight: float
    strength: float


def columns_of(
    network: Sequential, most: int = MOST_NEURONS, opened: Collection[int] = ()
) -> list[Column]:
    """Return the columns of a network, beginning with that of its inputs.

    Args:
        most: neurons to draw of a column, at least 2; a larger one has one place for the rest.
        opened: the columns that are drawn whole.
    """
    operations = list(flattened(network.layers))
    given = getattr(network, "input_shape", None) or _expected(operations)
    shapes = shapes_along(operations, given, lambda: "these are the data")
    columns: list[Column] = []

    def add(name: str, position: int, shape: Shape, weights: Array | None = None) -> None:
        neurons = _neurons(shape)
        whole = neurons <= most or len(columns) in opened
        shown = range(neurons if whole else most - 1)
        columns.append(Column((name,), position, position, shape, neurons, shown, weights))

    add("inputs", -1, given)
    for position, (operation, shape) in enumerate(zip(operations, shapes, strict=True)):
        before = columns[-1]
        if shape is None and isinstance(getattr(operation, "output", None), np.ndarray):
            shape = operation.output.shape[1:]  # one's own operation has run, but does not tell
        weights = _matrix(operation, before, shape)
        name = type(operation).__name__
        keeps = weights is None and shape == before.shape and not isinstance(operation, Container)
        if keeps and before.operation >= 0:
            columns[-1] = replace(before, names=(*before.names, name), last=position)
        else:
            add(name, position, shape, weights)
    return columns


def edges_between(before: Column, after: Column, most: int = MOST_WEIGHTS) -> Iterator[Edge]:
    """Yield the weights between the neurons of two columns that are drawn, the smallest first.

    Those that are not finite are left out.
    """
    if after.weights is None:
        return
    weights = after.weights[: len(before.shown), : len(after.shown)]
    sizes = np.where(np.isfinite(weights), np.abs(weights), 0)
    largest = float(sizes.max(initial=0)) or 1.0
    for index in np.argsort(sizes, axis=None)[-most:].tolist():
        i, j = divmod(index, weights.shape[1])
        yield Edge(i, j, float(weights[i, j]), float(sizes[i, j]) / largest)


def line_width(strength: float) -> float:
    """Return the width of the line of a weight: 3 for the largest."""
    return 0.3 + 2.7 * strength


def line_opacity(strength: float) -> float:
    """Return the opacity of the line of a weight."""
    return 0.25 + 0.6 * strength


def heights(column: Column, most: int) -> list[float]:
    """Return the height of each place of a column, from 0 to 1 for ``most`` places."""
    start = (most - column.places) / 2
    return [(start + place + 0.5) / most for place in range(column.places)]


def _expected(operations: list[Any]) -> Shape:
    """Return the shape of a sample that the operations take, if the first ones tell."""
    for operation in operations:
        width = getattr(operation, "n_inputs", 0) or getattr(operation, "n_features", 0)
        if width > 1 or hasattr(operation, "n_inputs"):
            return (width,)
        try:
            if operation.output_shape((1,)) != (1,):
                return None
        except (AttributeError, TypeError, ValueError):
            return None
    return None


def _neurons(shape: Shape) -> int:
    return shape[0] if shape is not None and len(shape) == 1 else 1


def _matrix(operation: Any, before: Column, shape: Shape) -> Array | None:
    """Return the weights between the neurons of ``before`` and those of ``operation``, or None."""
    weights = getattr(operation, "weights", None)
    if isinstance(operation, Container) or not isinstance(weights, np.ndarray):
        return None
    if weights.shape != (before.neurons, _neurons(shape)):
        return None
    # One for each feature is no matrix, as those of a normalization of a single one.
    is_matrix = len(weights) > 1 or shape != before.shape or hasattr(operation, "n_inputs")
    return weights if is_matrix else None
