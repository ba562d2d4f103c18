"""Every option of an optimizer, 100 steps, against recomputations that share no code with it.

The first reference writes the formula of the docstring out for one number at a time in plain
Python. The second is PyTorch, where it is installed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optimizers import Optimizer

STEPS = 100
SHAPE = (3, 4)

# ``update(weight, gradient, step, memory) -> weight``, steps from 0.
Formula = Callable[[float, float, int, dict[str, float]], float]


class Layer:
    def __init__(self, dtype: type = np.float64) -> None:
        self.weights = np.random.default_rng(1).normal(size=SHAPE).astype(dtype)
        self.dweights = np.zeros(SHAPE, dtype)


def gradients() -> np.ndarray:
    """Gradients that change in size and sign, so that every memory matters."""
    random = np.random.default_rng(2)
    return random.normal(size=(STEPS, *SHAPE)) * np.exp(random.normal(size=(STEPS, 1, 1)))


def trained(optimizer: Optimizer, dtype: type = np.float64) -> np.ndarray:
    layer = Layer(dtype)
    for gradient in gradients():
        layer.dweights[...] = gradient
        optimizer.pre_update_params()
        optimizer.update_params(layer)
        optimizer.post_update_params()
    return layer.weights


def by_formula(update: Formula) -> np.ndarray:
    """Update each weight alone."""
    weights = Layer().weights.copy()
    for index in np.ndindex(SHAPE):
        memory: dict[str, float] = {}
        weight = float(weights[index])
        for step, gradient in enumerate(gradients()):
            weight = update(weight, float(gradient[index]), step, memory)
        weights[index] = weight
    return weights


def assert_follows(make: Callable[[], Optimizer], formula: Formula) -> None:
    """The formula in float64 to the last digits, and in float32 to its precision."""
    expected = by_formula(formula)
    np.testing.assert_allclose(trained(make()), expected, rtol=1e-10, atol=1e-12)
    single = trained(make(), np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-3, atol=1e-4)


def assert_agrees_with_pytorch(
    make: Callable[[], Optimizer], name: str, options: dict[str, Any], max_norm: float | None
) -> None:
    """``torch.optim.<name>(**options)``, with gradients clipped to ``max_norm`` if it is given."""
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
