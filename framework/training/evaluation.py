"""A model on validation or test data: its outputs, its loss and its accuracy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, Batch, Batches, BatchStream
from framework.data.checks import check_inputs, check_weighted_data
from framework.data.micro_batches import MOST_SAMPLES, evaluation_batch_size
from framework.operation import Array
from framework.utils.memory_maps import release_pages


def predict(model: Supervised, X: ArrayLike, batch_size: int | None) -> Array:
    """Return the outputs for ``X``: see ``Model.predict``."""
    X = check_inputs(model, X)
    size = _batch_size(model, X, batch_size)
    parts = []
    for start in range(0, len(X), size):
        parts.append(_kept(model.forward(X[start : start + size], training=False)))
        release_pages(X)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def evaluate(
    model: Supervised,
    X: Any,
    y: ArrayLike | None,
    batch_size: int | None,
    sample_weight: ArrayLike | None,
) -> tuple[float, float | None]:
    """Return the mean data loss and the accuracy: see ``Model.evaluate``."""
    if y is None:
        if sample_weight is not None:
            raise ValueError("batches bring their weights themselves: (X, y, sample_weight)")
        batches: Batches = BatchStream(model, X)
    else:
        X, y, weights = check_weighted_data(model, X, y, sample_weight)
        size = _batch_size(model, X, batch_size)
        batches = ArrayBatches(X, y, weights, batch_size=size)
    return evaluation_means(model, evaluation_sums(model, batches.epoch()))


def evaluation_sums(model: Supervised, batches: Iterable[Batch]) -> Array:
    """Return the total weight of ``batches``, and the weighted sums of data loss and accuracy."""
    total_weight = data_loss = correct = 0.0
    for batch in batches:
        total_weight += batch.total_weight
        for X, y, sample_weight, _ in batch.micro_batches():
            loss = model.calculate_loss(X, y, training=False, sample_weight=sample_weight)
            data_loss += batch.total_weight * loss
            if model.accuracy is not None:
                accuracy = model.calculate_accuracy(y, sample_weight=sample_weight)
                correct += batch.total_weight * accuracy
    return np.array([total_weight, data_loss, correct])


def evaluation_means(model: Supervised, sums: Array) -> tuple[float, float | None]:
    """Return the mean data loss, and the accuracy if ``model`` has one, of ``evaluation_sums``."""
    total_weight, data_loss, correct = map(float, sums)
    return data_loss / total_weight, None if model.accuracy is None else correct / total_weight


def _batch_size(model: Supervised, X: Array, batch_size: int | None) -> int:
    if batch_size is not None:
        return check_count("batch_size", batch_size)
    return len(X) if len(X) <= MOST_SAMPLES else evaluation_batch_size(model, X[:1])


def _kept(output: Array) -> Array:
    """Return ``output``, or a copy if it is part of a larger array, which it would keep alive."""
    whole = output.base
    return output.copy() if isinstance(whole, np.ndarray) and whole.size > output.size else output
