"""Batches and one-hot labels, for a training loop by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizers.arrays import Array
from optimizers.checks import check_count


def batch(data: ArrayLike, labels: ArrayLike, batch_size: int) -> Iterator[tuple[Array, Array]]:
    """Yield batches ``(data, labels)`` of ``batch_size`` samples, in order.

    The last batch is smaller if the samples do not divide evenly. Batches are views of the
    arrays. Samples that are sorted by class should be shuffled first.

    Args:
        data: ``(samples, ...)``.
        labels: ``(samples, ...)``.
        batch_size: at least 1.

    Raises:
        TypeError: ``batch_size`` is not a whole number.
        ValueError: ``batch_size`` is below 1, or the two lengths differ.

    >>> [len(labels) for _, labels in batch(np.zeros((5, 2)), np.zeros(5), 2)]
    [2, 2, 1]
    """
    data, labels = np.asarray(data), np.asarray(labels)
    size = check_count("batch_size", batch_size)
    if data.shape[:1] != labels.shape[:1] or not data.ndim:
        raise ValueError(
            "data and labels must have the same number of samples, received shapes "
            f"{data.shape} and {labels.shape}"
        )
    # The checks above run at the call; those of a generator function would run at the first batch.
    return (
        (data[start : start + size], labels[start : start + size])
        for start in range(0, len(data), size)
    )


def one_hot_encode(labels: ArrayLike, num_classes: int) -> NDArray[np.float32]:
    """Return a row for each label, 1 in the column of its class and 0 elsewhere.

    Args:
        labels: whole numbers from 0 to ``num_classes - 1``, ``(samples,)``.
        num_classes: the number of columns, at least 1.

    Returns:
        ``(samples, num_classes)``, float32.

    Raises:
        TypeError: labels that are not numbers, or ``num_classes`` that is not a whole number.
        ValueError: a label that is not a class, or labels of another shape.

    >>> one_hot_encode([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    classes = check_count("num_classes", num_classes)
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"labels must have shape (samples,), received {values.shape}")
    if values.size and values.dtype.kind not in "iubf":
        raise TypeError(f"labels must be whole numbers, received dtype {values.dtype}")
    wrong = ~((values >= 0) & (values < classes) & (np.mod(values, 1) == 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"labels must be whole numbers from 0 to {classes - 1}, but row {row} is {values[row]}"
        )
    encoded = np.zeros((len(values), classes), dtype=np.float32)
    encoded[np.arange(len(values)), values.astype(np.intp)] = 1
    return encoded
