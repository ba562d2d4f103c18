"""RMSprop: the gradient divided by the root mean square of recent gradients."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_fraction, check_positive
from optimizers.optimizer import LearningRate, Optimizer, State


class RMSprop(Optimizer):
    """Root mean square propagation.

        cache     = rho * cache + (1 - rho) * gradient²
        parameter = parameter - learning_rate * gradient / (√cache + epsilon)

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        epsilon: greater than 0; prevents a division by 0.
        rho: the decay rate of the cache, at least 0 and less than 1.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera 2012;
    *Neural Networks from Scratch*, chapter 10.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        rho: float = 0.9,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.epsilon = check_positive("epsilon", epsilon)
        self.rho = check_fraction("rho", rho)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        cache = state.array("cache", like=parameter)
        scratch = np.square(gradient, dtype=parameter.dtype)
        scratch *= 1 - self.rho
        cache *= self.rho
        cache += scratch
        np.sqrt(cache, out=scratch)
        scratch += self.epsilon
        step = np.multiply(gradient, self.current_learning_rate, dtype=parameter.dtype)
        step /= scratch
        parameter -= step
