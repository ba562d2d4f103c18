"""Data in a file that is mapped into memory, and read as it is used.

What has been read from a mapped file counts as the program's memory until the system wants it
back, which on a large machine is late. So it is given back as soon as it has been used.
"""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.arrays import Array

# Reading a row brings in what lies around it in the file, on some systems two megabytes, so rows
# that lie apart cost much more than they hold.
ROWS_AT_ONCE = 32


def is_mapped(array: Array) -> bool:
    """Whether ``array`` is part of an ``np.memmap``, whatever its own class is."""
    return _pages(array) is not None


def take_rows(array: Array, rows: NDArray[np.intp]) -> Array:
    """Return ``array[rows]``, read in little memory if ``array`` is part of an ``np.memmap``."""
    if _pages(array) is None:
        return array.take(rows, axis=0)
    taken = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        few = slice(start, start + ROWS_AT_ONCE)
        taken[few] = array[rows[few]]
        release_pages(array)
    return taken


def release_pages(array: Array) -> None:
    """Give back the memory of what has been read, if ``array`` is part of an ``np.memmap``.

    The data are read again when they are used again. What was written to the file's pages is
    kept; a private copy of them (``mode="c"``) is left alone, since its changes are nowhere else.
    """
    pages = _pages(array)
    if pages is not None:
        pages.madvise(mmap.MADV_DONTNEED)


def _pages(array: Any) -> Any:
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    if array is None or array.mode not in ("r", "r+", "w+"):
        return None
    while not isinstance(array, mmap.mmap):
        array = array.base
    return array if hasattr(array, "madvise") else None  # Windows has no such call
