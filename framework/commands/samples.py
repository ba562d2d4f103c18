"""The samples of the command ``predict``: from a table, an array or an image."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

from datasets.pictures import as_channels, read_picture
from framework import Model, Scale
from framework.commands.columns import read_columns
from framework.commands.options import separator_of
from framework.commands.tables import read_table
from framework.containers.container import is_trained
from framework.errors import file_errors
from optimizers.arrays import Array

TABLES = (".csv", ".tsv")


def read_samples(model: Model, options: argparse.Namespace) -> tuple[Array, str]:
    """Return the samples in the file ``options.data``, in the shape that ``model`` takes.

    A remark about the way that the file was read comes with them, which can be empty.

    Raises:
        OSError: the file cannot be read.
        FileError: a table or an array is damaged, or holds something else.
        DataError: so is, or does, an image.
        ValueError: it does not fit the model, or an option does not fit it.
    """
    path = Path(options.data)
    suffix = path.suffix.lower()
    if model.table is not None:
        cells, remarks, _ = read_columns(path, separator_of(options), options.header, model.table)
        with file_errors(path):
            return model.table.encode(cells), "\n".join(remarks)
    if suffix not in TABLES and (options.header is not None or options.separator is not None):
        raise ValueError(f"--header and --separator are for tables, not for {path}")
    if suffix not in TABLES and suffix != ".npy":
        return _from_image(path, model, options), ""
    if options.scale is not None or options.invert or options.resize:
        raise ValueError(f"--scale, --invert and --resize are for images, not for {path}")
    if suffix in TABLES:
        samples, remark = read_table(path, separator_of(options), options.header, model.dtype)
    else:
        samples, remark = _from_npy(path), ""
    if samples.shape == model.input_shape or samples.ndim == 1:
        samples = samples[np.newaxis]
    return samples, remark


def _from_npy(path: Path) -> Array:
    with file_errors(path, problem="it is damaged, or no array of numbers"):
        array: Array = np.lib.format.open_memmap(path, mode="r")
    return array


def _from_image(path: Path, model: Model, options: argparse.Namespace) -> Array:
    """Read an image as one sample, in the shape and the range that ``model`` takes."""
    expected = model.input_shape
    if expected is None:
        raise ValueError("the shape of the model's samples is not known, so no image fits")

    def check_size(height: int, width: int) -> None:
        if expected not in _shapes(height, width):
            raise ValueError(
                f"{path} is {height}×{width} pixels, but the model takes samples of shape "
                f"{expected}: bring the image to that size first, or let --resize do it"
            )

    size = _size(expected) if options.resize else None
    pixels = _fitted(read_picture(path, check_size, size), expected)
    if options.invert:
        pixels = 255 - pixels
    before = _before_parameters(model)
    if options.scale is not None:
        if any(isinstance(layer, Scale) for layer in before):
            raise ValueError("the model scales images itself: leave out --scale")
        low, high = options.scale
        return pixels[np.newaxis] * ((high - low) / 255) + low
    if not any(isinstance(layer, Scale) for layer in before):
        raise ValueError(
            "the model does not begin with Scale, so it does not tell how images are scaled: say "
            "over which range black to white was spread, such as --scale 0 1"
        )
    return pixels[np.newaxis]


def _shapes(height: int, width: int) -> list[tuple[int, ...]]:
    """The shapes of samples that an image can take, grey ones before coloured ones."""
    size = height * width
    return [(height, width), (height, width, 1), (size,), (height, width, 3), (3 * size,)]


def _size(expected: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and the width of images for samples of shape ``expected``.

    Rows of numbers are taken for square images. Raises ValueError if no image has that shape.
    """
    side = math.isqrt(expected[0])
    for size in (expected[:2], (side, side), (math.isqrt(expected[0] // 3),) * 2):
        if len(size) == 2 and expected in _shapes(*size):
            return size
    raise ValueError(
        f"--resize does not know to which size: the model takes samples of shape {expected}, "
        "which are no images, or not square ones"
    )


def _fitted(pixels: Array, expected: tuple[int, ...]) -> Array:
    """Return an image in the shape ``expected``, one of ``_shapes``, grey or coloured as that."""
    channels = 1 if expected in _shapes(*pixels.shape[:2])[:3] else 3
    return as_channels(pixels, channels).reshape(expected)


def _before_parameters(model: Model) -> list[Any]:
    operations = model.operations_in_order
    trained = [i for i, layer in enumerate(operations) if is_trained(layer)]
    return operations[: trained[0]] if trained else operations
