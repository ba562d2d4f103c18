"""The error function against Python's own, and GELU made of it."""

import math
from typing import Any

import numpy as np
import pytest

from framework import GELU
from framework.activations.erf import erf, erfc

# All ranges of the approximation and their limits, down to denormal numbers.
NUMBERS = np.concatenate(
    [
        np.linspace(-7, 7, 20_001),
        *(sign * np.logspace(-320, 2, 2_000) for sign in (-1, 1)),
        *(np.nextafter(limit, [-9, 0, 9]) for limit in (0.25, 0.84375, 1.25, 1 / 0.35, 6, 28)),
    ]
)


def test_erf_is_right_to_one_unit_in_the_last_place() -> None:
    expected = np.array([math.erf(x) for x in NUMBERS])
    assert (np.abs(erf(NUMBERS) - expected) <= np.spacing(np.abs(expected))).all()


def test_erfc_keeps_its_digits_close_to_0() -> None:
    expected = np.array([math.erfc(x) for x in NUMBERS])
    np.testing.assert_allclose(erfc(NUMBERS), expected, rtol=1e-15, atol=1e-300)


def test_limits_signs_and_nan() -> None:
    numbers = np.array([-np.inf, -0.0, 0.0, np.inf, np.nan])
    np.testing.assert_array_equal(erf(numbers), [-1, 0, 0, 1, np.nan])
    np.testing.assert_array_equal(erfc(numbers), [2, 1, 1, 0, np.nan])
    assert np.signbit(erf(numbers))[:2].all()


def test_float32_is_right_to_its_last_digit() -> None:
    numbers = NUMBERS[np.abs(NUMBERS) < 10].astype(np.float32)
    expected = np.array([math.erf(x) for x in numbers]).astype(np.float32)
    found = erf(numbers)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_the_exact_gelu_is_the_input_times_the_probability() -> None:
    expected = [x * math.erfc(-x / math.sqrt(2)) / 2 for x in NUMBERS]
    output = GELU(approximate="none").forward(NUMBERS[np.newaxis])[0]
    # A rounding of x / √2 is a relative error of x² times that in the tail.
    near = np.abs(NUMBERS) < 10
    np.testing.assert_allclose(output[near], np.array(expected)[near], rtol=1e-13, atol=1e-310)
    np.testing.assert_allclose(output, expected, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_that_of_pytorch(approximate: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    ours = np.linspace(-8, 8, 401)[np.newaxis]
    theirs = torch.tensor(ours, requires_grad=True)
    expected = torch.nn.functional.gelu(theirs, approximate=approximate)
    expected.sum().backward()
    layer = GELU(approximate=approximate)  # type: ignore[arg-type]
    output = layer.forward(ours)
    np.testing.assert_allclose(output, expected.detach(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        layer.backward(np.ones_like(output)), theirs.grad, rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_gelu_is_the_input_or_0(approximate: Any, dtype: Any) -> None:
    layer, largest = GELU(approximate=approximate), np.finfo(dtype).max
    inputs = np.array([[50, 1e20, largest, -50, -1e20, -largest]], dtype)
    np.testing.assert_array_equal(layer.forward(inputs), inputs * (inputs > 0))
    gradients = layer.backward(np.ones_like(inputs))
    np.testing.assert_array_equal(gradients, [[1, 1, 1, 0, 0, 0]])
    assert gradients.dtype == dtype


def test_another_approximation_is_refused() -> None:
    with pytest.raises(ValueError, match="approximate must be 'tanh' or 'none', received 'erf'"):
        GELU(approximate="erf")  # type: ignore[arg-type]
