"""Loss and accuracy on validation or test data."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from framework.data.batches import Batch
from framework.operation import Array

if TYPE_CHECKING:
    from framework.model import Model


def evaluation_sums(model: "Model", batches: Iterable[Batch]) -> Array:
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


def evaluation_means(model: "Model", sums: Array) -> tuple[float, float | None]:
    """Return the mean data loss, and the accuracy if ``model`` has one, of ``evaluation_sums``."""
    total_weight, data_loss, correct = map(float, sums)
    return data_loss / total_weight, None if model.accuracy is None else correct / total_weight
