"""dinputs, plain and accelerated."""

import warnings
from typing import Any, ClassVar

import framework
from benchmarks.workloads import EPSILON, LEARNING_RATE, Array, Workload
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Operation,
    ReLU,
    Softmax,
)
from optimizers import Adam


class Plain:
    """``Model.train`` in plain NumPy, accuracy and history included."""

    name = "dinputs"
    package = "framework"
    accelerated: ClassVar[bool | None] = None

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        framework.seed(0)
        self.X, self.y, self.batch_size = X, y, workload.batch_size
        operations: list[Operation] = []
        for weights in workload.weights():
            layer = Dense(*weights.shape)
            layer.weights = weights
            operations += [layer, ReLU()]
        self.model = Model([*operations[:-1], Softmax()])
        self.model.set(
            loss=CategoricalCrossentropy(),
            optimizer=Adam(LEARNING_RATE, epsilon=EPSILON),
            accuracy=CategoricalAccuracy(),
        )
        self.model.finalize(accelerated=self.accelerated)

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = self.model.train(
                self.X,
                self.y,
                epochs=epochs,
                batch_size=self.batch_size,
                shuffle=shuffle,
                progress=False,
            )
        return history.loss[-1]

    def predict(self, X: Array) -> Any:
        return self.model.predict(X)


class Accelerated(Plain):
    """``Model.train`` after ``finalize(accelerated=True)``."""

    name = "dinputs accelerated"
    package = "numba"
    accelerated = True
