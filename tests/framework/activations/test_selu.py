"""SELU against its paper and PyTorch."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

import framework
from framework import SELU, Dense, Model, initializers
from tests.strategies import Array, batches

# Equation 14 of the paper: the values for a fixed point at mean 0 and variance 1.
TAIL = math.erfc(1 / math.sqrt(2)) * math.sqrt(math.e)
ALPHA = -math.sqrt(2 / math.pi) / (TAIL - 1)
SCALE = (
    (1 - TAIL)
    * math.sqrt(2 * math.pi)
    / math.sqrt(
        2 * math.erfc(math.sqrt(2)) * math.e**2
        + math.pi * TAIL**2
        - 2 * (2 + math.pi) * TAIL
        + math.pi
        + 2
    )
)


@given(inputs=batches())
def test_selu_is_its_definition_with_the_constants_of_the_paper(inputs: Array) -> None:
    expected = [
        [SCALE * x if x > 0 else SCALE * ALPHA * (math.exp(x) - 1) for x in row] for row in inputs
    ]
    np.testing.assert_allclose(SELU().forward(inputs), expected, rtol=1e-12, atol=1e-14)


def test_standard_normal_inputs_give_mean_0_and_variance_1() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    # Each side of the kink by itself, where the integrand is smooth.
    x = np.concatenate([10 * (nodes - 1), 10 * (nodes + 1)])
    density = 10 * np.tile(weights, 2) * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    output = SELU().forward(x.reshape(-1, 1))[:, 0]
    assert density @ output == pytest.approx(0, abs=1e-12)
    assert density @ output**2 == pytest.approx(1, abs=1e-12)


def test_twenty_layers_keep_the_size_of_the_signal() -> None:
    framework.seed(0)
    model = Model()
    for _ in range(20):
        model.add(Dense(200, 200, weight_initializer=initializers.normal(200**-0.5)))
        model.add(SELU())
    model.finalize()
    output = model.predict(np.random.default_rng(0).normal(size=(500, 200)))
    assert abs(output.mean()) < 0.1
    assert 0.8 < output.std() < 1.2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero_it_is_a_constant_or_a_multiple(dtype: type) -> None:
    selu = SELU()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        output = selu.forward(np.array([[-1e4, 1e4]], dtype))
        dinputs = selu.backward(np.ones((1, 2)))
    assert output.dtype == dinputs.dtype == dtype
    np.testing.assert_allclose(output, [[-SCALE * ALPHA, SCALE * 1e4]], rtol=1e-6)
    np.testing.assert_allclose(dinputs, [[0, SCALE]], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-13)])
def test_outputs_and_gradients_agree_with_pytorch(dtype: str, tolerance: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison with it")
    random = np.random.default_rng(0)
    x, dvalues = random.normal(scale=5, size=(2, 40, 3)).astype(dtype)
    inputs = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.selu(inputs)
    expected.backward(torch.tensor(dvalues))
    selu = SELU()
    np.testing.assert_allclose(selu.forward(x), expected.detach(), tolerance, tolerance)
    np.testing.assert_allclose(selu.backward(dvalues), inputs.grad, tolerance, tolerance)


def test_a_saved_network_with_selu_predicts_the_same(tmp_path: Path) -> None:
    model = Model([Dense(3, 4), SELU(), Dense(4, 2)])
    model.finalize()
    model.save(tmp_path / "selu.safetensors")
    X = np.random.default_rng(0).normal(size=(5, 3))
    loaded = Model.load(tmp_path / "selu.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
