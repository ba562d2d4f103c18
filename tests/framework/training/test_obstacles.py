"""Warnings of a training that cannot learn."""

import importlib.util
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Container,
    Dense,
    Dropout,
    Linear,
    Model,
    Operation,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
)
from optimizers import SGD, Adam, Optimizer
from optimizers.schedules import CosineDecay
from tests.framework.training.classifiers import X, classifier, y

ACCELERATED = [False, *[True] * (importlib.util.find_spec("numba") is not None)]


def warnings_of(model: Model, targets: Any = y, **arguments: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.train(X, targets, progress=False, **arguments)
    assert all(warning.filename == __file__ for warning in caught), "they name the user's line"
    return [str(warning.message) for warning in caught]


def model_of(*operations: Any, loss: Any = None, accelerated: bool = False) -> Model:
    model = Model(operations)
    model.set(loss=loss or CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize(accelerated=accelerated)
    return model


class Rebinds(Optimizer):
    def update(self, parameter: Any, gradient: Any, state: Any) -> None:
        parameter = parameter - self.current_learning_rate * gradient


class Waits(SGD):
    """Begins with a rate of 0."""

    def pre_update_params(self) -> None:
        super().pre_update_params()
        if self.iterations < 100:
            self.current_learning_rate = 0.0


def test_an_update_that_rebinds_is_told_once_with_the_remedy() -> None:
    model = classifier(optimizer=Rebinds(0.1))
    (message,) = warnings_of(model, epochs=3)
    assert "2 updates of Rebinds(0.1) have not changed any parameter" in message
    assert "parameter -= step" in message


@pytest.mark.parametrize(
    "optimizer", [SGD(1e-20), Waits(0.1), Adam(CosineDecay(0.01, 100))], ids=repr
)
def test_slow_optimizers_are_not_told(optimizer: Optimizer) -> None:
    assert warnings_of(classifier(optimizer=optimizer)) == []


def test_nor_is_a_network_without_gradients() -> None:
    model = model_of(Dense(2, 3), Softmax())
    model.layers[0].weights[...] = 0
    model.layers[0].biases = [[0, 1e4, 0]]  # sure of a class, and right
    assert warnings_of(model, np.ones(60, int)) == []


def test_logits_in_place_of_probabilities_are_told() -> None:
    (message,) = warnings_of(model_of(Dense(2, 8), ReLU(), Dense(8, 3)))
    assert message == (
        "CategoricalCrossentropy compares probabilities, but the outputs of Dense(8, 3), the last "
        "operation, are none: add Softmax() at the end"
    )
    model = model_of(Dense(2, 8), Dense(8, 1), loss=BinaryCrossentropy())
    (message,) = warnings_of(model, y > 0)
    assert "add Sigmoid() at the end" in message


class Logistic(Operation):
    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = 1 / (1 + np.exp(-np.asarray(inputs)))
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = dvalues * self.output * (1 - self.output)
        return self.dinputs


class FromLogits(CategoricalCrossentropy):
    """A loss of the user's own that applies the softmax itself."""

    def __init__(self) -> None:
        self.softmax = Softmax()

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return super().forward(self.softmax.forward(y_pred), y_true)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = self.softmax.backward(super().backward(self.softmax.output, y_true))
        return self.dinputs


@pytest.mark.parametrize(
    ("operations", "loss", "targets"),
    [
        ([Dense(2, 3), Softmax()], CategoricalCrossentropy(), y),
        ([Sequential([Dense(2, 3), Softmax()])], CategoricalCrossentropy(), y),
        ([Dense(2, 1), Sigmoid()], BinaryCrossentropy(), y > 0),
        ([Dense(2, 1), Logistic()], BinaryCrossentropy(), y > 0),
        ([Dense(2, 3)], FromLogits(), y),
    ],
)
def test_probabilities_are_not_told(operations: Any, loss: Any, targets: Any) -> None:
    assert warnings_of(model_of(*operations, loss=loss), targets) == []


@pytest.mark.parametrize("accelerated", ACCELERATED)
def test_batch_normalization_of_single_samples_is_told(accelerated: bool) -> None:
    operations = [Dense(2, 8), BatchNormalization(8), ReLU(), Dense(8, 3), Softmax()]
    model = model_of(*operations, accelerated=accelerated)
    (message,) = warnings_of(model, batch_size=1)
    assert "BatchNormalization(8) normalizes each batch of a single sample to 0" in message
    assert "batch_size of 2 or more" in message
    assert warnings_of(model, batch_size=2) == []


def test_so_it_is_for_batches_that_are_given() -> None:
    model = model_of(Dense(2, 8), BatchNormalization(8), Dense(8, 3), Softmax())
    batches = [(X[i : i + 1], y[i : i + 1]) for i in range(5)]
    with pytest.warns(UserWarning, match="a single sample"):
        model.train(batches, progress=False)


class OwnDropout:
    """Does not know whether it trains."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw

    def forward(self, inputs: Any) -> None:
        self.mask = np.asarray(self.draw(inputs.shape)) > 0.3
        self.output = inputs * self.mask

    def backward(self, dvalues: Any) -> None:
        self.dinputs = dvalues * self.mask


class OwnNormalization:
    """Always takes the statistics of the batch."""

    def forward(self, inputs: Any) -> None:
        self.deviation = inputs.std(axis=0) + 1e-3
        self.output = (inputs - inputs.mean(axis=0)) / self.deviation

    def backward(self, dvalues: Any) -> None:
        self.dinputs = dvalues / self.deviation


class Doubles:
    """Has no need to know whether it trains."""

    def forward(self, inputs: Any) -> None:
        self.output = 2 * inputs

    def backward(self, dvalues: Any) -> None:
        self.dinputs = 2 * dvalues


def with_own(operation: Any) -> Model:
    return model_of(Dense(2, 8), operation, ReLU(), Dense(8, 3), Softmax())


def draw_with_python(shape: tuple[int, int]) -> Any:
    return np.reshape([random.random() for _ in range(np.prod(shape))], shape)


@pytest.mark.parametrize(
    "draw",
    [np.random.default_rng(0).random, lambda shape: np.random.rand(*shape), draw_with_python],
)
def test_a_dropout_that_does_not_know_of_training_is_told(draw: Any) -> None:
    (message,) = warnings_of(with_own(OwnDropout(draw)))
    assert "OwnDropout() gives different outputs for the same inputs, also when the" in message
    assert "write forward(self, inputs, training=True)" in message


def test_so_is_a_normalization_that_depends_on_the_batch() -> None:
    (message,) = warnings_of(with_own(OwnNormalization()))
    assert "OwnNormalization() gives a sample other outputs in another batch" in message


class Inside(Container):
    """A container of the user's own."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> dict[str, Any]:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = self.inner.forward(inputs)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = self.inner.backward(dvalues)
        return self.dinputs


@pytest.mark.parametrize("around", [[], [Inside(Linear())]], ids=["alone", "beside a container"])
def test_obstacles_inside_a_residual_are_told(around: list[Any]) -> None:
    def inside(*operations: Any) -> Model:
        branches = Residual(operations, shortcut=[Linear()])
        return model_of(Dense(2, 8), *around, branches, Dense(8, 3), Softmax())

    (message,) = warnings_of(inside(ReLU(), OwnNormalization()))
    assert "OwnNormalization() gives a sample other outputs in another batch" in message
    (message,) = warnings_of(inside(BatchNormalization(8)), batch_size=1)
    assert "BatchNormalization(8) normalizes each batch of a single sample to 0" in message
    assert warnings_of(inside(BatchNormalization(8), Dropout(0.5))) == []


def test_a_sum_of_branches_is_no_probability() -> None:
    (message,) = warnings_of(model_of(Dense(2, 3), Residual([Dense(3, 3), Softmax()])))
    assert (
        "the outputs of Residual([Dense(3, 3), Softmax()]), the last operation, are none" in message
    )


@pytest.mark.parametrize("operation", [Doubles(), Dropout(0.5), BatchNormalization(8)], ids=repr)
def test_other_operations_are_not_told(operation: Any) -> None:
    assert warnings_of(with_own(operation)) == []


def test_looking_for_it_takes_a_copy_and_leaves_random_states_alone() -> None:
    class Counts(OwnDropout):
        rows = 0

        def forward(self, inputs: Any) -> None:
            self.rows += len(inputs)
            super().forward(inputs)

    operation = Counts(lambda shape: np.random.rand(*shape))
    model = with_own(operation)
    np.random.seed(4)
    with pytest.warns(UserWarning, match="Counts"):
        model.train(X, y, batch_size=None, progress=False)
    assert operation.rows == 1 + 60  # one sample, for the shapes, and the training
    drawn = np.random.rand()
    np.random.seed(4)
    np.random.rand(61 * 8)
    assert np.random.rand() == drawn
