"""Optimizers of the book, and the state that they show on layers."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import framework
import optimizers
from framework import nnfs_book as book


@pytest.mark.parametrize(
    ("name", "arguments", "defaults", "memory"),
    [
        ("SGD", {}, {"learning_rate": 1.0, "decay": 0.0, "momentum": 0.0}, set()),
        ("SGD", {"momentum": 0.9}, {}, {"momentums"}),
        ("Adagrad", {}, {"learning_rate": 1.0, "decay": 0.0, "epsilon": 1e-7}, {"cache"}),
        ("RMSprop", {}, {"learning_rate": 0.001, "decay": 0.0, "rho": 0.9}, {"cache"}),
        (
            "Adam",
            {},
            {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999},
            {"momentums", "cache"},
        ),
    ],
)
def test_optimizers_have_the_defaults_of_the_book_and_show_what_they_remember(
    name: str, arguments: Any, defaults: Any, memory: set[str]
) -> None:
    optimizer = getattr(book, f"Optimizer_{name}")(**arguments)
    assert {key: getattr(optimizer, key) for key in defaults} == defaults
    assert optimizer.current_learning_rate == optimizer.learning_rate
    layer = book.Layer_Dense(2, 3)
    layer.forward([[1.0, 2.0]])
    layer.backward([[1.0, 2.0, 3.0]])
    optimizer.pre_update_params()
    optimizer.update_params(layer)
    optimizer.post_update_params()
    assert optimizer.iterations == 1
    for owner, parameter in (("weight", layer.weights), ("bias", layer.biases)):
        for kind in ("momentums", "cache"):
            shown = getattr(layer, f"{owner}_{kind}", None)
            assert (shown is not None) == (kind in memory)
            if shown is not None:
                assert shown.shape == parameter.shape
                assert shown.all()


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
def test_a_layer_of_the_book_is_updated_like_any_other(name: str) -> None:
    layer = book.Layer_Dense(4, 3, 0.1, 0.1, 0.1, 0.1)
    other = framework.Dense(
        4,
        3,
        weight_regularizer_l1=0.1,
        weight_regularizer_l2=0.1,
        bias_regularizer_l1=0.1,
        bias_regularizer_l2=0.1,
    )
    other.weights = layer.weights
    arguments = {"decay": 1e-2, **({"momentum": 0.5} if name == "SGD" else {})}
    pairs = (
        (getattr(book, f"Optimizer_{name}")(**arguments), layer),
        (getattr(optimizers, name)(**arguments), other),
    )
    for _ in range(3):
        inputs, dvalues = np.random.normal(size=(5, 4)), np.random.normal(size=(5, 3))
        for optimizer, trained in pairs:
            trained.forward(inputs)
            trained.backward(dvalues)
            optimizer.pre_update_params()
            optimizer.update_params(trained)
            optimizer.post_update_params()
    assert_array_equal(layer.weights, other.weights)
    assert_array_equal(layer.biases, other.biases)


def sgd(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["m"] = 0.9 * memory.get("m", 0 * p) - rate * d
    p += memory["m"]


def adagrad(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["c"] = memory.get("c", 0 * p) + d**2
    p += -rate * d / (np.sqrt(memory["c"]) + 1e-7)


def rmsprop(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["c"] = 0.9 * memory.get("c", 0 * p) + (1 - 0.9) * d**2
    p += -rate * d / (np.sqrt(memory["c"]) + 1e-7)


def adam(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["m"] = 0.9 * memory.get("m", 0 * p) + (1 - 0.9) * d
    memory["c"] = 0.999 * memory.get("c", 0 * p) + (1 - 0.999) * d**2
    momentum, cache = memory["m"] / (1 - 0.9**t), memory["c"] / (1 - 0.999**t)
    p += -rate * momentum / (np.sqrt(cache) + 1e-7)


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (book.Optimizer_SGD(0.1, momentum=0.9), sgd),
        (book.Optimizer_Adagrad(0.1), adagrad),
        (book.Optimizer_RMSprop(0.1), rmsprop),
        (book.Optimizer_Adam(0.1), adam),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_optimizers_round_where_the_formulas_of_the_book_do(optimizer: Any, formula: Any) -> None:
    layer = book.Layer_Dense(5, 4)
    layer.weights = np.random.normal(size=(5, 4))
    expected, memory = layer.weights.copy(), {}
    for step in range(20):
        layer.dweights = np.random.normal(size=(5, 4))
        optimizer.update_params(layer)
        optimizer.post_update_params()
        formula(expected, layer.dweights, 0.1, step + 1, memory)
        assert_array_equal(layer.weights, expected)


def test_the_rate_is_printed_with_every_digit_of_the_book() -> None:
    optimizer = book.Optimizer_Adam(learning_rate=0.05, decay=5e-7)
    optimizer.iterations = 99
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 0.04999752512250644


def test_gradients_of_a_layer_are_clipped_to_their_norm() -> None:
    layer = book.Layer_Dense(4, 3)
    layer.weights = np.zeros((4, 3))
    layer.forward(np.ones((5, 4)))
    layer.backward(np.ones((5, 3)))
    book.Optimizer_SGD(learning_rate=1.0, max_gradient_norm=0.5).update_params(layer)
    assert np.linalg.norm([*layer.weights.ravel(), *layer.biases.ravel()]) == pytest.approx(0.5)


def test_a_layer_shows_what_the_optimizer_remembers_that_updated_it_last() -> None:
    layer = book.Layer_Dense(2, 3)
    layer.forward(np.ones((5, 2)))
    layer.backward(np.ones((5, 3)))
    for rate in (1.0, 0.5):
        optimizer = book.Optimizer_SGD(learning_rate=rate, momentum=0.9)
        optimizer.update_params(layer)
        assert_array_equal(layer.weight_momentums, -rate * layer.dweights)
        assert_array_equal(layer.bias_momentums, -rate * layer.dbiases)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_without_decay_the_current_rate_stays_what_a_reader_has_set(decay: float) -> None:
    optimizer = book.Optimizer_SGD(learning_rate=0.5, decay=decay)
    optimizer.current_learning_rate = 0.125
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == (0.5 if decay else 0.125)


def test_a_schedule_decides_the_rate_of_every_step() -> None:
    optimizer = book.Optimizer_SGD(learning_rate=lambda iterations: 1 / (1 + iterations))
    optimizer.iterations = 3
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 0.25


def test_arrays_of_a_layer_can_be_changed_in_place_assigned_and_copied() -> None:
    layer = book.Layer_Dense(2, 3)
    best = layer.weights.copy()
    layer.weights += 0.05 * np.random.randn(2, 3)
    layer.biases += 0.05 * np.random.randn(1, 3)
    assert (layer.forward([[0, 0]]) == layer.biases).all()
    layer.weights = best.copy()
    assert_array_equal(layer.weights, best)
    layer.set_parameters(*(1 + array for array in layer.get_parameters()))
    assert_array_equal(layer.weights, 1 + best)

    optimizer = book.Optimizer_SGD()
    layer.backward([[1, 1, 1]])
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        before = layer.weights.copy(), layer.biases.copy()
        optimizer.update_params(other)
        assert_array_equal(other.biases, layer.biases - 1)
        assert_array_equal((layer.weights, layer.biases)[0], before[0])
        assert_array_equal(layer.biases, before[1])


def test_layers_are_trained_by_hand_before_and_after_they_are_in_a_model() -> None:
    layer = book.Layer_Dense(1, 1)
    layer.weights = [[0.0]]
    optimizer = book.Optimizer_SGD(learning_rate=0.5)

    def step() -> None:
        layer.forward([[1.0]])
        layer.backward([[1.0]])
        optimizer.update_params(layer)

    step()
    model = book.Model()
    model.add(layer)
    model.finalize()
    step()
    assert layer.weights.item() == layer.biases.item() == -1
    assert_array_equal(model.parameters.weights, [-1, -1])
    assert model.predict([[2.0]]).item() == -3
