"""The estimator's scores on validation samples, epoch by epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from framework.estimators.sparse import predicted
from framework.training.state import Callback, Training
from optimizers.arrays import Array


class ValidationScores(Callback):
    """Records the estimator's score on validation samples after each epoch.

    It is NaN if an output is not finite.
    """

    def __init__(self, estimator: Any, X: Any, y: Array, sample_weight: Array | None) -> None:
        self.estimator, self.X, self.y, self.sample_weight = estimator, X, y, sample_weight
        self.scores: list[float] = []

    def on_epoch_end(self, training: Training) -> None:
        outputs, score = predicted(training.model, self.X), math.nan
        if np.isfinite(outputs).all():
            predictions = self.estimator._decode(outputs)
            score = self.estimator._metric(self.y, predictions, sample_weight=self.sample_weight)
        self.scores.append(float(score))
