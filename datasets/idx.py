"""The IDX format of MNIST and Fashion-MNIST."""

from __future__ import annotations

import math
import struct
from os import PathLike, fspath

import numpy as np
from numpy.typing import NDArray

from datasets.reading import DataError, first_bytes, opened, read_up_to
from optimizers.arrays import Array

UNSIGNED_BYTES = 0x08
MAX_ITEMS = 60_000  # the training images of MNIST and of Fashion-MNIST


def read_idx(
    path: str | PathLike[str], item_shape: tuple[int, ...] = (), max_items: int = MAX_ITEMS
) -> NDArray[np.uint8]:
    """Return the items of an IDX file of unsigned bytes, gzipped or not.

    The file starts with big-endian numbers of four bytes: a magic number, whose third byte is
    the type of the values and whose last the number of axes; then the length of each axis. The
    values follow, one byte each, the last axis fastest. So images (``item_shape=(28, 28)``)
    have the magic number 2051 and labels (``()``) 2049.

    Args:
        path: the file.
        item_shape: the shape that each item must have.
        max_items: the largest number of items that is accepted. A gzipped file of some megabytes
            may unpack to terabytes.

    Returns:
        ``(items, *item_shape)``, uint8, writable.

    Raises:
        DataError: the file is damaged or has other contents. The memory used depends on the
            size of the file, not on the size that its header claims.
        OSError: it cannot be opened.

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    name = fspath(path)
    axes = 1 + len(item_shape)
    magic = UNSIGNED_BYTES << 8 | axes
    with opened(path) as stream:
        header = read_up_to(stream, 4 * (1 + axes))
        if header[:4] != struct.pack(">I", magic):
            raise DataError(
                f"{name}: expected an IDX file of unsigned bytes with {axes} "
                f"{'axis' if axes == 1 else 'axes'}, so the magic number {magic} "
                f"({struct.pack('>I', magic)!r}) at the start, found {first_bytes(header)}"
            )
        if len(header) < 4 * (1 + axes):
            raise DataError(
                f"{name}: expected a header of {4 * (1 + axes)} bytes, found {len(header)}"
            )
        count, *lengths = struct.unpack(f">{axes}I", header[4:])
        if tuple(lengths) != item_shape or not count:
            raise DataError(
                f"{name}: expected one item or more, each of shape {item_shape}, but the header "
                f"says {count:,} of shape {tuple(lengths)}"
            )
        if count > max_items:
            raise DataError(
                f"{name}: expected at most {max_items:,} items, but the header says {count:,}"
            )
        size = count * math.prod(item_shape)
        values = read_up_to(stream, size)
        surplus = stream.read(1)
    if len(values) < size or surplus:
        found = "more" if surplus else f"{len(values):,}"
        raise DataError(
            f"{name}: expected {size:,} bytes after the header, {count:,} items of shape "
            f"{item_shape}, found {found}"
        )
    items: Array = np.frombuffer(values, dtype=np.uint8).reshape(count, *item_shape)
    return items
