"""One update of all parameters by the optimizer that a line of the table stands for."""

import numpy as np

from framework.accelerated import adam, rmsprop, sgd
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import ADAPTIVE_MOMENTS, ROOT_MEAN_SQUARE, STOCHASTIC


@entry
def update(line, parameters, gradients, first, second, rate, iteration):
    """``first`` and ``second`` are what the optimizer remembers."""
    if line.max_gradient_norm > 0:
        gradients = clipped(gradients, line.max_gradient_norm)
    if line.kind == STOCHASTIC:
        sgd.update(parameters, gradients, first, rate, line.momentum, line.nesterov != 0)
    elif line.kind == ROOT_MEAN_SQUARE:
        rmsprop.update(parameters, gradients, first, rate, line.rho, line.epsilon)
    elif line.kind == ADAPTIVE_MOMENTS:
        adam.update(
            parameters,
            gradients,
            first,
            second,
            rate,
            line.beta_1,
            line.beta_2,
            line.epsilon,
            line.weight_decay,
            iteration + 1,
        )


@compiled
def clipped(gradients, largest):
    """The gradients, or a copy of them that is scaled down to the norm ``largest``."""
    squares = 0.0
    for gradient in gradients:
        squares += np.float64(gradient) * np.float64(gradient)
    norm = np.sqrt(squares)
    if largest < norm < np.inf:
        return gradients * gradients.dtype.type(largest / norm)
    return gradients
