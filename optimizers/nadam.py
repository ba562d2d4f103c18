"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_fraction, check_non_negative, check_positive
from optimizers.optimizer import LearningRate, Optimizer, State

# A product of momentums below this does not change 1 minus the product, even in float64.
NEGLIGIBLE = 1e-17


class Nadam(Optimizer):
    """Nesterov-accelerated adaptive moment estimation. At step ``t = iterations + 1``:

        μₜ        = beta_1 * (1 - 0.96^(t * momentum_decay) / 2)
        momentum  = beta_1 * momentum + (1 - beta_1) * gradient
        cache     = beta_2 * cache    + (1 - beta_2) * gradient²
        look      = μₜ₊₁ * momentum / (1 - μ₁ μ₂ … μₜ₊₁)
                    + (1 - μₜ) * gradient / (1 - μ₁ μ₂ … μₜ)
        parameter = parameter - learning_rate * look / (√(cache / (1 - beta_2ᵗ)) + epsilon)

    Where Adam goes by the momentum of this step, Nadam looks ahead to that of the next one. The
    weight ``μₜ`` of the momentum rises from half of ``beta_1`` to ``beta_1``. This is PyTorch's
    ``NAdam``, and with ``momentum_decay=1`` Keras's ``Nadam``.

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        epsilon: greater than 0; prevents a division by 0.
        beta_1, beta_2: the decay rates of momentum and cache, at least 0 and less than 1.
        momentum_decay: how fast ``μₜ`` rises, at least 0.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016.

    >>> class Layer:
    ...     weights, dweights = np.array([1.0, 1.0]), np.array([100.0, -0.001])
    >>> Nadam(0.1).update_params(Layer)
    >>> Layer.weights.round(3)
    array([0.894, 1.106])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        momentum_decay: float = 0.004,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.epsilon = check_positive("epsilon", epsilon)
        self.beta_1 = check_fraction("beta_1", beta_1)
        self.beta_2 = check_fraction("beta_2", beta_2)
        self.momentum_decay = check_non_negative("momentum_decay", momentum_decay)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        momentum = state.array("momentum", like=parameter)
        cache = state.array("cache", like=parameter)
        scratch = np.multiply(gradient, 1 - self.beta_1, dtype=parameter.dtype)
        momentum *= self.beta_1
        momentum += scratch
        np.square(gradient, out=scratch, casting="same_kind")
        scratch *= 1 - self.beta_2
        cache *= self.beta_2
        cache += scratch

        step = self.iterations + 1
        now, following = self._momentum_weight(step), self._momentum_weight(step + 1)
        product = self._product_of_weights(step)
        look = momentum * (following / (1 - product * following))
        np.multiply(gradient, (1 - now) / (1 - product), out=scratch, casting="same_kind")
        look += scratch
        look *= self.current_learning_rate
        np.divide(cache, 1 - self.beta_2**step, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        look /= scratch
        parameter -= look

    def _momentum_weight(self, step: int) -> float:
        """Return μ of ``step``."""
        return self.beta_1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay))

    def _product_of_weights(self, step: int) -> float:
        """Return ``μ₁ μ₂ … μₜ``, or 0 where that is negligible.

        It is computed anew in each step, so that it need not be remembered. Each μ is at most
        ``beta_1``, so that it soon is negligible: after 371 steps for 0.9.
        """
        if self.beta_1**step < NEGLIGIBLE:
            return 0.0
        weights = self.beta_1 * (1 - 0.5 * 0.96 ** (self.momentum_decay * np.arange(1, step + 1)))
        return float(weights.prod())
