"""Mish against its definition, the derivative of its paper, and PyTorch."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from framework import Dense, Mish, Model
from tests.strategies import Array, batches


@given(inputs=batches())
def test_mish_is_each_input_times_the_tanh_of_its_softplus(inputs: Array) -> None:
    expected = [[x * math.tanh(math.log1p(math.exp(x))) for x in row] for row in inputs]
    np.testing.assert_allclose(Mish().forward(inputs), expected, rtol=1e-12, atol=1e-15)


def test_the_derivative_is_that_of_the_paper() -> None:
    """Its equation 3: e^x ω / δ²."""
    x = np.linspace(-15, 15, 301).reshape(-1, 1)
    omega = 4 * (x + 1) + 4 * np.exp(2 * x) + np.exp(3 * x) + np.exp(x) * (4 * x + 6)
    delta = 2 * np.exp(x) + np.exp(2 * x) + 2
    mish = Mish()
    mish.forward(x)
    expected = np.exp(x) * omega / delta**2
    np.testing.assert_allclose(mish.backward(np.ones_like(x)), expected, rtol=1e-10, atol=1e-13)


def test_its_lowest_value_is_that_of_the_paper() -> None:
    assert Mish().forward(np.linspace(-3, 0, 10_001)).min() == pytest.approx(-0.30884, abs=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero_it_is_zero_or_its_input(dtype: type) -> None:
    mish = Mish()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        output = mish.forward(np.array([[-1e4, 1e4]], dtype))
        dinputs = mish.backward(np.ones((1, 2)))
    assert output.dtype == dinputs.dtype == dtype
    np.testing.assert_array_equal(output, [[0, 1e4]])
    np.testing.assert_array_equal(dinputs, [[0, 1]])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-13)])
def test_outputs_and_gradients_agree_with_pytorch(dtype: str, tolerance: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison with it")
    random = np.random.default_rng(0)
    x, dvalues = random.normal(scale=5, size=(2, 40, 3)).astype(dtype)
    inputs = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.mish(inputs)
    expected.backward(torch.tensor(dvalues))
    mish = Mish()
    np.testing.assert_allclose(mish.forward(x), expected.detach(), tolerance, tolerance)
    np.testing.assert_allclose(mish.backward(dvalues), inputs.grad, tolerance, tolerance)


def test_a_saved_network_with_mish_predicts_the_same(tmp_path: Path) -> None:
    model = Model([Dense(3, 4), Mish(), Dense(4, 2)])
    model.finalize()
    model.save(tmp_path / "mish.safetensors")
    X = np.random.default_rng(0).normal(size=(5, 3))
    loaded = Model.load(tmp_path / "mish.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
