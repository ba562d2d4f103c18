"""Conversion of images: shape, range and dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from datasets.reading import DataError
from optimizers.arrays import Array

Data = tuple[Array, NDArray[np.int64]]
Scale = tuple[float, float]


class Conversion:
    """The conversion of images: ``flatten=``, ``scale=`` and ``dtype=``.

    A byte of 0 becomes the first number of ``scale``, a byte of 255 the second.

    Args:
        flatten: whether each image becomes one row of numbers.
        scale: the range that 0…255 is mapped to, such as ``(0, 1)`` or ``(-1, 1)``; None does
            not scale.
        dtype: of the images. None takes float32 if they are scaled, otherwise uint8.

    Raises:
        TypeError, ValueError: ``flatten`` is not a bool; ``scale`` is not a pair of
            finite numbers in ascending order; ``dtype`` cannot hold the values.
    """

    def __init__(self, flatten: bool, scale: Scale | None, dtype: DTypeLike | None) -> None:
        if not isinstance(flatten, (bool, np.bool_)):
            raise TypeError(f"flatten must be True or False, received {flatten!r}")
        self.flatten = bool(flatten)
        self.scale = None if scale is None else _check_scale(scale)
        if dtype is None:
            dtype = np.uint8 if scale is None else np.float32
        self.dtype = np.dtype(dtype)
        if self.scale is not None and self.dtype.kind != "f":
            raise ValueError(
                f"scaled images need a floating-point dtype, received {self.dtype}; without "
                "scale= they keep the values 0 to 255"
            )
        if self.scale is not None:
            low, high = self.scale
            largest = float(np.finfo(self.dtype).max)
            # The difference, too, which the images are multiplied by.
            if max(abs(low), abs(high), high - low) > largest:
                raise ValueError(
                    f"scale must fit into {self.dtype}, whose largest number is {largest:g}, "
                    f"received {scale!r}"
                )
        if self.dtype.kind not in "uif" or not np.can_cast(np.uint8, self.dtype):
            raise ValueError(f"dtype must hold the numbers 0 to 255, received {self.dtype}")

    def __call__(self, parts: Sequence[NDArray[np.uint8]]) -> Array:
        """Return the converted images of all ``parts`` in one array.

        A single part that needs no conversion is returned itself.
        """
        first = parts[0]
        images: Array = first
        if len(parts) > 1 or self.dtype != first.dtype or not first.flags.c_contiguous:
            samples = sum(len(part) for part in parts)
            images = np.empty((samples, *first.shape[1:]), dtype=self.dtype)
            np.concatenate(parts, out=images)
        if self.scale is not None:
            low, high = self.scale
            images /= 255
            if high - low != 1:
                images *= high - low
            if low:
                images += low
        return images.reshape(len(images), -1) if self.flatten else images


def check_labels(labels: NDArray[np.uint8], name: str, classes: int) -> None:
    """Raise DataError, naming the first, if a label of the file ``name`` is not a class."""
    if labels.max() >= classes:
        row = int((labels >= classes).argmax())
        raise DataError(
            f"{name}: expected labels from 0 to {classes - 1}, but number {row} is {labels[row]}"
        )


def _check_scale(scale: Any) -> Scale:
    try:
        if isinstance(scale, (str, bytes)):  # sequences too, but not of numbers
            raise TypeError
        low, high = (float(bound) for bound in scale)
    except (TypeError, ValueError):
        raise TypeError(
            f"scale must be None or a pair of numbers such as (0, 1), received {scale!r}"
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"scale must be finite and in ascending order, received {scale!r}")
    return low, high
