"""Logic gates, the smallest data sets. A single neuron cannot learn "xor"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizers.arrays import Array

TRUTH: dict[str, list[int]] = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nand": [1, 1, 1, 0],
    "xor": [0, 1, 1, 0],
}


def logic_gate(name: str) -> tuple[NDArray[np.float32], Array]:
    """Return the truth table of a gate as data.

    Args:
        name: "and", "or", "nand" or "xor".

    Returns:
        Inputs ``(4, 2)``, float32, and outputs ``(4,)``, integers, both of 0 and 1.

    Raises:
        ValueError: ``name`` is not a gate.

    >>> X, y = logic_gate("xor")
    >>> [(int(a), int(b), int(c)) for (a, b), c in zip(X, y)]
    [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    if name not in TRUTH:
        raise ValueError(f"logic_gate expects one of {', '.join(TRUTH)}, received {name!r}")
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    return X, np.array(TRUTH[name])
