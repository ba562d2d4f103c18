"""The kernel of ``optimizers.Adagrad``."""

import numpy as np

from framework.accelerated.jit import jit


@jit
def update(optimizer, parameter, gradient, cache, unused, rate, step):
    rate, epsilon = parameter.dtype.type(rate), parameter.dtype.type(optimizer.epsilon)
    for i in range(len(parameter)):
        cache[i] += gradient[i] * gradient[i]
        parameter[i] -= rate * gradient[i] / (np.sqrt(cache[i]) + epsilon)
