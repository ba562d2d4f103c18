"""A Model inside an operation of one's own, and the outputs that a Model stores."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from framework import (
    CategoricalCrossentropy,
    Container,
    Dense,
    MeanSquaredError,
    Model,
    Sequential,
    Softmax,
    Tanh,
    check_gradients,
)
from optimizers import SGD
from optimizers.arrays import Array

X, OTHER = np.random.default_rng(0).normal(size=(2, 5, 2))
CLASSES = np.arange(5) % 3


def classifier() -> Model:
    model = Model([Dense(2, 3), Softmax()], dtype="float64")
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    return model


def test_forward_stores_the_outputs_that_it_returns() -> None:
    model = classifier()
    outputs = model.forward(X)
    assert model.output is outputs
    scores = np.exp(X @ model.layers[0].weights + model.layers[0].biases)
    np.testing.assert_allclose(outputs, scores / scores.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    "verb",
    [
        lambda model: model.predict(OTHER),
        lambda model: model.predict_classes(OTHER),
        lambda model: model.evaluate(OTHER, CLASSES),
        lambda model: model.outputs_of(OTHER),
        lambda model: model.check_data(OTHER, CLASSES),
        lambda model: model.diagnose(OTHER, CLASSES),
    ],
)
@pytest.mark.parametrize(
    "way", [lambda model: model.forward(X), lambda model: model.calculate_loss(X, CLASSES)]
)
def test_using_a_model_leaves_the_outputs_of_a_loop_by_hand_alone(
    way: Callable[[Model], Any], verb: Callable[[Model], Any]
) -> None:
    model = classifier()
    way(model)
    outputs, values = model.output, model.output.copy()
    verb(model)
    assert model.output is outputs
    np.testing.assert_array_equal(outputs, values)


class Twice(Container):
    """An operation of the user's own: output = 2 · inner(inputs)."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> dict[str, Any]:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Array:
        self.output = 2 * self.inner.forward_inside(inputs, training)
        return self.output

    def backward(self, dvalues: Any) -> Array:
        self.dinputs: Array = self.inner.backward_inside(2 * dvalues)
        return self.dinputs


@pytest.mark.parametrize("kind", [Model, Sequential])
def test_a_model_runs_inside_an_operation_of_ones_own(kind: Any) -> None:
    dense = Dense(2, 3, dtype="float64")
    inner = kind([dense, Tanh()])
    if kind is Model:  # its own loss has no part in it
        inner.set(loss=CategoricalCrossentropy())
        inner.finalize()
    own = Twice(inner)
    output = own.forward(X)
    activations = np.tanh(X @ dense.weights + dense.biases)
    np.testing.assert_allclose(output, 2 * activations)
    np.testing.assert_allclose(inner.output, activations)
    own.backward(np.ones((5, 3)))
    gradient = 2 * (1 - activations**2)
    np.testing.assert_allclose(dense.dweights, X.T @ gradient)
    np.testing.assert_allclose(own.dinputs, gradient @ dense.weights.T)
    assert inner.dinputs is own.dinputs

    model = Model([own, Dense(3, 1)], dtype="float64")
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    assert check_gradients(model, X, np.ones((5, 1))).passed
    before = dense.weights.copy()
    model.train(X, np.ones((5, 1)), validation_data=(X, np.ones((5, 1))), progress=False)
    assert not np.array_equal(dense.weights, before)
