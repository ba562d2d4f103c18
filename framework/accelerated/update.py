"""One update of all parameters by the optimizer that a line of the table stands for."""

import numpy as np

from framework.accelerated import adam, rmsprop, sgd
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import ADAPTIVE_MOMENTS, ROOT_MEAN_SQUARE, STOCHASTIC


@entry
def update(line, parameters, gradients, first, second, rate, iteration):
    """``first`` and ``second`` are what the optimizer remembers: see ``optimizer_memory``."""
    squares = sum_of_squares(gradients) if line.max_gradient_norm > 0 else 0.0
    update_part(line, parameters, gradients, first, second, rate, iteration, squares)


@compiled
def update_part(line, parameters, gradients, first, second, rate, iteration, squares):
    """Update some of the parameters, where the squares of all gradients add up to ``squares``."""
    norm = np.sqrt(squares)
    if 0 < line.max_gradient_norm < norm < np.inf:
        gradients = gradients * gradients.dtype.type(line.max_gradient_norm / norm)
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
def sum_of_squares(gradients):
    squares = 0.0
    for gradient in gradients:
        squares += np.float64(gradient) * np.float64(gradient)
    return squares
