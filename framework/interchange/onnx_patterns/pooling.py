"""The patterns of pooling layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.padding import lengths_of, margins_of
from framework.interchange.foreign.pooling import add_global_pooling, add_pooling
from framework.interchange.onnx_expressions import Argument, Node, Slices, X, node
from framework.interchange.onnx_patterns.axes import sample_axes
from framework.interchange.onnx_patterns.convolution import (
    WINDOWS,
    read_margins,
    window_attributes,
)
from framework.interchange.onnx_patterns.pattern import Builder, Form, Pattern
from framework.interchange.onnx_patterns.windows import (
    PADDED,
    channels_first,
    is_padded,
    known_lengths,
    last_margins,
    pads_of,
    positions,
    slices_of,
    windows_of,
)
from framework.layers import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from framework.layers.windows import Margins, Windows
from framework.operation import Operation, Shape
from optimizers.arrays import Array

FACTORS, AXES, KEEP = Argument("factors"), Argument("axes"), Argument("keepdims")
PADS_BEFORE, MODE, VALUE = Argument("pads_before"), Argument("mode"), Argument("value")
WITHOUT_DILATION = {name: value for name, value in WINDOWS.items() if name != "dilations"}
MAX: dict[str, Any] = {**WINDOWS, "ceil_mode": Argument("ceil_mode")}
AVERAGE: dict[str, Any] = {**MAX, "count_include_pad": Argument("count_include_pad")}


def _averages(layer: Any, shape: Shape) -> dict[str, Any]:
    """The arguments of a sum over all positions, times one over their number in each window."""
    windows: Windows = layer.windows
    factors: Any = 1 / np.prod(windows.size)
    if is_padded(layer, shape):
        factors = 1 / windows.inside(known_lengths(layer, shape))
    return {"slices": slices_of(windows), "pads": pads_of(layer, shape), "factors": factors}


def _pooling(
    assembly: Assembly,
    kind: str,
    kernel_shape: Sequence[int],
    auto_pad: str,
    ceil_mode: int | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    count_include_pad: int | None = None,
    before: Margins = (),
) -> None:
    if dilations is not None and set(dilations) != {1}:
        raise ValueError(f"dilations={dilations}: pooling here has no dilation")
    axes = len(kernel_shape)
    strides = strides or [1] * axes
    windows = Windows(tuple(kernel_shape), tuple(strides), (1,) * axes, "same")
    margins = read_margins(assembly, windows, auto_pad, pads)
    if before and not isinstance(margins, str):
        margins = [(a + c, b + d) for (a, b), (c, d) in zip(before, margins, strict=True)]
    elif before:
        raise ValueError("padding in two ways")
    add_pooling(
        assembly,
        kind,
        kernel_shape,
        strides,
        margins,
        count_padding=bool(count_include_pad),
        round_up=bool(ceil_mode),
    )


def _padded_max(
    assembly: Assembly, pads_before: Array, mode: str, value: Array | None = None, **found: Any
) -> None:
    """Padding that never wins, since it is the lowest number or one that the window has."""
    low = value is not None and value.size == 1 and value.item() <= np.finfo(np.float32).min
    if not (mode == "edge" or (mode == "constant" and low)):
        raise ValueError(f"padding with mode={mode!r}, whose values may be the largest")
    samples, channels, *before = margins_of(pads_before.tolist(), len(assembly.sizes) + 1)
    if any((*samples, *channels)):
        raise ValueError("it pads more than the axes of images")
    _pooling(assembly, "max", before=before, **found)


def _of_positions(
    assembly: Assembly, slices: Slices, factors: Array, pads: Array | None = None
) -> None:
    windows = windows_of(slices)
    axes = len(windows.size)
    with channels_first(assembly, axes):
        size, strides, margins = windows.size, windows.stride, last_margins(pads, axes)
        assembly.images(axes)
        lengths = lengths_of(assembly)
        add_pooling(assembly, "average", size, strides, margins)
        added: Any = assembly.last
        known = [length for length in lengths if length is not None]
        counts: Any = np.prod(size)
        # An array as large as the images, so only where the file has one of this size.
        if len(known) == axes and factors.size == np.prod(added.windows.counts(known)):
            counts = added.windows.inside(known)
        if not np.allclose(factors * counts, 1):
            raise ValueError("it divides by other numbers than those of the values in a window")


def _whole(assembly: Assembly, kind: str, keep_axes: bool) -> None:
    add_global_pooling(assembly, kind, range(1, len(assembly.sizes)), keep_axes)


def _reduced(
    assembly: Assembly, kind: str, axes: Array | Sequence[int] | None, keepdims: int
) -> None:
    if axes is None:
        raise ValueError("without axes it reduces samples too")
    chosen = sample_axes(assembly, [int(axis) for axis in axes])
    add_global_pooling(assembly, kind, chosen, bool(keepdims))


def _windows_pattern(operator: str, kind: str) -> Pattern:
    forms = [Form(node(operator, X, **WITHOUT_DILATION), "first", arguments=window_attributes)]
    if kind == "average":
        for values, when in ((PADDED, is_padded), (X, None)):
            mean = node("Mul", node("Sum", positions(values)), FACTORS)
            forms.append(Form(mean, "last", when, _averages, _of_positions))
    return Pattern(tuple(forms), builder=partial(_pooling, kind=kind))


def _global_pattern(operator: str, reduction: str, kind: str, axes: int) -> Pattern:
    along = list(range(1, axes + 1))
    reduced = partial(_reduced, kind=kind, keepdims=0)
    return Pattern(
        (
            Form(node("Flatten", node(operator, X)), "first", leaves_rows=True),
            Form(
                node(reduction, X, axes=along, keepdims=0),
                "last",
                builder=partial(reduced, axes=along),
            ),
            Form(node(reduction, X, AXES, keepdims=0), "last", builder=reduced),
        ),
        arguments=lambda operation, shape: {"axes": np.array(along)},
        builder=partial(_whole, kind=kind, keep_axes=False),
    )


EXPORT: dict[type[Operation], Pattern] = {
    **dict.fromkeys((MaxPooling1D, MaxPooling2D), _windows_pattern("MaxPool", "max")),
    **dict.fromkeys(
        (AveragePooling1D, AveragePooling2D), _windows_pattern("AveragePool", "average")
    ),
    GlobalMaxPooling1D: _global_pattern("GlobalMaxPool", "ReduceMax", "max", 1),
    GlobalMaxPooling2D: _global_pattern("GlobalMaxPool", "ReduceMax", "max", 2),
    GlobalAveragePooling1D: _global_pattern("GlobalAveragePool", "ReduceMean", "average", 1),
    GlobalAveragePooling2D: _global_pattern("GlobalAveragePool", "ReduceMean", "average", 2),
}

IMPORT: list[tuple[Node, Builder]] = [
    (node("MaxPool", X, **MAX), partial(_pooling, kind="max")),
    (node("AveragePool", X, **AVERAGE), partial(_pooling, kind="average")),
    (node("MaxPool", node("Pad", X, PADS_BEFORE, mode=MODE), **MAX), _padded_max),
    (node("MaxPool", node("Pad", X, PADS_BEFORE, VALUE, mode=MODE), **MAX), _padded_max),
    *(
        (node(f"Global{name}Pool", X), partial(_whole, kind=name.lower(), keep_axes=True))
        for name in ("Max", "Average")
    ),
    *(
        (expression, partial(_reduced, kind=kind))
        for operator, kind in (("ReduceMax", "max"), ("ReduceMean", "average"))
        for expression in (
            node(operator, X, AXES, keepdims=KEEP),  # since operator set 18
            node(operator, X, axes=AXES, keepdims=KEEP),
        )
    ),
]
