"""Every option of every optimizer, 100 steps, against recomputations that share no code with it.

The first reference writes the formulas of the docstrings out for one number at a time in plain
Python. The second is PyTorch, where it is installed.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

STEPS = 100
SHAPE = (3, 4)


class Layer:
    def __init__(self, dtype: type = np.float64) -> None:
        self.weights = np.random.default_rng(1).normal(size=SHAPE).astype(dtype)
        self.dweights = np.zeros(SHAPE, dtype)


def gradients() -> np.ndarray:
    """Gradients that change in size and sign, so that every memory matters."""
    chance = np.random.default_rng(2)
    return chance.normal(size=(STEPS, *SHAPE)) * np.exp(chance.normal(size=(STEPS, 1, 1)))


def trained(optimizer: Optimizer, dtype: type = np.float64) -> np.ndarray:
    layer = Layer(dtype)
    for gradient in gradients():
        layer.dweights[...] = gradient
        optimizer.pre_update_params()
        optimizer.update_params(layer)
        optimizer.post_update_params()
    return layer.weights


def by_the_formula(update: Callable[[float, float, int, dict[str, float]], float]) -> np.ndarray:
    """Each weight alone: ``update(weight, gradient, step, memory) -> weight``, steps from 0."""
    weights = Layer().weights.copy()
    for index in np.ndindex(SHAPE):
        memory: dict[str, float] = {}
        weight = float(weights[index])
        for step, gradient in enumerate(gradients()):
            weight = update(weight, float(gradient[index]), step, memory)
        weights[index] = weight
    return weights


def sgd(lr: float, decay: float = 0, momentum: float = 0, nesterov: bool = False) -> Any:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        rate = lr / (1 + decay * step)
        v = memory["v"] = momentum * memory.get("v", 0.0) - rate * g
        return w + momentum * v - rate * g if nesterov else w + v

    return update


def adagrad(lr: float, decay: float = 0, epsilon: float = 1e-7) -> Any:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        cache = memory["cache"] = memory.get("cache", 0.0) + g**2
        return w - lr / (1 + decay * step) * g / (math.sqrt(cache) + epsilon)

    return update


def rmsprop(lr: float, decay: float = 0, epsilon: float = 1e-7, rho: float = 0.9) -> Any:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        cache = memory["cache"] = rho * memory.get("cache", 0.0) + (1 - rho) * g**2
        return w - lr / (1 + decay * step) * g / (math.sqrt(cache) + epsilon)

    return update


def adam(
    lr: float,
    decay: float = 0,
    epsilon: float = 1e-7,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    weight_decay: float = 0,
) -> Any:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        rate, t = lr / (1 + decay * step), step + 1
        w -= rate * weight_decay * w
        m = memory["m"] = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        c = memory["c"] = beta_2 * memory.get("c", 0.0) + (1 - beta_2) * g**2
        return w - rate * (m / (1 - beta_1**t)) / (math.sqrt(c / (1 - beta_2**t)) + epsilon)

    return update


CASES: list[tuple[Callable[[], Optimizer], Any]] = [
    (lambda: SGD(), sgd(1.0)),
    (lambda: SGD(0.1, 0.01), sgd(0.1, 0.01)),
    (lambda: SGD(0.1, 0.01, 0.9), sgd(0.1, 0.01, 0.9)),
    (lambda: SGD(0.1, 0.01, 0.9, True), sgd(0.1, 0.01, 0.9, True)),
    (lambda: Adagrad(), adagrad(1.0)),
    (lambda: Adagrad(0.1, 0.01, 0.1), adagrad(0.1, 0.01, 0.1)),
    (lambda: RMSprop(), rmsprop(0.001)),
    (lambda: RMSprop(0.1, 0.01, 0.1, 0.7), rmsprop(0.1, 0.01, 0.1, 0.7)),
    (lambda: Adam(), adam(0.001)),
    (lambda: Adam(0.1, 0.01, 0.1, 0.8, 0.9), adam(0.1, 0.01, 0.1, 0.8, 0.9)),
    (lambda: AdamW(), adam(0.001, weight_decay=0.01)),
    (lambda: AdamW(0.1, 0.01, 0.1, 0.8, 0.9, 0.3), adam(0.1, 0.01, 0.1, 0.8, 0.9, 0.3)),
]


@pytest.mark.parametrize(("make", "formula"), CASES, ids=[repr(make()) for make, _ in CASES])
def test_a_hundred_steps_follow_the_formula(make: Callable[[], Optimizer], formula: Any) -> None:
    np.testing.assert_allclose(trained(make()), by_the_formula(formula), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("make", "formula"), CASES, ids=[repr(make()) for make, _ in CASES])
def test_float32_follows_it_too(make: Callable[[], Optimizer], formula: Any) -> None:
    weights = trained(make(), np.float32)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, by_the_formula(formula), rtol=1e-3, atol=1e-4)


PYTORCH: list[tuple[Callable[[], Optimizer], str, dict[str, Any]]] = [
    (lambda: SGD(0.1), "SGD", {"lr": 0.1}),
    (lambda: SGD(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (
        lambda: SGD(0.1, momentum=0.9, nesterov=True),
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    (lambda: Adagrad(0.1), "Adagrad", {"lr": 0.1, "eps": 1e-7}),
    (lambda: Adagrad(0.1, 0.01), "Adagrad", {"lr": 0.1, "eps": 1e-7, "lr_decay": 0.01}),
    (lambda: RMSprop(0.01), "RMSprop", {"lr": 0.01, "eps": 1e-7, "alpha": 0.9}),
    (lambda: RMSprop(0.01, rho=0.7), "RMSprop", {"lr": 0.01, "eps": 1e-7, "alpha": 0.7}),
    (lambda: Adam(0.01), "Adam", {"lr": 0.01, "eps": 1e-7}),
    (
        lambda: Adam(0.01, epsilon=0.1, beta_1=0.8, beta_2=0.9),
        "Adam",
        {"lr": 0.01, "eps": 0.1, "betas": (0.8, 0.9)},
    ),
    (
        lambda: AdamW(0.01, weight_decay=0.3),
        "AdamW",
        {"lr": 0.01, "eps": 1e-7, "weight_decay": 0.3},
    ),
]


@pytest.mark.parametrize(
    ("make", "name", "options"), PYTORCH, ids=[repr(make()) for make, _, _ in PYTORCH]
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], Optimizer], name: str, options: dict[str, Any], max_norm: float | None
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison with it")
    weights = torch.tensor(Layer().weights, requires_grad=True)
    reference = getattr(torch.optim, name)([weights], **options)
    for gradient in gradients():
        weights.grad = torch.tensor(gradient)
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_([weights], max_norm)
        reference.step()
    optimizer = make()
    optimizer.max_gradient_norm = max_norm
    # PyTorch's own clipping adds 1e-6 to the norm that it divides by.
    tolerance = 1e-8 if max_norm is None else 1e-4
    np.testing.assert_allclose(
        trained(optimizer), weights.detach().numpy(), rtol=tolerance, atol=tolerance
    )
