"""Arrays mapped from a file, read in little memory.

Pages read from a mapped file count as memory of the process until the system takes them back,
which may be late on a large machine. So they are released right after use.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.arrays import Array

# Reading a row also reads the pages around it, on some systems two megabytes, so scattered rows
# take far more memory than their own size.
ROWS_AT_ONCE = 32


def is_mapped(array: Array) -> bool:
    """Whether ``array`` is, or is a view of, an ``np.memmap``."""
    return _pages(array) is not None


def take_rows(array: Array, rows: NDArray[np.intp]) -> Array:
    """Return ``array[rows]``; if ``array`` is mapped, a few rows at a time."""
    if _pages(array) is None:
        return array.take(rows, axis=0)
    taken = np.empty((len(rows), *array.shape[1:]), dtype=array.dtype)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        few = slice(start, start + ROWS_AT_ONCE)
        taken[few] = array[rows[few]]
        release_pages(array)
    return taken


def release_pages(array: Array) -> None:
    """Release the pages that have been read, if ``array`` is mapped.

    They are read again on the next use. Changes written to the file's pages are kept. Private
    copies (``mode="c"``) are not released, since their changes are not in the file.
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
