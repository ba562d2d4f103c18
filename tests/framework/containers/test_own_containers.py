"""Operations inside an operation of one's own: trained in a Container, otherwise with a warning."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from framework import Container, Dense, MeanSquaredError, Model, Sequential, Tanh, check_gradients
from optimizers import SGD
from optimizers.arrays import Array

X = np.random.default_rng(0).normal(size=(6, 2))


class Thrice(Container):
    """A container of the user's own: output = 3 · inner(inputs)."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> Mapping[str, Any]:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Array:
        self.output: Array = 3 * self.inner.forward(inputs, training)
        return self.output

    def backward(self, dvalues: Any) -> Array:
        self.dinputs: Array = self.inner.backward(3 * dvalues)
        return self.dinputs


def regressor(*layers: Any) -> Model:
    model = Model(layers, dtype="float64")
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.5))
    model.finalize()
    return model


def test_the_operations_of_a_container_of_ones_own_are_trained_by_its_gradient() -> None:
    dense = Dense(2, 2, dtype="float64")
    model = regressor(Thrice(dense))
    weights, biases = dense.weights.copy(), dense.biases.copy()
    model.train(X, np.zeros((6, 2)), batch_size=None, progress=False)
    outputs = 3 * (X @ weights + biases)
    gradient = 3 * 2 * outputs / outputs.size  # of mean(outputs²)
    np.testing.assert_allclose(dense.weights, weights - 0.5 * X.T @ gradient)
    np.testing.assert_allclose(dense.biases, biases - 0.5 * gradient.sum(axis=0, keepdims=True))
    report = check_gradients(model, X, np.zeros((6, 2)))
    assert report.passed
    assert "layers[0].inner.dweights" in [array.name for array in report.arrays]


def test_a_change_inside_a_container_of_ones_own_is_noticed() -> None:
    thrice = Thrice(Dense(2, 2))
    model = regressor(thrice)
    thrice.inner = Dense(2, 2)
    with pytest.raises(RuntimeError, match=r"operations changed, so call finalize\(\) again"):
        model.train(X, X, progress=False)


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
