"""``activation``: the curve of an operation and of its derivative."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    Dense,
    Dropout,
    Softmax,
    Step,
    Tanh,
    plots,
)
from tests.framework.plots.support import curves


def test_activation_draws_the_function_and_its_derivative() -> None:
    drawn = curves(plots.activation(Tanh()))
    x, values = drawn["function"]
    assert (x[0], x[-1]) == (-5, 5)
    np.testing.assert_allclose(values, np.tanh(x))
    np.testing.assert_allclose(drawn["derivative"][1], 1 / np.cosh(x) ** 2)


def test_activation_takes_the_derivative_from_the_operations_own_backward() -> None:
    class Mistaken(Tanh):
        def backward(self, dvalues):
            self.dinputs = 7 * dvalues
            return self.dinputs

    assert (curves(plots.activation(Mistaken()))["derivative"][1] == 7).all()


def test_activation_draws_a_step_without_a_derivative() -> None:
    drawn = curves(plots.activation(Step()))
    assert list(drawn) == ["function"]
    x, values = drawn["function"]
    np.testing.assert_array_equal(values, x >= 0)


def test_activation_draws_softmax_for_two_classes() -> None:
    ax = plots.activation(Softmax(), low=-3, high=3)
    x, values = curves(ax)["function"]
    np.testing.assert_allclose(values, np.exp(x) / (np.exp(x) + 1))
    np.testing.assert_allclose(curves(ax)["derivative"][1], values * (1 - values))
    assert ax.get_xlabel() == "x, in a row (x, 0)"


def test_activation_leaves_the_operation_as_it_was() -> None:
    tanh = Tanh()
    before = tanh.forward([[0.5]])
    plots.activation(tanh)
    assert tanh.output is before
    assert not hasattr(tanh, "dinputs")


def test_activation_draws_a_class_whose_methods_return_nothing() -> None:
    class Square:
        def forward(self, inputs):
            self.inputs, self.output = inputs, inputs**2

        def backward(self, dvalues):
            self.dinputs = 2 * self.inputs * dvalues

    drawn = curves(plots.activation(Square()))
    x, values = drawn["function"]
    np.testing.assert_array_equal(values, x**2)
    np.testing.assert_array_equal(drawn["derivative"][1], 2 * x)


def test_activation_draws_an_operation_as_it_is_after_training() -> None:
    framework.seed(0)
    x, values = curves(plots.activation(Dropout(0.5)))["function"]
    np.testing.assert_array_equal(values, x)


def test_activation_draws_layers_of_one_input() -> None:
    dense = Dense(1, 1)
    dense.weights, dense.biases = [[2.0]], [[1.0]]
    drawn = curves(plots.activation(dense))
    x, values = drawn["function"]
    np.testing.assert_allclose(values, 2 * x + 1)
    np.testing.assert_array_equal(drawn["derivative"][1], 2)
    x, values = curves(plots.activation(BatchNormalization(1)))["function"]
    np.testing.assert_allclose(values, x, rtol=1e-3)


@pytest.mark.parametrize("subject", [5, Tanh])
def test_activation_of_what_is_no_operation_says_so(subject: Any) -> None:
    with pytest.raises(TypeError, match="an operation needs forward and backward methods"):
        plots.activation(subject)


def test_activation_of_a_layer_with_more_inputs_says_how_many_it_takes() -> None:
    with pytest.raises(ValueError, match="3"):
        plots.activation(Dense(3, 1))


def test_activation_needs_low_below_high() -> None:
    with pytest.raises(ValueError, match="low must be below high"):
        plots.activation(Tanh(), low=1, high=1)
