"""scikit-learn."""

import warnings
from typing import Any

import numpy as np

from benchmarks.workloads import EPSILON, LEARNING_RATE, Array, Workload


class ScikitLearn:
    """scikit-learn's ``MLPClassifier``, an epoch for each ``partial_fit``."""

    name = "scikit-learn"
    package = "sklearn"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        from sklearn.neural_network import MLPClassifier

        self.X, self.y = X, y
        self.model: Any = MLPClassifier(
            workload.sizes[1:-1],
            batch_size=workload.batch_size,
            learning_rate_init=LEARNING_RATE,
            epsilon=EPSILON,
            alpha=0.0,
            max_iter=1,
            warm_start=True,
        )
        self._quietly(self.model.fit, X[: 2 * workload.batch_size], y[: 2 * workload.batch_size])
        self.model.coefs_ = workload.weights()
        self.model.intercepts_ = [np.zeros(w.shape[1], np.float32) for w in self.model.coefs_]
        self.started = False

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        self.model.set_params(shuffle=shuffle)
        for _ in range(epochs):
            # fit, with warm_start, begins with these weights and a new Adam.
            self._quietly(
                self.model.partial_fit if self.started else self.model.fit, self.X, self.y
            )
            self.started = True
        return float(self.model.loss_)

    def predict(self, X: Array) -> Any:
        return self.model.predict_proba(X)

    def _quietly(self, fit: Any, X: Array, y: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an epoch is not enough to converge
            fit(X, y)
