"""A model on validation or test data: its outputs, its loss, its accuracy and its metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from framework.containers.supervised import Supervised
from framework.data.batches import Batch, Batches, BatchStream
from framework.data.checked_batches import evaluation_batches
from framework.data.checks import check_inputs
from framework.data.micro_batches import chosen_batch_size
from framework.metrics.metric import is_built_in, measured
from framework.utils.memory_maps import release_pages
from optimizers.arrays import Array


class Evaluation(tuple[float, float | None]):
    """The result of ``Model.evaluate``; it unpacks as ``loss, accuracy``.

    Attributes:
        loss: the mean data loss.
        accuracy: the accuracy, or None if the model has none.
        metrics: the number of each of the model's metrics, by name.
    """

    metrics: dict[str, float]

    def __new__(cls, loss: float, accuracy: float | None, metrics: dict[str, float]) -> Evaluation:
        found = super().__new__(cls, (loss, accuracy))
        found.metrics = metrics
        return found

    def __getnewargs__(self) -> tuple[float, float | None, dict[str, float]]:
        return (self.loss, self.accuracy, self.metrics)

    def __repr__(self) -> str:
        metrics = f", metrics={self.metrics}" if self.metrics else ""
        return f"Evaluation(loss={self.loss}, accuracy={self.accuracy}{metrics})"

    @property
    def loss(self) -> float:
        return self[0]

    @property
    def accuracy(self) -> float | None:
        return self[1]


class Results(NamedTuple):
    """The outputs for a batch, its targets and its weights, as metrics take them."""

    outputs: Array
    targets: Array
    sample_weight: Array | None


class EvaluationPass:
    """Goes through the batches of an evaluation once.

    Attributes:
        sums: the total weight, and the weighted sums of data loss and accuracy.
        results: those of each batch, which only metrics need, and which are not kept without.
    """

    def __init__(self, model: Supervised, batches: Iterable[Batch]) -> None:
        self.sums: Array = np.zeros(3)
        self.results: list[Results] = []
        for batch in batches:
            for X, y, sample_weight, _ in batch.micro_batches():
                loss, outputs = model.loss_and_outputs(X, y, False, sample_weight=sample_weight)
                accuracy = 0.0
                if model.accuracy is not None:
                    accuracy = model.accuracy_of(outputs, y, sample_weight=sample_weight)
                self.sums += batch.total_weight * np.array([1.0, loss, accuracy])
                if model.metrics:
                    self.results.append(Results(_compact(outputs), y, sample_weight))


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
) -> Evaluation:
    """Return the mean data loss, the accuracy and the metrics: see ``Model.evaluate``."""
    batches = evaluation_batches(model, X, y, batch_size, sample_weight)
    found = EvaluationPass(model, batches.epoch())
    return Evaluation(*means_of(model, found.sums), metrics_of(model, found.results))


def means_of(model: Supervised, sums: Array) -> tuple[float, float | None]:
    """Return the mean data loss, and the accuracy if ``model`` has one, of an evaluation."""
    total_weight, data_loss, correct = map(float, sums)
    return data_loss / total_weight, None if model.accuracy is None else correct / total_weight


def metrics_of(model: Supervised, results: Sequence[Results]) -> dict[str, float]:
    """Return the number of each metric of ``model`` for all ``results`` together.

    Raises TypeError for a metric that returns no number, and any error of a metric.
    """
    if not model.metrics:
        return {}
    outputs = np.concatenate([one.outputs for one in results])
    targets = np.concatenate([one.targets for one in results])
    weights = None
    if any(one.sample_weight is not None for one in results):
        weights = np.concatenate(
            [
                np.ones(len(one.outputs)) if one.sample_weight is None else one.sample_weight
                for one in results
            ]
        )
    return measured(model.metrics, outputs, targets, weights, model.known_of_outputs)


def check_built_in_metrics(model: Supervised, data: Batches) -> None:
    """Raise the error of a metric of this library that does not fit the first sample of ``data``.

    So it is known before the first epoch. Functions of the user's own are called after epochs only.
    """
    metrics = {name: one for name, one in model.metrics.items() if is_built_in(one)}
    if metrics:
        source = data.first.source if isinstance(data, BatchStream) else data
        X, y, _ = source.take(source.rows[:1])
        measured(metrics, model.outputs_of(X), y, None, model.known_of_outputs)


def _compact(output: Array) -> Array:
    """Return ``output``, or a copy if it is part of a larger array, which it would keep alive."""
    whole = output.base
    return output.copy() if isinstance(whole, np.ndarray) and whole.size > output.size else output
