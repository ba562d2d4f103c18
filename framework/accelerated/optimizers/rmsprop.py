"""The kernel of ``optimizers.RMSprop``."""

import numpy as np

from framework.accelerated.jit import jit


@jit
def update(optimizer, parameter, gradient, cache, unused, rate, step):
    kind = parameter.dtype.type
    kept, new = kind(optimizer.rho), kind(1 - optimizer.rho)
    rate, epsilon = kind(rate), kind(optimizer.epsilon)
    for i in range(len(parameter)):
        cache[i] = kept * cache[i] + new * (gradient[i] * gradient[i])
        parameter[i] -= rate * gradient[i] / (np.sqrt(cache[i]) + epsilon)
