"""Borders around images: what comes in from outside, and windows of images that have one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from framework.checks import check_number
from optimizers.arrays import Array

# What comes in from outside an image: a number, or how ``np.pad`` goes on with the image.
Fill: TypeAlias = float | str
CONTINUED = ("edge", "reflect")


def check_fill(fill: Any) -> Fill:
    """Return ``fill``. Raises TypeError or ValueError if it is neither number nor mode."""
    if isinstance(fill, str):
        if fill not in CONTINUED:
            raise ValueError(f"fill must be a number, 'edge' or 'reflect', received {fill!r}")
        return fill
    return check_number("fill", fill)


def fill_value(augmentation: Any, dtype: np.dtype[Any]) -> Any:
    """Return the number of ``augmentation.fill`` in ``dtype``. Raises ValueError if it has none."""
    value = augmentation.fill
    if dtype.kind == "f":
        exists = abs(value) <= float(np.finfo(dtype).max)
    else:
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        exists = value.is_integer() and low <= value <= high
    if not exists:
        raise ValueError(f"{augmentation!r}: images of {dtype} have no {value:g} to fill with")
    return dtype.type(value)


def padded_images(augmentation: Any, images: Array, margins: tuple[int, ...]) -> Array:
    """Return ``images`` with margins, of height and width, that are filled."""
    if not any(margins):
        return images
    around = [(0, 0), *((n, n) for n in margins), (0, 0)]
    if isinstance(augmentation.fill, str):
        mode: Any = augmentation.fill
        return np.pad(images, around, mode)
    return np.pad(images, around, constant_values=fill_value(augmentation, images.dtype))


def windows_of(images: Array, places: Array, size: tuple[int, ...]) -> Array:
    """Return a window of each image that begins at its place, a row and a column."""
    windows = sliding_window_view(images, (*size, images.shape[3]), axis=(1, 2, 3))
    return windows[np.arange(len(images)), places[:, 0], places[:, 1], 0]
