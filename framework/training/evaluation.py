"""A model on validation or test data: its outputs, its loss and its accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.containers.supervised import Supervised
from framework.data.batches import Batch
from framework.data.checked_batches import evaluation_batches
from framework.data.checks import check_inputs
from framework.data.micro_batches import chosen_batch_size
from framework.utils.memory_maps import release_pages
from optimizers.arrays import Array


def predict(model: Supervised, X: ArrayLike, batch_size: int | None) -> Array:
    """Return the outputs for ``X``: see ``Model.predict``."""
    X = check_inputs(model, X)
    size = chosen_batch_size(model, X, batch_size)
    parts = []
    for start in range(0, len(X), size):
        parts.append(_compact(model.outputs_of(X[start : start + size])))
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
    batches = evaluation_batches(model, X, y, batch_size, sample_weight)
    return evaluation_means(model, evaluation_sums(model, batches.epoch()))


def evaluation_sums(model: Supervised, batches: Iterable[Batch]) -> Array:
    """Return the total weight of ``batches``, and the weighted sums of data loss and accuracy."""
    total_weight = data_loss = correct = 0.0
    for batch in batches:
        total_weight += batch.total_weight
        for X, y, sample_weight, _ in batch.micro_batches():
            loss, outputs = model.loss_and_outputs(X, y, False, sample_weight=sample_weight)
            data_loss += batch.total_weight * loss
            if model.accuracy is not None:
                accuracy = model.accuracy_of(outputs, y, sample_weight=sample_weight)
                correct += batch.total_weight * accuracy
    return np.array([total_weight, data_loss, correct])


def evaluation_means(model: Supervised, sums: Array) -> tuple[float, float | None]:
    """Return the mean data loss, and the accuracy if ``model`` has one, of ``evaluation_sums``."""
    total_weight, data_loss, correct = map(float, sums)
    return data_loss / total_weight, None if model.accuracy is None else correct / total_weight


def _compact(output: Array) -> Array:
    """Return ``output``, or a copy if it is part of a larger array, which it would keep alive."""
    whole = output.base
    return output.copy() if isinstance(whole, np.ndarray) and whole.size > output.size else output
