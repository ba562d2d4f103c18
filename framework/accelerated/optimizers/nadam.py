"""The kernel of ``optimizers.Nadam``."""

import numpy as np

from framework.accelerated.jit import jit
from optimizers.nadam import NEGLIGIBLE


@jit
def weights_of_momentum(beta_1, momentum_decay, step):
    """Return μ of ``step`` and of the next one, and the product of all up to ``step``."""
    factor = 0.96**momentum_decay
    power, product = 1.0, 1.0
    if beta_1**step < NEGLIGIBLE:
        power, product = factor**step, 0.0
    else:
        for _ in range(step):
            power *= factor
            product *= beta_1 * (1 - 0.5 * power)
    return beta_1 * (1 - 0.5 * power), beta_1 * (1 - 0.5 * power * factor), product


@jit
def update(optimizer, parameter, gradient, momentum, cache, rate, step):
    kind = parameter.dtype.type
    kept_1, new_1 = kind(optimizer.beta_1), kind(1 - optimizer.beta_1)
    kept_2, new_2 = kind(optimizer.beta_2), kind(1 - optimizer.beta_2)
    now, following, product = weights_of_momentum(optimizer.beta_1, optimizer.momentum_decay, step)
    ahead = kind(rate * following / (1 - product * following))
    direct = kind(rate * (1 - now) / (1 - product))
    warm_2, epsilon = kind(1 / (1 - optimizer.beta_2**step)), kind(optimizer.epsilon)
    for i in range(len(parameter)):
        momentum[i] = kept_1 * momentum[i] + new_1 * gradient[i]
        cache[i] = kept_2 * cache[i] + new_2 * (gradient[i] * gradient[i])
        look = ahead * momentum[i] + direct * gradient[i]
        parameter[i] -= look / (np.sqrt(cache[i] * warm_2) + epsilon)
