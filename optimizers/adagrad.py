"""Adagrad: the step of each parameter shrinks with the sum of its squared gradients."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_positive
from optimizers.optimizer import LearningRate, Optimizer, State


class Adagrad(Optimizer):
    """Adaptive gradient.

        cache     = cache + gradient²
        parameter = parameter - learning_rate * gradient / (√cache + epsilon)

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        epsilon: greater than 0; prevents a division by 0.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", JMLR 2011; *Neural Networks from Scratch*, chapter 10.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.epsilon = check_positive("epsilon", epsilon)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        cache = state.array("cache", like=parameter)
        scratch = np.square(gradient, dtype=parameter.dtype)
        cache += scratch
        np.sqrt(cache, out=scratch)
        scratch += self.epsilon
        step = np.multiply(gradient, self.current_learning_rate, dtype=parameter.dtype)
        step /= scratch
        parameter -= step
