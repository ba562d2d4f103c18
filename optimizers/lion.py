"""Lion: steps of one size, in the direction of the sign of a momentum."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_fraction, check_non_negative
from optimizers.optimizer import LearningRate, State
from optimizers.weight_decay import WeightDecay, check_excluded


class Lion(WeightDecay):
    """Evolved sign momentum, with decoupled weight decay.

        direction = sign(beta_1 * momentum + (1 - beta_1) * gradient)
        parameter = parameter - learning_rate * (direction + weight_decay * parameter)
        momentum  = beta_2 * momentum + (1 - beta_2) * gradient

    Each number moves by the learning rate, however large its gradient is, and not at all where the
    sum is 0. So the learning rate is usually 3 to 10 times smaller than that of ``AdamW``, and
    ``weight_decay`` as many times larger. It applies to all parameters, biases included, but for
    those of ``decay_exclude``.

    Args:
        learning_rate, decay, max_gradient_norm: see ``Optimizer``.
        beta_1: the share of the momentum in the direction, at least 0 and less than 1.
        beta_2: the decay rate of the momentum, at least 0 and less than 1.
        weight_decay: at least 0.
        decay_exclude: names of parameters that do not decay: see ``AdamW``.

    Raises:
        TypeError, ValueError: for an argument of another kind, or out of its range.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023.

    >>> class Layer:
    ...     weights, dweights = np.array([1.0, 1.0, 1.0]), np.array([100.0, 0.0, -0.001])
    >>> Lion(0.1).update_params(Layer)
    >>> Layer.weights
    array([0.9, 1. , 1.1])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0001,
        decay: float = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float = 0.0,
        *,
        decay_exclude: Iterable[str] = (),
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay, max_gradient_norm=max_gradient_norm)
        self.beta_1 = check_fraction("beta_1", beta_1)
        self.beta_2 = check_fraction("beta_2", beta_2)
        self.weight_decay = check_non_negative("weight_decay", weight_decay)
        self.decay_exclude = check_excluded(decay_exclude)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        momentum = state.array("momentum", like=parameter)
        step = np.multiply(gradient, 1 - self.beta_1, dtype=parameter.dtype)
        step += self.beta_1 * momentum
        np.sign(step, out=step)
        step *= self.current_learning_rate
        parameter -= step
        np.multiply(gradient, 1 - self.beta_2, out=step, casting="same_kind")
        momentum *= self.beta_2
        momentum += step
