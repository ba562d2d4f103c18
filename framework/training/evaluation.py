"""A model on data that it does not learn from: its outputs, its loss and its accuracy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.containers.supervised import Supervised
from framework.data.batches import Batch, Samples, Stream
from framework.data.checks import check_inputs, check_weighted_data
from framework.data.micro_batches import MOST_SAMPLES, samples_at_once
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
        return evaluate_batches(model, Stream(model, X).epoch())
    X, y, weights = check_weighted_data(model, X, y, sample_weight)
    size = _batch_size(model, X, batch_size)
    return evaluate_batches(model, Samples(X, y, weights, batch_size=size).epoch())


def evaluate_batches(model: Supervised, batches: Iterable[Batch]) -> tuple[float, float | None]:
    """Return the mean data loss and the accuracy on batches that have been checked."""
    loss = right = total = 0.0
    for batch in batches:
        total += batch.amount
        for X, y, weight, _ in batch.parts():
            batch_loss, outputs = model.loss_and_outputs(X, y, False, sample_weight=weight)
            loss += batch.amount * batch_loss
            if model.accuracy is not None:
                right += batch.amount * model.accuracy_of(outputs, y, sample_weight=weight)
    return loss / total, None if model.accuracy is None else right / total


def evaluated_at_once(model: Supervised, sample: Array) -> int:
    """Return how many samples like ``sample`` to evaluate at once."""
    return samples_at_once(model.leaf_outputs(sample), sample)


def _batch_size(model: Supervised, X: Array, batch_size: int | None) -> int:
    if batch_size is not None:
        return check_count("batch_size", batch_size)
    return len(X) if len(X) <= MOST_SAMPLES else evaluated_at_once(model, X[:1])


def _kept(output: Array) -> Array:
    """Return ``output``, or a copy if it is part of a larger array, which it would keep alive."""
    whole = output.base
    return output.copy() if isinstance(whole, np.ndarray) and whole.size > output.size else output
