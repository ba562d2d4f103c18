"""Stochastic gradient descent, with or without momentum."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_fraction
from optimizers.optimizer import LearningRate, Optimizer, State


class SGD(Optimizer):
    """Stochastic gradient descent, with optional momentum.

        velocity  = momentum * velocity - learning_rate * gradient
        parameter = parameter + velocity

    With ``nesterov=True`` the new velocity is applied once more, as a look-ahead:

        parameter = parameter + momentum * velocity - learning_rate * gradient

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        momentum: the decay rate of the velocity, at least 0 and less than 1.
        nesterov: Nesterov's form of momentum; needs ``momentum`` above 0.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: *Neural Networks from Scratch*, chapter 10; Sutskever et al., "On the importance
    of initialization and momentum in deep learning", ICML 2013 (Nesterov's form).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        decay: float = 0.0,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.momentum = check_fraction("momentum", momentum)
        self.nesterov = bool(nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=True needs a momentum greater than 0, received momentum=0")

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        step = np.multiply(gradient, self.current_learning_rate, dtype=parameter.dtype)
        if not self.momentum:
            parameter -= step
            return
        velocity = state.array("velocity", like=parameter)
        velocity *= self.momentum
        velocity -= step
        if self.nesterov:
            parameter -= step
            np.multiply(velocity, self.momentum, out=step)
            parameter += step
        else:
            parameter += velocity
