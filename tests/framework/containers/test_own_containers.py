"""Operations inside an operation of one's own: trained in a Container, otherwise with a warning."""

import warnings
from typing import Any

import numpy as np
import pytest

from framework import Dense, MeanSquaredError, Model, Sequential, Tanh, check_gradients
from optimizers import SGD
from optimizers.arrays import Array
from tests.framework.containers.residual import Residual

X = np.random.default_rng(0).normal(size=(6, 2))


def regressor(*layers: Any) -> Model:
    model = Model(layers, dtype="float64")
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.5))
    model.finalize()
    return model


def test_the_operations_of_a_container_of_ones_own_are_trained_by_its_gradient() -> None:
    dense = Dense(2, 2, dtype="float64")
    model = regressor(Residual(dense))
    weights, biases = dense.weights.copy(), dense.biases.copy()
    model.train(X, np.zeros((6, 2)), batch_size=None, progress=False)
    outputs = X + X @ weights + biases
    gradient = 2 * outputs / outputs.size  # of mean(outputs²)
    np.testing.assert_allclose(dense.weights, weights - 0.5 * X.T @ gradient)
    np.testing.assert_allclose(dense.biases, biases - 0.5 * gradient.sum(axis=0, keepdims=True))
    assert check_gradients(model, X, np.zeros((6, 2))).passed


class Passing:
    """No container: it runs the operation that it holds."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def forward(self, inputs: Array) -> None:
        self.output = self.inner.forward(inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = self.inner.backward(dvalues)


class ListsVector(Passing):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        inner.finalize()

    parameters = property(lambda self: self.inner.parameters)


class TakesWeights(Passing):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        inner.finalize()
        self.weights, self.dweights = inner.parameters.weights, inner.parameters.dweights


class InList(Passing):
    def __init__(self, inner: Any) -> None:
        self.layers = [Tanh(), inner]

    @property
    def inner(self) -> Any:
        return self.layers[1]


class InDictionary(Passing):
    def __init__(self, inner: Any) -> None:
        self.parts = {"inner": inner}

    @property
    def inner(self) -> Any:
        return self.parts["inner"]


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        (Passing, "inner"),
        (ListsVector, "inner"),
        (TakesWeights, "inner"),
        (InList, "layers"),
        (InDictionary, "parts"),
    ],
)
def test_parameters_that_nothing_trains_are_warned_of_once(kind: Any, attribute: str) -> None:
    own = kind(Sequential([Dense(2, 2), Tanh()]))
    model = Model([Dense(2, 2), own])
    name = kind.__name__
    with pytest.warns(UserWarning) as shown:
        model.finalize()
    assert [str(warning.message) for warning in shown] == [
        "nothing trains Sequential([Dense(2, 2), Tanh()]), which is in the attribute "
        f"{attribute} of {name}(): derive {name} from framework.Container and return it from "
        "children()"
    ]
    assert shown[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.finalize()


def test_operations_without_parameters_and_those_of_the_network_are_not_warned_of() -> None:
    shared = Dense(2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model([Passing(Tanh()), shared, Passing(Sequential([Tanh()]))]).finalize()
        knowing = Passing(Tanh())
        knowing.next = shared  # type: ignore[attr-defined]
        Model([knowing, shared]).finalize()
