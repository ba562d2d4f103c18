"""The shapes of samples on their way through operations, and the errors where they do not fit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from framework.containers.container import is_trained
from framework.operation import Channels, LastAxis, Shape, describe


def shapes_along(
    operations: Sequence[Any], input_shape: Shape, origin: Callable[[], str]
) -> list[Shape]:
    """Return the shape of one output sample of each operation, None where not known.

    Args:
        operations: one after the other.
        input_shape: the shape of one sample that the first is given, if known.
        origin: says where those samples come from, for the error.

    Raises ValueError, naming both neighbours, where an operation cannot take its inputs.
    """
    shape = input_shape
    shapes: list[Shape] = []
    for position, layer in enumerate(operations):
        before = partial(_origin, operations[:position], shape) if position else origin
        if hasattr(layer, "shapes_inside"):
            shape = [shape, *layer.shapes_inside(shape, before)][-1]
        else:
            try:
                shape = _shape_after(layer, shape)
            except ValueError as error:
                received = text_of_shape(shape)
                raise ValueError(f"{error}, received {received}: {before()}") from None
        shapes.append(shape)
    return shapes


def _shape_after(operation: Any, shape: Shape) -> Shape:
    """Return ``operation.output_shape(shape)``, or None where that is not known.

    Raises TypeError unless it is the shape of one sample, or None.
    """
    output_shape = getattr(operation, "output_shape", None)
    if not callable(output_shape):
        return None
    try:
        returned = output_shape(shape)
    except TypeError:
        if shape is None:
            return None  # a user's own operation need not be ready for an unknown shape
        raise
    if returned is None:
        return None
    try:
        kind = type(returned) if isinstance(returned, LastAxis) else tuple
        return kind(operator.index(size) for size in returned)
    except TypeError:
        raise TypeError(
            f"{describe(operation)}: output_shape must return the shape of one sample, such as "
            f"(64,), or None, received {returned!r}"
        ) from None


def text_of_shape(shape: Shape) -> str:
    """Return the shape of a batch of such samples, as messages and tables show it."""
    if shape is None:
        return "(samples, …)"
    more = "…, " if isinstance(shape, Channels) else ""
    return f"(samples, {more}{', '.join(map(str, shape))})"


def _origin(operations: Sequence[Any], shape: Shape) -> str:
    before = operations[-1]
    if shape and len(shape) == 1:
        size = f"{shape[0]} {'channels' if isinstance(shape, Channels) else 'values'}"
    else:
        size = f"shape {shape}"
    source = next((layer for layer in reversed(operations) if is_trained(layer)), before)
    after = "" if source is before else f", after {describe(source)}"
    return f"the operation before it, {describe(before)}{after}, gives {size} per sample"
