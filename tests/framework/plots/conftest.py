"""Data and a model for pictures; figures are closed after each test."""

from typing import Any

import matplotlib.pyplot as plt
import pytest

from datasets import spiral_data
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Softmax,
    Tanh,
)
from optimizers import Adam
from tests.framework.plots.support import Data


@pytest.fixture(autouse=True)
def closed_figures() -> Any:
    yield
    plt.close("all")


@pytest.fixture
def spiral() -> Data:
    return spiral_data(20, 3, seed=0)


@pytest.fixture
def model() -> Model:
    model = Model([Dense(2, 16), Tanh(), Dense(16, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=CategoricalAccuracy())
    model.finalize()
    return model
