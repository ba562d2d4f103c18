"""Nadam against its formula, PyTorch and Keras."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizers import Nadam
from tests.optimizers.references import (
    Formula,
    Layer,
    assert_agrees_with_pytorch,
    assert_follows,
    gradients,
    trained,
)


def nadam(
    lr: float,
    decay: float = 0,
    epsilon: float = 1e-7,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    momentum_decay: float = 0.004,
) -> Formula:
    def weight(t: int) -> float:
        return beta_1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        t = step + 1
        m = memory["m"] = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        v = memory["v"] = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * g * g
        product = memory["product"] = memory.get("product", 1.0) * weight(t)
        m_hat = weight(t + 1) * m / (1 - product * weight(t + 1))
        m_hat += (1 - weight(t)) * g / (1 - product)
        v_hat = v / (1 - beta_2**t)
        return w - lr / (1 + decay * step) * m_hat / (math.sqrt(v_hat) + epsilon)

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: Nadam(), nadam(0.002)),
        (lambda: Nadam(0.1, 0.01, 0.1, 0.8, 0.9, 0.3), nadam(0.1, 0.01, 0.1, 0.8, 0.9, 0.3)),
        # Soon the product of the momentum's weights is too small to count.
        (lambda: Nadam(0.1, beta_1=0.3), nadam(0.1, beta_1=0.3)),
    ],
    ids=["defaults", "every option", "small products"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], Nadam], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: Nadam(epsilon=1e-8), {}),
        (
            lambda: Nadam(0.1, 0, 0.1, 0.8, 0.9, 0.3),
            {"lr": 0.1, "eps": 0.1, "betas": (0.8, 0.9), "momentum_decay": 0.3},
        ),
    ],
    ids=["defaults", "every option"],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], Nadam], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "NAdam", options, max_norm)


def test_with_a_momentum_decay_of_1_a_hundred_steps_agree_with_keras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed: no comparison with it")
    pytest.importorskip("jax", reason="JAX is not installed: no comparison with Keras")
    weights = keras.Variable(Layer(np.float32).weights)
    reference = keras.optimizers.Nadam(0.01)
    for gradient in gradients():
        reference.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weights])
    found = trained(Nadam(0.01, momentum_decay=1), np.float32)
    np.testing.assert_allclose(found, np.asarray(weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1e-8, 1e4])
def test_the_first_step_does_not_depend_on_the_size_of_the_gradient(size: float) -> None:
    """By the formula, with the bias corrections of the first step, it is the rate times these."""
    layer = Layer()
    before = layer.weights.copy()
    layer.dweights[...] = size
    Nadam(0.5, epsilon=1e-30).update_params(layer)
    first, second = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in (1, 2))
    expected = before - 0.5 * (second * 0.1 / (1 - first * second) + 1)
    np.testing.assert_allclose(layer.weights, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nadam(epsilon=0), "epsilon must be greater than 0"),
        (lambda: Nadam(beta_1=1), "beta_1 must be"),
        (lambda: Nadam(beta_2=1), "beta_2 must be"),
        (lambda: Nadam(momentum_decay=-1), "momentum_decay must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], Nadam], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
