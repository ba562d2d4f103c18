"""Whether products are computed as ``nnfs.init()`` computes them."""

from __future__ import annotations

import numpy as np


def nnfs_multiplies() -> bool:
    """Whether ``nnfs.init()`` has replaced ``np.dot``.

    The replacement computes in float64 and rounds the product to float32.
    """
    return np.dot.__module__ == "nnfs.core" and np.dot.__name__ == "dot"
