"""Adam: momentum divided by the root mean square of recent gradients, with bias correction."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_fraction, check_positive
from optimizers.optimizer import LearningRate, Optimizer, State


class Adam(Optimizer):
    """Adaptive moment estimation. At step ``t = iterations + 1``:

        momentum           = beta_1 * momentum + (1 - beta_1) * gradient
        cache              = beta_2 * cache + (1 - beta_2) * gradient²
        corrected_momentum = momentum / (1 - beta_1ᵗ)
        corrected_cache    = cache / (1 - beta_2ᵗ)
        step               = learning_rate * corrected_momentum / (√corrected_cache + epsilon)
        parameter          = parameter - step

    Both averages start at zero; the division by ``1 - betaᵗ`` corrects this bias.

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        epsilon: greater than 0; prevents a division by 0.
        beta_1, beta_2: the decay rates of momentum and cache, at least 0 and less than 1.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015;
    *Neural Networks from Scratch*, chapter 10.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.epsilon = check_positive("epsilon", epsilon)
        self.beta_1 = check_fraction("beta_1", beta_1)
        self.beta_2 = check_fraction("beta_2", beta_2)

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
        np.divide(cache, 1 - self.beta_2**step, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        # In the order of the formula, so that float32 rounds as in the book.
        change = np.divide(momentum, 1 - self.beta_1**step)
        change *= self.current_learning_rate
        change /= scratch
        parameter -= change
