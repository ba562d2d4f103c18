"""The compiled twin of ``optimizers.RMSprop``."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def update(parameter, gradient, cache, rate, rho, epsilon):
    kind = parameter.dtype.type
    kept, new = kind(rho), kind(1 - rho)
    rate, epsilon = kind(rate), kind(epsilon)
    for i in range(len(parameter)):
        cache[i] = kept * cache[i] + new * (gradient[i] * gradient[i])
        parameter[i] -= rate * gradient[i] / (np.sqrt(cache[i]) + epsilon)
