"""The compiled twin of ``optimizers.Adam``, and of ``AdamW`` where ``weight_decay`` is not 0."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def update(
    parameter, gradient, momentum, cache, rate, beta_1, beta_2, epsilon, weight_decay, step
):  # fmt: skip
    kind = parameter.dtype.type
    kept_1, new_1 = kind(beta_1), kind(1 - beta_1)
    kept_2, new_2 = kind(beta_2), kind(1 - beta_2)
    shrunk = kind(1 - rate * weight_decay)
    warm_1, warm_2 = kind(rate / (1 - beta_1**step)), kind(1 / (1 - beta_2**step))
    epsilon = kind(epsilon)
    for i in range(len(parameter)):
        momentum[i] = kept_1 * momentum[i] + new_1 * gradient[i]
        cache[i] = kept_2 * cache[i] + new_2 * (gradient[i] * gradient[i])
        step_size = warm_1 * momentum[i] / (np.sqrt(cache[i] * warm_2) + epsilon)
        parameter[i] = shrunk * parameter[i] - step_size
