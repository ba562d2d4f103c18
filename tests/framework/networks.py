"""A small network and its data, for tests of many packages."""

from typing import Any

from datasets import spiral_data
from framework import CategoricalAccuracy, CategoricalCrossentropy, Dense, Model, ReLU, Softmax
from optimizers import SGD

X, y = spiral_data(20, 3, seed=0)


def classifier(*, finalize: bool = True, **settings: Any) -> Model:
    model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    usual = {
        "loss": CategoricalCrossentropy(),
        "optimizer": SGD(0.1),
        "accuracy": CategoricalAccuracy(),
    }
    model.set(**{**usual, **settings})
    if finalize:
        model.finalize()
    return model
