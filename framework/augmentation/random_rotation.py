"""RandomRotation: images turned by a small angle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from framework.augmentation.augmentation import Augmentation
from framework.augmentation.borders import Fill, check_fill, padded_images
from framework.checks import check_number
from optimizers.arrays import Array


class RandomRotation(Augmentation):
    """Turns each image around its middle, by an angle between ``-degrees`` and ``degrees``.

    Each pixel of the result is taken from where it came from, between four pixels, which count the
    more the nearer they are (bilinear interpolation). Images of integers are rounded.

    Args:
        degrees: the largest angle, greater than 0 and at most 180.
        fill: what comes in at the corners, as in ``RandomShift``.
        seed: see the module.

    Raises:
        TypeError, ValueError: for an argument of another kind or out of its range; when called,
            for what is no batch of images, or a ``fill`` that their dtype does not have.
    """

    def __init__(self, degrees: float, *, fill: Fill = 0.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.degrees = check_number("degrees", degrees)
        if not 0 < self.degrees <= 180:
            raise ValueError(
                f"degrees must be greater than 0 and at most 180, received {degrees!r}"
            )
        self.fill = check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        angles = np.radians(generator.uniform(-self.degrees, self.degrees, len(images)))
        dtype = np.float64 if images.dtype == np.float64 else np.float32
        sines, cosines = (f(angles).astype(dtype).reshape(-1, 1, 1) for f in (np.sin, np.cos))
        height, width = images.shape[1:3]
        y = np.arange(height, dtype=dtype).reshape(1, -1, 1) - (height - 1) / 2
        x = np.arange(width, dtype=dtype).reshape(1, 1, -1) - (width - 1) / 2
        rows = cosines * y + sines * x + (height - 1) / 2
        columns = cosines * x - sines * y + (width - 1) / 2
        # Beyond one pixel all is filled alike, but for a mirrored image, which is needed as far as
        # a corner moves.
        moved = math.hypot(height, width) * math.sin(math.radians(self.degrees) / 2)
        margin = math.ceil(moved) if self.fill == "reflect" else 0
        return _interpolated(self, images, rows, columns, margin + 1)


def _interpolated(
    augmentation: Any, images: Array, rows: Array, columns: Array, margin: int
) -> Array:
    """Return images whose pixels come from fractional ``rows`` and ``columns``, (samples, …)."""
    padded = padded_images(augmentation, images, (margin, margin)).astype(rows.dtype, copy=False)
    samples, height, width, channels = padded.shape
    rows = np.clip(rows + margin, 0, height - 1)
    columns = np.clip(columns + margin, 0, width - 1)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    np.minimum(top, height - 2, out=top)
    np.minimum(left, width - 2, out=left)
    down, right = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]
    pixels = padded.reshape(-1, channels)
    first = top * width + left
    first += (np.arange(samples) * height * width).reshape(-1, 1, 1)

    def between(start: Array) -> Array:
        one, other = pixels.take(start, axis=0), pixels.take(start + 1, axis=0)
        return _move(one, other, right)

    found = _move(between(first), between(first + width), down)
    if images.dtype.kind in "iub":
        np.rint(found, out=found)
    return found.astype(images.dtype, copy=False)


def _move(one: Array, other: Array, share: Array) -> Array:
    """Move ``one`` towards ``other`` by a share of the way, in place."""
    other -= one
    other *= share
    one += other
    return one
