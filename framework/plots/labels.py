"""Labels as class indices, and the names of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array
from optimizers.arrays import Array


def class_indices(y: ArrayLike, name: str = "y") -> Array:
    """Return labels, a column of them, or one score for each class, as indices ``(samples,)``.

    A column of values from 0 to 1 may be the probability of class 1 of two: above 0.5 it is 1.

    Raises:
        TypeError, ValueError: they are none of these.
    """
    labels = as_array(y, name)
    missing = np.isnan(labels)
    if missing.any():
        row = int(missing.reshape(len(labels), -1).any(axis=1).argmax()) if labels.ndim else 0
        raise ValueError(f"{name} must be class numbers or scores, but row {row} has NaN")
    if labels.ndim == 2:
        if labels.shape[1] > 1:
            labels = labels.argmax(axis=1)
        elif ((labels >= 0) & (labels <= 1)).all():
            labels = (labels > 0.5)[:, 0]
        else:
            labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(
            f"{name} must be class indices (samples,) or one row for each sample, received shape "
            f"{labels.shape}"
        )
    if not np.isfinite(labels).all() or ((labels < 0) | (labels != np.floor(labels))).any():
        raise ValueError(f"{name} must be class numbers: whole, and at least 0")
    return labels.astype(np.intp)


def names_of_classes(class_names: Sequence[Any] | None, classes: int) -> list[str]:
    """Return the names of ``classes`` classes as strings; without names, their numbers."""
    if class_names is None:
        return [str(number) for number in range(classes)]
    if len(class_names) < classes:
        raise ValueError(
            f"class_names must have a name for each of {classes} classes, received "
            f"{len(class_names)}"
        )
    return [str(name) for name in class_names]
