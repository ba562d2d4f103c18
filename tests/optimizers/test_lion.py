"""Lion against its formula, Keras, and a step worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from optimizers import Lion
from tests.optimizers.references import Formula, Layer, assert_follows, gradients, trained


def lion(
    lr: float,
    decay: float = 0,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
    weight_decay: float = 0,
) -> Formula:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        rate = lr / (1 + decay * step)
        momentum = memory.get("momentum", 0.0)
        looked = beta_1 * momentum + (1 - beta_1) * g
        memory["momentum"] = beta_2 * momentum + (1 - beta_2) * g
        direction = (looked > 0) - (looked < 0)
        return w - rate * (direction + weight_decay * w)

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: Lion(), lion(0.0001)),
        (lambda: Lion(0.1, 0.01, 0.8, 0.9, 0.3), lion(0.1, 0.01, 0.8, 0.9, 0.3)),
    ],
    ids=["defaults", "every option"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], Lion], formula: Formula) -> None:
    assert_follows(make, formula)


def test_a_hundred_steps_agree_with_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed: no comparison with it")
    pytest.importorskip("jax", reason="JAX is not installed: no comparison with Keras")
    weights = keras.Variable(Layer(np.float32).weights)
    reference = keras.optimizers.Lion(0.01, beta_1=0.8, beta_2=0.9, weight_decay=0.3)
    for gradient in gradients():
        reference.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weights])
    found = trained(Lion(0.01, beta_1=0.8, beta_2=0.9, weight_decay=0.3), np.float32)
    np.testing.assert_allclose(found, np.asarray(weights), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_a_step_is_as_large_as_the_rate_whatever_the_gradient(size: float) -> None:
    layer = Layer(np.float32)
    before = layer.weights.copy()
    layer.dweights[...] = size * np.sign(before)
    layer.dweights[0, 0] = 0
    Lion(0.25).update_params(layer)
    expected = before - 0.25 * np.sign(before)
    expected[0, 0] = before[0, 0]
    np.testing.assert_allclose(layer.weights, expected, rtol=1e-6)


def test_decay_is_the_same_share_of_every_weight() -> None:
    layer = Layer()
    before = layer.weights.copy()
    Lion(0.1, weight_decay=0.5).update_params(layer)  # the gradients are 0
    np.testing.assert_allclose(layer.weights, 0.95 * before, rtol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lion(beta_1=1), "beta_1 must be"),
        (lambda: Lion(beta_2=-0.1), "beta_2 must be"),
        (lambda: Lion(weight_decay=-1), "weight_decay must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], Lion], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
