"""Pooling of images and sequences that have their channels first."""

from __future__ import annotations

from collections.abc import Sequence

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.padding import add_zero_padding, lengths_of, padding_of, shortest
from framework.interchange.layout import joined
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

POOLING = {
    "max": (MaxPooling1D, MaxPooling2D),
    "average": (AveragePooling1D, AveragePooling2D),
}
GLOBAL_POOLING = {
    "max": (GlobalMaxPooling1D, GlobalMaxPooling2D),
    "average": (GlobalAveragePooling1D, GlobalAveragePooling2D),
}


def add_pooling(
    assembly: Assembly,
    kind: str,
    size: Sequence[int],
    strides: Sequence[int],
    margins: Margins | str,
    *,
    count_padding: bool = False,
    round_up: bool = False,
) -> None:
    """Add max or average pooling.

    Args:
        kind: "max" or "average".
        margins: the padding before and after each axis, or "same".
        count_padding: whether averages count padding as zeros.
        round_up: whether a last window may reach over the end (``ceil_mode``).

    Raises ValueError for windows over other axes, and for padding that no argument gives.
    """
    axes = len(size)
    if axes not in (1, 2):
        raise ValueError(f"it works on {axes} axes: pooling here is for images and sequences")
    assembly.images(axes)
    if not isinstance(margins, str):
        if count_padding and kind == "average" and any(map(any, margins)):
            if round_up:
                raise ValueError("count_include_pad=1 with padding and ceil_mode=1")
            add_zero_padding(assembly, [(0, 0), *margins])
            assembly.images(axes)
            margins = [(0, 0)] * axes
        windows = Windows(tuple(size), tuple(strides), (1,) * axes, "valid")
        lengths = lengths_of(assembly)
        if round_up:
            margins = _rounded_up(windows, margins, lengths)
        padding = padding_of(windows, margins, lengths, ["same"])
        if padding is None:
            raise ValueError(
                f"padding by {list(margins)} (before and after): pooling here pads both sides "
                "alike, or as 'same' does"
            )
    else:
        padding = margins
    stride = None if tuple(strides) == tuple(size) else shortest(strides)
    assembly.add_windows(POOLING[kind][axes - 1](shortest(size), stride, padding))


def _rounded_up(windows: Windows, margins: Margins, lengths: Sequence[int | None]) -> Margins:
    """Return the margins that let a last window begin inside the inputs and end behind them."""
    rounded = []
    for length, extent, stride, (before, after) in zip(
        lengths, windows.extents, windows.stride, margins, strict=True
    ):
        if length is None:
            raise ValueError("ceil_mode=1, where the sizes of the images are not known")
        count = -((before + length + after - extent) // -stride) + 1
        if (count - 1) * stride >= length + before:
            count -= 1
        end = (count - 1) * stride + extent
        rounded.append((before, max(after, end - length - before)))
    return rounded


def add_global_pooling(assembly: Assembly, kind: str, axes: Sequence[int], keep_axes: bool) -> None:
    """Add global pooling over these of their axes, which must be all but one.

    Args:
        kind: "max" or "average".
        keep_axes: whether they keep axes of length 1 in their place.

    Raises ValueError for other axes.
    """
    count = len(assembly.layout.theirs)
    pooled = {axis % count for axis in axes}
    kept = [axis for axis in range(count) if axis not in pooled]
    if len(kept) != 1 or count < 2:
        raise ValueError(
            f"it pools over {len(pooled)} of {count} axes: expected all but the channels"
        )
    assembly.features(kept[0])
    *images, channels = assembly.layout.ours
    if len(images) not in (1, 2):
        images = [joined(images)]
        assembly.arrange([*images, channels])
    theirs = assembly.layout.theirs[kept[0]]
    assembly.add_pooled(
        GLOBAL_POOLING[kind][len(images) - 1](),
        [theirs if axis in kept else () for axis in range(count)] if keep_axes else [theirs],
    )
