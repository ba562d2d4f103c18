"""Log-softmax against the logarithm of softmax, and PyTorch."""

import numpy as np
import pytest
from hypothesis import given

from framework import Dense, LogSoftmax, Model, Softmax
from tests.strategies import Array, batches


@given(inputs=batches())
def test_it_is_the_logarithm_of_softmax(inputs: Array) -> None:
    expected = np.log(Softmax().forward(inputs))
    np.testing.assert_allclose(LogSoftmax().forward(inputs), expected, rtol=1e-12, atol=1e-14)


def test_probabilities_that_are_too_small_for_their_dtype_keep_their_digits() -> None:
    inputs = np.array([[0.0, -1e4], [1e4, 0.0], [5.0, 5.0 - 800.0]], dtype=np.float32)
    expected = [[0.0, -1e4], [0.0, -1e4], [0.0, -800.0]]
    np.testing.assert_array_equal(LogSoftmax().forward(inputs), expected)


def test_outputs_and_gradients_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison")
    random = np.random.default_rng(0)
    inputs, dvalues = random.normal(size=(2, 6, 4))
    tensor = torch.tensor(inputs, requires_grad=True)
    expected = torch.nn.LogSoftmax(dim=-1)(tensor)
    expected.backward(torch.tensor(dvalues))
    activation = LogSoftmax()
    output = activation.forward(inputs)
    np.testing.assert_allclose(output, expected.detach(), rtol=1e-13)
    np.testing.assert_allclose(activation.backward(dvalues), tensor.grad, rtol=1e-11, atol=1e-14)


def test_the_class_is_the_most_probable_one() -> None:
    model = Model([Dense(3, 3, use_bias=False), LogSoftmax()])
    model.layers[0].weights = np.eye(3)
    model.finalize()
    np.testing.assert_array_equal(model.predict_classes(np.eye(3)[[2, 0, 1]]), [2, 0, 1])
