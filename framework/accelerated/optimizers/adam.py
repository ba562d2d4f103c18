"""The kernel of ``optimizers.Adam``, and of ``AdamW`` where ``weight_decay`` is not 0."""

import numpy as np

from framework.accelerated.jit import jit


@jit
def update(optimizer, parameter, gradient, momentum, cache, rate, step):
    kind = parameter.dtype.type
    kept_1, new_1 = kind(optimizer.beta_1), kind(1 - optimizer.beta_1)
    kept_2, new_2 = kind(optimizer.beta_2), kind(1 - optimizer.beta_2)
    shrunk = kind(1 - rate * optimizer.weight_decay)
    warm_1 = kind(rate / (1 - optimizer.beta_1**step))
    warm_2 = kind(1 / (1 - optimizer.beta_2**step))
    epsilon = kind(optimizer.epsilon)
    for i in range(len(parameter)):
        momentum[i] = kept_1 * momentum[i] + new_1 * gradient[i]
        cache[i] = kept_2 * cache[i] + new_2 * (gradient[i] * gradient[i])
        change = warm_1 * momentum[i] / (np.sqrt(cache[i] * warm_2) + epsilon)
        parameter[i] = shrunk * parameter[i] - change
