"""Convolution and pooling in float64, where onnxruntime has no operator: slices of the images.

A ``Slice`` has the values that all windows see at one position (see ``framework.layers.windows``).
Side by side, those of all positions are the columns that a convolution multiplies by its weights.
Here channels stay last.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.padding import margins_of
from framework.interchange.onnx_expressions import (
    Argument,
    Expression,
    Positions,
    Slices,
    X,
    node,
)
from framework.layers.sample_shapes import windows_in
from framework.layers.windows import Margins, Windows
from framework.operation import Shape
from optimizers.arrays import Array

PADS = Argument("pads")
# For a slice that ends where its axis does.
TO_THE_END = 2**31 - 1


def positions(of: Expression) -> Positions:
    """Return the values of ``of`` at each position of the windows."""
    return Positions(of, "slices")


PADDED = node("Pad", X, PADS)


def slices_of(windows: Windows) -> Slices:
    """Return the slices of padded images at each position of these windows."""
    starts, ends = [], []
    for position in itertools.product(*(range(size) for size in windows.size)):
        start = [p * d for p, d in zip(position, windows.dilation, strict=True)]
        left = [extent - 1 - s for extent, s in zip(windows.extents, start, strict=True)]
        starts.append(start)
        ends.append([-number if number else TO_THE_END for number in left])
    return Slices(starts, ends, list(windows.stride))


def windows_of(slices: Slices) -> Windows:
    """Return the windows that these are the slices of. Raises ValueError if there are none."""
    axes = range(len(slices.steps))
    along = [sorted({start[axis] for start in slices.starts}) for axis in axes]
    size = tuple(map(len, along))
    dilation = tuple(one[1] - one[0] if len(one) > 1 else 1 for one in along)
    windows = Windows(size, tuple(slices.steps), dilation, "valid")
    if min(dilation) < 1 or min(slices.steps) < 1 or slices != slices_of(windows):
        raise ValueError("these slices are not the positions of windows")
    return windows


def pads_of(operation: Any, shape: Shape) -> Array:
    """Return ONNX's list of the padding of images that have their channels last.

    Raises ValueError if it depends on the size of the images, and that is not known.
    """
    margins = [(0, 0), *known_margins(operation, shape), (0, 0)]
    return np.array([*(before for before, _ in margins), *(after for _, after in margins)])


def known_margins(operation: Any, shape: Shape) -> Margins:
    """Return the padding before and after each axis. Raises as ``pads_of``."""
    windows: Windows = operation.windows
    if windows.padding == "same" and set(windows.stride) != {1}:
        return windows.margins(known_lengths(operation, shape))
    return windows.margins([1] * len(windows.size))


def known_lengths(operation: Any, shape: Shape) -> tuple[int, ...]:
    """Return the sizes of images. Raises ValueError if they are not known."""
    if windows_in(operation, shape, operation.axes, operation.windows) is None or shape is None:
        raise ValueError(
            f"{operation!r} pads images by their size, which is not known: give input_shape, or "
            "call predict before"
        )
    return shape[:-1]


def is_padded(operation: Any, shape: Shape) -> bool:
    """Whether there is any padding."""
    return operation.windows.padding != "valid" and any(map(any, known_margins(operation, shape)))


@contextmanager
def channels_first(assembly: Assembly, axes: int) -> Iterator[None]:
    """Let a builder for images that have their channels first add to those that have them last.

    Raises ValueError if samples do not have as many ``axes`` and the channels.
    """
    if len(assembly.sizes) != axes + 1:
        raise ValueError(f"expected samples of {axes + 1} axes, found {len(assembly.sizes)}")
    assembly.turn([axes, *range(axes)])
    yield
    assembly.turn([*range(1, axes + 1), 0])


def last_margins(pads: Array | None, axes: int) -> Margins:
    """Return the padding of images from ``pads_of``. Raises ValueError if more is padded."""
    if pads is None:
        return [(0, 0)] * axes
    samples, *margins, channels = margins_of(pads.tolist(), axes + 2)
    if any((*samples, *channels)):
        raise ValueError("it pads more than the axes of images")
    return margins
