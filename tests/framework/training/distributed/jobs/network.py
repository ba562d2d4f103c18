"""A network, its data and what the scenarios of several ranks share."""

from collections.abc import Callable
from typing import Any

import numpy as np

import framework
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    History,
    Model,
    ReLU,
    Softmax,
    Training,
)
from optimizers import Adam

generator = np.random.default_rng(0)
X, y = generator.normal(size=(60, 6)), generator.integers(0, 3, 60)
weights = generator.random(60) + 0.1


def classifier(*hidden: Any, optimizer: Any = None) -> Model:
    framework.seed(0)
    layers = [Dense(6, 16), *hidden, ReLU(), Dense(16, 3), Softmax()]
    model = Model(layers, dtype="float64")
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=optimizer or Adam(0.01),
        accuracy=CategoricalAccuracy(),
    )
    model.finalize()
    return model


def message_of(action: Callable[[], Any]) -> str:
    """The error that ``action`` raises on this rank, as text."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


def refused(together: Any, inputs: Any = X, **options: Any) -> str:
    options |= {"progress": False, "communicator": together}
    return message_of(lambda: classifier().train(inputs, y, **options))


class Doing(Callback):
    """Does something once, after a batch."""

    def __init__(self, action: Callable[[Training], Any], batch: int) -> None:
        self.action, self.batch = action, batch

    def on_batch_end(self, training: Training) -> None:
        if training.batch == self.batch and training.epoch == 1:
            self.action(training)


def end(model: Model, history: History) -> dict[str, Any]:
    return {
        "stopped": history.stopped,
        "epochs": len(history),
        "steps": model.optimizer.iterations,
        "parameters": model.parameters.weights.tolist(),
    }
