"""Data, and small estimators that learn from them."""

from typing import Any

import numpy as np
import pytest

from optimizers.schedules import CosineDecay

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
from framework.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor

generator = np.random.default_rng(0)


X = generator.normal(size=(90, 4))
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0] + 0.3 * generator.normal(size=90)
LABELS = np.array(["low", "middle", "top"])[np.digitize(NUMBERS, [-1, 1])]
WEIGHTS = generator.integers(0, 4, size=90)


# What trains a network without hidden layers to the optimum of its convex loss.
TO_THE_OPTIMUM: dict[str, Any] = {
    "hidden_layer_sizes": (),
    "learning_rate": CosineDecay(0.1, 2000),
    "batch_size": None,
    "epochs": 2000,
    "random_state": 0,
}


def classifier(**arguments: Any) -> NeuralNetworkClassifier:
    return NeuralNetworkClassifier(**{"epochs": 5, "random_state": 0, **arguments})


def regressor(**arguments: Any) -> NeuralNetworkRegressor:
    return NeuralNetworkRegressor(**{"epochs": 5, "random_state": 0, **arguments})


def parameters_of(network: Any) -> np.ndarray:
    return network.model_.parameters.weights.copy()
