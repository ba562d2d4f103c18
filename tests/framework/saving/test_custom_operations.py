"""Classes and functions of the user's own in a file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
import optimizers
from framework import (
    Dense,
    Loss,
    Model,
    ReLU,
    SavedFileError,
)
from tests.framework.saving.helpers import (
    Gain,
    Narrowing,
    finalized,
    there_and_back,
)
from tests.strategies import Array


class OwnLoss(Loss):
    def __init__(self, weights: Any, notes: Any = None) -> None:
        self.weights, self.notes = weights, notes

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return ((np.asarray(y_pred) - y_true) ** 2 * self.weights).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) * self.weights / np.size(y_pred)
        return self.dinputs

    def check_targets(self, y_true: Any, shape: tuple[int, ...]) -> Array:
        return np.asarray(y_true).reshape(shape)


class OwnOptimizer(optimizers.Optimizer):
    def update(self, parameter: Array, gradient: Array, state: Any) -> None:
        parameter -= self.current_learning_rate * np.sign(gradient)


class OwnAccuracy(framework.Accuracy):
    state = ("seen",)
    seen = None

    def init(self, y: Any, reinit: bool = False) -> None:
        self.seen = len(y)

    def compare(self, predictions: Any, y: Any) -> Any:
        return np.isclose(predictions, y)


class OwnSchedule:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, iterations: int) -> float:
        return self.rate


def own_initializer(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.full(shape, 0.25)


OWN = (
    Gain,
    Narrowing,
    OwnLoss,
    OwnOptimizer,
    OwnAccuracy,
    OwnSchedule,
    own_initializer,
)


def own_model() -> Model:
    notes = {"a": [1, None, (True, "text")], "b": np.float32(0.1), "c": np.dtype("int8")}
    return finalized(
        Dense(3, 3, weight_initializer=own_initializer),
        Gain(3, start=np.array([1.0, 2.0, 3.0])),
        Narrowing(3),
        loss=OwnLoss(np.array([[1, 2]], dtype=np.int16), notes),
        optimizer=OwnOptimizer(OwnSchedule(0.1)),
        accuracy=OwnAccuracy(),
    )


def test_the_users_classes_and_functions_come_back(tmp_path: Path) -> None:
    model, X = own_model(), np.random.default_rng(0).normal(size=(8, 3))
    model.train(X, X[:, :2], progress=False)
    loaded = there_and_back(model, tmp_path / "it", *OWN)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    assert [type(layer) for layer in loaded.layers] == [Dense, Gain, Narrowing]
    assert loaded.layers[0].weight_initializer is own_initializer
    np.testing.assert_array_equal(loaded.layers[1].start, [1, 2, 3])
    assert loaded.loss.weights.dtype == np.int16
    expected = {"a": [1, None, (True, "text")], "b": float(np.float32(0.1)), "c": "int8"}
    assert loaded.loss.notes == expected
    assert loaded.optimizer.learning_rate.rate == 0.1
    assert loaded.accuracy.seen == 8


@pytest.mark.parametrize("missing", OWN)
def test_a_class_or_function_that_is_not_passed_is_named(missing: Any, tmp_path: Path) -> None:
    own_model().save(tmp_path / "it")
    others = [thing for thing in OWN if thing is not missing]
    with pytest.raises(SavedFileError, match=f"'{missing.__name__}'.*custom_operations"):
        Model.load(tmp_path / "it", custom_operations=others)


def test_only_classes_and_functions_can_be_passed_and_each_name_once(tmp_path: Path) -> None:
    own_model().save(tmp_path / "it")
    with pytest.raises(TypeError, match="must be classes and functions, received 'Gain'"):
        Model.load(tmp_path / "it", custom_operations=["Gain"])
    other = type("Gain", (), {})
    with pytest.raises(ValueError, match="two of the name Gain"):
        Model.load(tmp_path / "it", custom_operations=[Gain, other])
    with pytest.raises(SavedFileError, match="'own_initializer'|cannot|callable|must be"):
        pretender = type("own_initializer", (), {})
        Model.load(tmp_path / "it", custom_operations=[*OWN[:-1], pretender])


class Forgetful(ReLU):
    def __init__(self, strength: float) -> None:
        pass


class Anything(ReLU):
    def __init__(self, **anything: Any) -> None:
        pass


class Around(ReLU):
    def __init__(self, inner: Any) -> None:
        self.inner = inner


@pytest.mark.filterwarnings("ignore:nothing trains Dense")
@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Forgetful(1.0), "operations.0: .*keep every constructor argument.*strength"),
        (Anything(a=1), r"operations.0: .*takes \* or \*\*"),
        (Around(Dense(2, 2)), r"operations.0.inner: Dense\(2, 2\) cannot be saved"),
        (Around(ReLU), "operations.0.inner: .*ReLU.* cannot be saved"),
        (Around([Path("a")]), "operations.0.inner.0: .*'a'.* cannot be saved"),
        (Around({1, 2}), "operations.0.inner: {1, 2} cannot be saved"),
        (Around({1: 2}), "operations.0.inner: {1: 2} cannot be saved"),
        (Around(1j), "operations.0.inner: 1j cannot be saved"),
        (Around(np.array(["text"])), "operations.0.inner: .* cannot be saved"),
        (Around(lambda: 0), "operations.0.inner: .* has no name: use def"),
    ],
)
def test_an_argument_that_cannot_be_saved_is_named_and_nothing_is_written(
    operation: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=message):
        finalized(operation).save(tmp_path / "it")
    assert os.listdir(tmp_path) == []


def test_two_classes_of_one_name_cannot_be_saved_together(tmp_path: Path) -> None:
    other = type("Gain", (ReLU,), {"__module__": "elsewhere"})
    with pytest.raises(TypeError, match="cannot be saved beside another Gain"):
        finalized(Gain(2), other()).save(tmp_path / "it")
