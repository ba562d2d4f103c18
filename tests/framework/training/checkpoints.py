"""A network, its data, and trainings that are stopped and resumed, for tests of checkpoints."""

import copy
import signal
from collections.abc import Callable
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    History,
    Model,
    Operation,
    ReLU,
    Softmax,
    Training,
)
from framework.metrics import f1
from optimizers import Adam, Optimizer, schedules
from tests.strategies import Array

generator = np.random.default_rng(0)
X = generator.normal(size=(50, 2))
y = (X[:, 0] * X[:, 1] > 0) + (X[:, 0] > 1)
WEIGHTS = generator.uniform(0.5, 2, size=50)
X_val = generator.normal(size=(20, 2))
y_val = (X_val[:, 0] * X_val[:, 1] > 0) + (X_val[:, 0] > 1)


class Jitter(Operation):
    """Draws from NumPy's global generator, as an operation of one's own may."""

    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.factors = np.random.normal(1, 0.1, inputs.shape) if training else 1.0
        self.output = inputs * self.factors
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues * self.factors
        return self.dinputs


def classifier(optimizer: Optimizer | None = None, *, width: int = 6) -> Model:
    framework.seed(5)
    np.random.seed(5)
    model = Model(
        [
            *(Dense(2, width, weight_regularizer_l2=0.01), BatchNormalization(width), ReLU()),
            *(Dropout(0.3), Jitter(), Dense(width, 3), Softmax()),
        ]
    )
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=copy.deepcopy(optimizer) or Adam(schedules.CosineDecay(0.05, steps=30)),
        accuracy=CategoricalAccuracy(),
        metrics={"f1": f1},
    )
    model.finalize()
    return model


def run(model: Model, epochs: int = 6, **options: Any) -> History:
    usual: dict[str, Any] = {
        "batch_size": 16,
        "validation_data": (X_val, y_val),
        "sample_weight": WEIGHTS,
        "progress": False,
    }
    return model.train(X, y, epochs=epochs, **{**usual, **options})


def assert_same(model: Model, history: History, other: Model, other_history: History) -> None:
    for one, array in zip(model.stored_arrays(), other.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array, strict=True)
    for name in set(History.names()) - {"seconds"}:
        assert getattr(history, name) == getattr(other_history, name), name
    assert history.metrics == other_history.metrics
    assert history.stopped == other_history.stopped
    assert len(history.seconds) == len(history)


class StopAt(Callback):
    def __init__(self, epoch: int, batch: int, how: Callable[[Training], None]) -> None:
        self.epoch, self.batch, self.how = epoch, batch, how

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == (self.epoch, self.batch):
            self.how(training)


class Killed(Exception):
    pass


def ctrl_c(training: Training) -> None:
    signal.raise_signal(signal.SIGINT)


def ask(training: Training) -> None:
    training.stop("enough for now")


def kill(training: Training) -> None:
    raise Killed


class Halves(Callback):
    """Changes arguments of the model's parts, each in another epoch."""

    def on_epoch_end(self, training: Training) -> None:
        model = training.model
        if training.epoch == 1:
            model.optimizer.learning_rate.initial *= 0.5
        elif training.epoch == 3:
            model.optimizer.learning_rate = 0.01
            model.layers[3].rate = 0.1
        elif training.epoch == 5:
            model.layers[0].weight_regularizer_l2 = 0.0
