"""A Sequential is an operation made of operations, at any depth."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    ReLU,
    Sequential,
    Softmax,
    Tanh,
    check_gradients,
)
from optimizers import SGD, Adam
from optimizers.arrays import Array


def operations() -> list[Any]:
    framework.seed(3)
    return [Dense(2, 8), BatchNormalization(8), ReLU(), Dropout(0.1), Dense(8, 3), Softmax()]


def flat() -> list[Any]:
    return operations()


def nested() -> list[Any]:
    first, normalization, relu, dropout, *last = operations()
    return [Sequential([first, Sequential([normalization, relu]), dropout]), *last]


def models_inside() -> list[Any]:
    first, normalization, *others = operations()
    inner = Model([first, normalization])
    inner.finalize()
    return [inner, *others]


@pytest.mark.parametrize("arrangement", [nested, models_inside])
def test_nested_operations_train_as_they_do_in_a_row(
    arrangement: Callable[[], list[Any]],
) -> None:
    X, y = spiral_data(samples=30, classes=3, seed=0)
    found = []
    for arranged in (flat, arrangement):
        model = Model(arranged())
        model.set(
            loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=CategoricalAccuracy()
        )
        model.finalize()
        framework.seed(5)
        history = model.train(X, y, epochs=3, progress=False)
        found.append((history.loss, model.predict(X), model.get_parameters()))
    (loss, outputs, parameters), (other_loss, other_outputs, other_parameters) = found
    assert loss == other_loss
    assert np.array_equal(outputs, other_outputs)
    for arrays, others in zip(parameters, other_parameters, strict=True):
        assert all(map(np.array_equal, arrays, others))


class Doubling(Sequential):
    def forward(self, inputs: Any, training: bool = True) -> Array:
        self.output = 2 * super().forward(inputs, training)
        return self.output

    def backward(self, dvalues: Any) -> Array:
        return super().backward(2 * np.asarray(dvalues))


def test_a_class_with_a_forward_of_its_own_keeps_it_inside_another() -> None:
    inner = Doubling([Tanh()])
    inputs = np.array([[0.5, -1.0]])
    assert np.allclose(Sequential([inner]).forward(inputs), 2 * np.tanh(inputs))
    assert check_gradients(Sequential([Dense(2, 2), inner]), inputs).passed


def test_it_is_the_chain_rule() -> None:
    dense1, tanh, dense2 = Dense(3, 4, dtype="float64"), Tanh(), Dense(4, 2, dtype="float64")
    inputs, dvalues = np.random.default_rng(0).normal(size=(2, 5, 3))
    dvalues = dvalues[:, :2]
    network = Sequential([dense1, Sequential([tanh, dense2])])
    output = network.forward(inputs)
    activations = np.tanh(inputs @ dense1.weights + dense1.biases)
    assert np.allclose(output, activations @ dense2.weights + dense2.biases, atol=1e-12)
    assert network.output is output
    dinputs = network.backward(dvalues)
    inner = dvalues @ dense2.weights.T * (1 - activations**2)
    assert np.allclose(dinputs, inner @ dense1.weights.T, atol=1e-12)
    assert np.allclose(dense1.dweights, inputs.T @ inner, atol=1e-12)
    assert network.dinputs is dinputs


def test_its_gradients_are_checked_as_those_of_one_operation() -> None:
    network = Sequential([Dense(3, 4), Sequential([Tanh(), Dense(4, 2)])])
    report = check_gradients(network, np.random.default_rng(0).normal(size=(5, 3)))
    assert report.passed


def test_an_optimizer_updates_all_its_parameters_in_one_call() -> None:
    inner = Sequential([Dense(2, 4), Tanh()])
    network = Sequential([inner, Dense(4, 1)])
    network.finalize()
    before = [array.copy() for arrays in network.get_parameters() for array in arrays]
    network.forward(np.ones((3, 2)))
    network.backward(np.ones((3, 1)))
    gradients = [inner.layers[0].dweights, inner.layers[0].dbiases]
    gradients += [network.layers[1].dweights, network.layers[1].dbiases]
    expected = [array - 0.1 * gradient for array, gradient in zip(before, gradients, strict=True)]
    SGD(0.1).update_params(network)
    found = [array for arrays in network.get_parameters() for array in arrays]
    assert all(np.allclose(a, b, atol=1e-7) for a, b in zip(found, expected, strict=True))


def test_a_sequential_finalized_before_it_is_put_into_a_model_follows_it() -> None:
    inner = Sequential([Dense(2, 4), Tanh()])
    inner.finalize()
    model = Model([inner, Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.5))
    model.finalize()
    X, y = spiral_data(samples=10, classes=3, seed=0)
    before = inner.parameters.weights.copy()
    model.train(X, y, progress=False)
    assert not np.array_equal(inner.parameters.weights, before)
    assert np.array_equal(inner.parameters.weights[:8].reshape(2, 4), inner.layers[0].weights)
    assert np.array_equal(model.parameters.weights[:12], inner.parameters.weights)


def test_one_finalized_before_computes_in_the_dtype_of_the_network_that_it_is_put_into() -> None:
    inner = Sequential([Dense(2, 4), Tanh()])
    inner.finalize()
    network = Sequential([Doubling([inner]), Dense(4, 3)], dtype="float64")
    network.finalize()
    inputs = np.random.default_rng(0).normal(size=(5, 2))
    dense, last = inner.layers[0], network.layers[1]
    hidden = 2 * np.tanh(inputs @ dense.weights + dense.biases)
    expected = hidden @ last.weights + last.biases
    np.testing.assert_allclose(network.forward(inputs), expected, rtol=1e-13)
    assert inner.output.dtype == np.float64


class Doubled:
    """An operation of the user's own that contains another one."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.parameters = ("weights",)
        inner.finalize()

    @property
    def weights(self) -> Array:
        weights: Array = self.inner.parameters.weights
        return weights

    def forward(self, inputs: Array) -> None:
        self.output = 2 * self.inner.forward(inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = self.inner.backward(2 * dvalues)
        self.dweights = self.inner.parameters.dweights


def test_it_can_be_part_of_an_operation_of_ones_own() -> None:
    inner = Sequential([Dense(2, 3, dtype="float64"), Tanh()])
    own = Doubled(inner)
    inputs = np.random.default_rng(0).normal(size=(4, 2))
    own.forward(inputs)
    own.backward(np.ones((4, 3)))
    expected = 2 * np.tanh(inputs @ inner.layers[0].weights + inner.layers[0].biases)
    assert np.allclose(own.output, expected)
    before = inner.layers[0].weights.copy()
    SGD(1.0).update_params(own)
    assert np.allclose(inner.layers[0].weights, before - inner.layers[0].dweights)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Sequential([Dense(2, 8), ReLU()]), Dense(4, 3)],
            r"Dense\(4, 3\) expects .* received \(samples, 8\): the operation before it, "
            r"Sequential\(\[Dense\(2, 8\), ReLU\(\)\]\), gives 8 values",
        ),
        (
            [Dense(2, 8), Sequential([Dense(4, 3)])],
            r"Dense\(4, 3\) expects .* received \(samples, 8\): the operation before it, "
            r"Dense\(2, 8\), gives 8 values",
        ),
        (
            [Sequential([Dense(2, 8), Dense(4, 3)])],
            r"Dense\(4, 3\) expects .*: the operation before it, Dense\(2, 8\), gives 8",
        ),
    ],
)
def test_neighbours_that_do_not_fit_are_named_across_containers(
    layers: list[Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Sequential(layers).finalize()


def test_an_operation_cannot_stand_in_two_places() -> None:
    shared = Dense(2, 2)
    network = Sequential([Dense(2, 2), Sequential([ReLU(), shared])])
    with pytest.raises(ValueError, match=r"is already operation 2\.2 of the sequential"):
        network.add(Sequential([shared]))


def test_operations_added_after_finalize_ask_for_it_again() -> None:
    network = Sequential([Dense(2, 2)])
    network.finalize()
    network.add(ReLU())
    with pytest.raises(RuntimeError, match=r"operations changed, so call finalize\(\) again"):
        network.parameters  # noqa: B018


def test_parameters_go_from_one_to_another() -> None:
    one, other = (Sequential([Sequential([Dense(2, 3)]), Dense(3, 1)]) for _ in range(2))
    other.set_parameters(one.get_parameters())
    inputs = np.ones((2, 2))
    assert np.array_equal(one.forward(inputs), other.forward(inputs))
    with pytest.raises(ValueError, match="has 2 operations with parameters, received .* for 1"):
        other.set_parameters(one.get_parameters()[:1])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_are_independent(copied: Callable[[Any], Any]) -> None:
    network = Sequential([Sequential([Dense(2, 3)]), Dense(3, 1)])
    network.finalize()
    other = copied(network)
    other.parameters.weights[...] = 0.0
    assert not other.forward(np.ones((1, 2))).any()
    assert network.forward(np.ones((1, 2))).any()


def test_a_summary_shows_what_is_inside(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model([Sequential([Dense(2, 8), ReLU()]), Dense(8, 3), Softmax()])
    model.summary()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[2][0] == "Sequential" and lines[2][-1] == "24"
    assert lines[3][:2] == ["Dense(2,", "8)"] and lines[3][-1] == "24"
    assert lines[-1] == ["Total", "51"]


def test_none_is_empty() -> None:
    with pytest.raises(ValueError, match="the sequential has no operations"):
        Sequential().finalize()
