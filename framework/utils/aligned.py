"""Arrays that begin with a line of the processor's cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimizers.arrays import Array

# Bytes of a line of the cache, and of the longest vector that a processor reads at once.
LINE = 64


def aligned_zeros(count: int, dtype: Any) -> Array:
    """Return ``count`` zeros. A vector that reaches into two lines takes twice as long to read."""
    dtype = np.dtype(dtype)
    memory = np.zeros(count * dtype.itemsize + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + count * dtype.itemsize].view(dtype)
