"""What rounding inside forward can cause is not taken for a wrong gradient, nor the reverse."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import framework
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Sigmoid,
    Softmax,
    Tanh,
    check_gradients,
)
from tests.framework.inspection.mistakes import INPUTS
from tests.strategies import generator


class OwnSigmoid(Sigmoid):
    """Of another class, it is not fused with the loss, which takes ``log(1 - p)`` of its output."""


class OwnSoftmax(Softmax):
    pass


class Unclipped:
    """Binary cross-entropy that clips nothing, so that rounding is enlarged without a limit."""

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = ((1 - y_true) / (1 - y_pred) - y_true / y_pred) / y_pred.size


class SlightlyWrongSigmoid(Sigmoid):
    def backward(self, dvalues: Any) -> Any:
        self.dinputs = 1.001 * super().backward(dvalues)
        return self.dinputs


def classifier(activation: Any, dense: bool) -> Model:
    layers = [Dense(3, 3), activation] if dense else [activation]
    network = Model(layers)
    binary = isinstance(activation, Sigmoid)
    network.set(loss=BinaryCrossentropy() if binary else CategoricalCrossentropy())
    network.finalize()
    return network


@given(
    data=st.data(),
    activation=st.sampled_from([OwnSigmoid, OwnSoftmax]),
    size=st.sampled_from([1, 5, 10, 15, 20, 50]),
    dense=st.booleans(),
)
def test_right_networks_pass_however_saturated_they_are(
    data: st.DataObject, activation: type, size: float, dense: bool
) -> None:
    rng = generator(data.draw)
    inputs = size * rng.normal(size=(4, 3))
    binary = activation is OwnSigmoid
    targets = rng.integers(0, 2, size=(4, 3)) if binary else rng.integers(0, 3, size=4)
    report = check_gradients(classifier(activation(), dense), inputs, targets)
    assert report.passed, report


@given(data=st.data(), size=st.sampled_from([1, 10, 15, 20]), dense=st.booleans())
def test_right_networks_pass_where_the_loss_clips_nothing(
    data: st.DataObject, size: float, dense: bool
) -> None:
    rng = generator(data.draw)
    inputs, targets = rng.uniform(-size, size, (4, 3)), rng.integers(0, 2, size=(4, 3))
    network = classifier(Sigmoid(), dense)
    network.set(loss=Unclipped())
    report = check_gradients(network, inputs, targets)
    assert report.passed, report


def test_elements_that_rounding_makes_inexact_are_counted() -> None:
    # 1 - p is 7e-7 here, which float64 knows to nine digits: 1e-16 of 7e-7.
    report = check_gradients(classifier(OwnSigmoid(), False), [[14.2, 14.3, 14.4]], [[0, 0, 0]])
    assert report.passed, report
    assert 0 < sum(array.rounded for array in report.arrays) <= 3
    assert "checked less exactly, if at all, because of rounding inside forward" in str(report)


@pytest.mark.parametrize("size", [1, 5, 15, 20])
def test_a_wrong_gradient_is_caught_among_saturated_outputs(size: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        inputs, targets = size * rng.normal(size=(6, 3)), rng.integers(0, 2, size=(6, 3))
        assert not check_gradients(classifier(SlightlyWrongSigmoid(), False), inputs, targets)


def test_rounding_to_single_precision_is_no_excuse() -> None:
    class NarrowInside(Tanh):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            self.output = super().forward(np.float32(inputs)).astype(np.float64)
            return self.output

    assert not check_gradients(NarrowInside(), INPUTS).passed


def test_an_operation_in_single_precision_is_named_inside_a_model() -> None:
    class Narrow(Tanh):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            return super().forward(np.float32(inputs), training)

    network = Model([Dense(4, 4), Narrow(), Dense(4, 4), Softmax()])
    network.set(loss=CategoricalCrossentropy())
    network.finalize()
    report = check_gradients(network, INPUTS, [0, 1, 2, 3])
    assert not report.passed
    assert "forward computes in float32 where float64 goes in, in Narrow()" in str(report)


def test_inputs_of_any_size_pass() -> None:
    for size in (1e-6, 255.0, 1e4, 1e9):
        assert check_gradients(BatchNormalization(4), size * INPUTS), size
        assert check_gradients(Dense(4, 3), size * INPUTS), size
    for seed in range(5):
        framework.seed(seed)
        data = np.random.default_rng(seed)
        X, y = data.uniform(0, 255, size=(20, 2)), data.integers(0, 3, size=20)
        network = Model([Dense(2, 16), Tanh(), Dense(16, 3), Softmax()])
        network.set(loss=CategoricalCrossentropy())
        network.finalize()
        report = check_gradients(network, X, y)
        assert report.passed, report
