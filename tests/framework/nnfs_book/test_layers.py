"""Layers and activations of the book, by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from framework import nnfs_book as book


def test_draws_are_rounded_before_they_are_scaled_as_after_nnfs_init() -> None:
    np.random.seed(3)
    draws = np.random.randn(40, 50).astype(np.float32)
    np.random.seed(3)
    assert_array_equal(book.Layer_Dense(40, 50).weights, 0.01 * draws)


def test_weights_are_draws_of_the_global_generator_on_a_scale_that_can_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    np.random.seed(3)
    draws = np.random.randn(4, 5)
    np.random.seed(3)
    layer = book.Layer_Dense(4, 5)
    assert_allclose(layer.weights, 0.01 * draws, rtol=1e-6)
    assert layer.weights.dtype == np.float32
    assert not layer.biases.any()
    monkeypatch.setattr(book.Layer_Dense, "weight_scale", 0.1)
    np.random.seed(3)
    assert_allclose(book.Layer_Dense(4, 5).weights, 0.1 * draws, rtol=1e-6)


def test_regularizers_are_the_third_to_sixth_argument() -> None:
    layer = book.Layer_Dense(2, 3, 1, 2, 3, 4)
    assert layer.weight_regularizer_l1 == 1
    assert layer.weight_regularizer_l2 == 2
    assert layer.bias_regularizer_l1 == 3
    assert layer.bias_regularizer_l2 == 4


@pytest.mark.parametrize("shape", [(1,), (7, 3), (200, 33), (2, 3, 4)])
@pytest.mark.parametrize("rate", [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.999])
def test_masks_are_those_of_the_global_binomial_and_leave_the_generator_as_it_does(
    rate: float, shape: tuple[int, ...]
) -> None:
    np.random.seed(5)
    dropout = book.Layer_Dropout(rate)
    dropout.forward(np.ones(shape, dtype=np.float32))
    following = np.random.random()
    np.random.seed(5)
    draws = np.random.binomial(1, 1 - rate, size=shape)
    assert dropout.binary_mask is not None
    assert_array_equal(dropout.binary_mask > 0, draws == 1)
    assert_allclose(dropout.binary_mask, draws / (1 - rate), rtol=1e-6)
    assert_allclose(dropout.output, dropout.binary_mask)
    assert following == np.random.random()


def test_dropout_passes_everything_when_it_does_not_train() -> None:
    inputs = np.ones((3, 4))
    dropout = book.Layer_Dropout(0.5)
    assert_array_equal(dropout.forward(inputs, training=False), inputs)
    assert_array_equal(dropout.forward(inputs, False), inputs)


@pytest.mark.parametrize(
    ("operation_class", "arguments"),
    [
        (book.Layer_Dense, (2, 2)),
        (book.Layer_Dropout, (0.5,)),
        (book.Layer_Input, ()),
        (book.Activation_ReLU, ()),
        (book.Activation_Softmax, ()),
        (book.Activation_Sigmoid, ()),
        (book.Activation_Linear, ()),
    ],
)
def test_an_operation_keeps_what_it_was_given(operation_class: Any, arguments: Any) -> None:
    operation = operation_class(*arguments)
    inputs = np.array([[1.0, -2.0], [3.0, 4.0]], dtype=np.float32)
    for forward in (operation.forward, lambda values: operation.forward(values, True)):
        forward(inputs)
        assert_array_equal(operation.inputs, inputs)
        operation.backward(operation.output)
        assert operation.dinputs.shape == inputs.shape


def test_activations_say_what_their_outputs_mean() -> None:
    outputs = np.array([[0.2, 0.7]])
    assert_array_equal(book.Activation_Softmax().predictions(outputs), [1])
    assert_array_equal(book.Activation_Sigmoid().predictions(outputs), [[0, 1]])
    assert_array_equal(book.Activation_ReLU().predictions(outputs), outputs)
    assert_array_equal(book.Activation_Linear().predictions(outputs), outputs)


def test_every_public_class_is_exported_and_documented() -> None:
    own = {
        name: value
        for name, value in vars(book).items()
        if getattr(value, "__module__", "").startswith(book.__name__)
    }
    assert book.__all__ == sorted(own)
    for name, value in own.items():
        assert vars(value)["__doc__"], name
