"""Checks of the targets of a loss. Nothing is broadcast: a shape that does not fit is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, as_floats, check_finite
from optimizers.arrays import Array


def class_targets(y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return targets for class probabilities of ``shape`` ``(samples, classes)``.

    Args:
        y_true: class indices ``(samples,)``, whole numbers from 0 to ``classes - 1``; or one
            row of probabilities for each sample, ``(samples, classes)``, usually one-hot.

    Returns:
        Indices as integers, or rows as floats.

    Raises:
        TypeError: ``y_true`` does not hold real numbers.
        ValueError: a shape that does not fit, an index that is no class, a row that is no
            distribution.
    """
    labels = as_array(y_true, "y")
    if len(shape) != 2:
        raise ValueError(f"class probabilities must be (samples, classes), received {shape}")
    samples, classes = shape
    if labels.shape == (samples,):
        return _class_indices(labels, classes)
    if labels.shape == shape:
        return _distributions(labels)
    raise ValueError(
        f"y must be class indices of shape ({samples},) or one-hot rows of shape {shape}, "
        f"received shape {labels.shape}"
    )


def numeric_targets(y_true: ArrayLike, shape: tuple[int, ...], name: str = "y") -> Array:
    """Return targets of exactly the ``shape`` of the predictions.

    Targets ``(samples,)`` are taken as a column where the predictions are ``(samples, 1)``.

    Raises:
        TypeError: ``y_true`` does not hold real numbers.
        ValueError: any other shape, or NaN or infinity among the values.
    """
    targets = _of_shape(y_true, shape, name)
    check_finite(targets, name)
    return targets


def binary_targets(y_true: ArrayLike, shape: tuple[int, ...], name: str = "y") -> Array:
    """Return ``numeric_targets`` that are probabilities, usually 0 or 1.

    Raises:
        TypeError, ValueError: as ``numeric_targets``; ValueError also for values outside 0…1.
    """
    targets = _of_shape(y_true, shape, name)
    if targets.size and not (targets.min() >= 0 and targets.max() <= 1):
        check_finite(targets, name)
        raise ValueError(
            f"{name} must lie between 0 and 1, one column for each output, received values from "
            f"{targets.min():g} to {targets.max():g}"
        )
    return targets


def _of_shape(y_true: ArrayLike, shape: tuple[int, ...], name: str) -> Array:
    targets = as_floats(y_true, name)
    if targets.shape == shape[:1] and shape[1:] == (1,):
        targets = targets.reshape(shape)
    if targets.shape != shape:
        raise ValueError(
            f"{name} must have the shape of the predictions, {shape}, received {targets.shape}"
        )
    return targets


def _class_indices(labels: Array, classes: int) -> Array:
    indices = labels
    if labels.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            indices = labels.astype(np.intp)
        if not np.array_equal(indices, labels):
            row = int((indices != labels).argmax())
            raise ValueError(f"y must be whole class numbers, but row {row} is {labels[row]}")
    # As an unsigned number, a negative one is larger than any class: one pass finds both.
    indices = indices.astype(np.intp, copy=False)
    if indices.size and np.maximum.reduce(indices.view(np.uintp)) >= classes:
        row = int(((indices < 0) | (indices >= classes)).argmax())
        raise ValueError(
            f"y must be class numbers from 0 to {classes - 1}, since there are {classes} "
            f"outputs, but row {row} is {labels[row]}"
        )
    return indices


def _distributions(rows: Array) -> Array:
    rows = as_floats(rows, "y")
    sums = rows.sum(axis=1)
    wrong = ~((np.abs(sums - 1) < 1e-3) & (rows >= 0).all(axis=1))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"y must be one-hot rows, each of them adding up to 1, but row {row} is {rows[row]}"
        )
    return rows
