"""The patterns of operations that move values and compute nothing, and of padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.padding import add_zero_padding, margins_of
from framework.interchange.onnx_constants import SAMPLES, UNKNOWN
from framework.interchange.onnx_expressions import Argument, Node, X, node
from framework.interchange.onnx_patterns.axes import sample_axes
from framework.interchange.onnx_patterns.pattern import Builder, Form, Pattern, single
from framework.layers import Dropout, Flatten, Permute, Reshape, ZeroPadding2D
from framework.operation import Operation, Shape
from optimizers.arrays import Array

SHAPE, PADS, VALUE, AXES = (Argument(name) for name in ("shape", "pads", "value", "axes"))
MODE = Argument("mode")
ALLOW_ZERO = {"allowzero": Argument("allowzero")}


def _flatten(assembly: Assembly, axis: int = 1) -> None:
    if axis != 1:
        raise ValueError(f"axis={axis}: of samples only all axes can be joined, with axis=1")
    assembly.reshape([None])


def _reshape(assembly: Assembly, shape: Array, allowzero: int | None = None) -> None:
    """Samples stay apart where the first number stands for as many as there are."""
    first, *sizes = [int(number) for number in shape]
    if not allowzero:  # a 0 is the size that there was
        before = [SAMPLES, *(UNKNOWN if size is None else size for size in assembly.sizes)]
        first, *sizes = [
            before[axis] if number == 0 and axis < len(before) else number
            for axis, number in enumerate((first, *sizes))
        ]
    rest = [None if size in (-1, UNKNOWN) else size for size in sizes] or [1]
    known = [size for size in rest if size is not None]
    same = first in (SAMPLES, assembly.samples)
    if first == -1 and None not in (*rest, *assembly.sizes):
        same = np.prod(known) == np.prod([size or 1 for size in assembly.sizes])
    if not same or min(known, default=1) < 1:
        readable = ["samples" if number == SAMPLES else number for number in (first, *sizes)]
        raise ValueError(
            f"it reshapes {assembly.samples or 'any number of'} samples of shape {assembly.sizes} "
            f"to {readable}: expected as many samples as before"
        )
    assembly.reshape(rest)


def _transpose(assembly: Assembly, perm: Sequence[int] | None) -> None:
    order = list(perm or range(len(assembly.sizes), -1, -1))
    if order[0] != 0 or sorted(order) != list(range(len(assembly.sizes) + 1)):
        raise ValueError(f"perm={order}: the axis of the samples has to stay first")
    assembly.turn([axis - 1 for axis in order[1:]])


def _squeeze(assembly: Assembly, axes: Array | Sequence[int] | None = None) -> None:
    theirs = assembly.layout.theirs
    chosen = [axis for axis, size in enumerate(assembly.sizes) if size == 1]
    if axes is not None:
        chosen = sample_axes(assembly, [int(axis) for axis in axes])
    if any(assembly.sizes[axis] != 1 for axis in chosen):
        raise ValueError(f"axes {chosen} of samples of shape {assembly.sizes} are not all 1")
    # A row of one value stays one.
    left = [axis for number, axis in enumerate(theirs) if number not in chosen] or [()]
    assembly.relabel(left)


def _unsqueeze(assembly: Assembly, axes: Array | Sequence[int]) -> None:
    count = len(assembly.sizes) + len(axes) + 1
    positions = sorted(int(axis) % count for axis in axes)
    theirs = list(assembly.layout.theirs)
    if not positions[0]:
        raise ValueError(f"axes={list(axes)}: the axis of the samples has to stay first")
    for position in positions:
        theirs.insert(position - 1, ())
    assembly.relabel(theirs)


def _pad(
    assembly: Assembly,
    pads: Array | Sequence[int],
    mode: str,
    value: Array | float | None = None,
) -> None:
    if mode != "constant":
        raise ValueError(f"mode={mode!r}: padding here is with zeros")
    if value is not None and np.any(value):
        raise ValueError(f"it pads with {np.asarray(value).item():g}: padding here is with zeros")
    samples, *margins = margins_of([int(number) for number in pads], len(assembly.sizes) + 1)
    if any(samples):
        raise ValueError("it pads the axis of the samples")
    add_zero_padding(assembly, margins)


def _shape_of(layer: Any, shape: Shape) -> dict[str, Any]:
    return {"shape": np.array([0, *layer.shape])}  # 0 keeps the number of samples


def _order_of(layer: Any, shape: Shape) -> dict[str, Any]:
    return {"perm": [0, *layer.dims]}


def _pads_last(layer: Any, shape: Shape) -> dict[str, Any]:
    return {"pads": _onnx_pads([(0, 0), *layer.margins, (0, 0)])}


def _pads_first(layer: Any, shape: Shape) -> dict[str, Any]:
    return {"pads": _onnx_pads([(0, 0), (0, 0), *layer.margins])}


def _onnx_pads(margins: Sequence[tuple[int, int]]) -> Array:
    return np.array([*(before for before, _ in margins), *(after for _, after in margins)])


EXPORT: dict[type[Operation], Pattern] = {
    Dropout: single(X),
    Flatten: single(node("Flatten", X), _flatten, axes="last"),
    Reshape: Pattern((Form(node("Reshape", X, SHAPE), "last"),), _shape_of, _reshape),
    Permute: Pattern(
        (Form(node("Transpose", X, perm=Argument("perm")), "last"),), _order_of, _transpose
    ),
    ZeroPadding2D: Pattern(
        (
            Form(node("Pad", X, PADS), "first", arguments=_pads_first),
            Form(node("Pad", X, PADS), "last", arguments=_pads_last),
        ),
        builder=partial(_pad, mode="constant"),
    ),
}

IMPORT: list[tuple[Node, Builder]] = [
    (node("Flatten", X, axis=Argument("axis")), _flatten),
    (node("Reshape", X, SHAPE, **ALLOW_ZERO), _reshape),
    (node("Squeeze", X), _squeeze),
    (node("Squeeze", X, AXES), _squeeze),
    (node("Squeeze", X, axes=AXES), _squeeze),  # before operator set 13
    (node("Unsqueeze", X, AXES), _unsqueeze),
    (node("Unsqueeze", X, axes=AXES), _unsqueeze),  # before operator set 13
    (node("Pad", X, PADS, VALUE, mode=MODE), _pad),
    (node("Pad", X, PADS, mode=MODE), _pad),
    (node("Pad", X, pads=PADS, value=VALUE, mode=MODE), _pad),  # before operator set 11
]
