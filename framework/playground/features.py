"""The inputs that are made of a point in the plane: its coordinates, and functions of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from optimizers.arrays import Array


class Feature(NamedTuple):
    """A function of the two coordinates, and the same as a script has it."""

    of: Callable[[Array, Array], Array]
    code: str


FEATURES = {
    "x": Feature(lambda x, y: x, "X[:, 0]"),
    "y": Feature(lambda x, y: y, "X[:, 1]"),
    "x²": Feature(lambda x, y: x**2, "X[:, 0] ** 2"),
    "y²": Feature(lambda x, y: y**2, "X[:, 1] ** 2"),
    "xy": Feature(lambda x, y: x * y, "X[:, 0] * X[:, 1]"),
    "sin x": Feature(lambda x, y: np.sin(x), "np.sin(X[:, 0])"),
    "sin y": Feature(lambda x, y: np.sin(y), "np.sin(X[:, 1])"),
}


def inputs_of(X: Array, features: Sequence[str]) -> Array:
    """Return what goes into the network: ``features`` of points in the plane, or the columns."""
    if X.shape[1] != 2:
        return X
    return np.column_stack([FEATURES[name].of(X[:, 0], X[:, 1]) for name in features])
