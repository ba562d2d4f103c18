"""The shapes of samples on their way through operations, and the errors where they do not fit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from framework.containers.container import is_trained
from framework.operation import Shape, describe


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
                known = getattr(layer, "output_shape", None)
                shape = known(shape) if callable(known) else None
            except ValueError as error:
                received = text_of_shape(shape)
                raise ValueError(f"{error}, received {received}: {before()}") from None
        shapes.append(shape)
    return shapes


def text_of_shape(shape: Shape) -> str:
    """Return the shape of a batch of such samples, as messages and tables show it."""
    return "(samples, …)" if shape is None else f"(samples, {', '.join(map(str, shape))})"


def _origin(operations: Sequence[Any], shape: Shape) -> str:
    before = operations[-1]
    size = f"{shape[0]} values" if shape and len(shape) == 1 else f"shape {shape}"
    source = next((layer for layer in reversed(operations) if is_trained(layer)), before)
    after = "" if source is before else f", after {describe(source)}"
    return f"the operation before it, {describe(before)}{after}, gives {size} per sample"
