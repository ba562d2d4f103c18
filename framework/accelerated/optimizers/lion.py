"""The kernel of ``optimizers.Lion``."""

from framework.accelerated.jit import jit


@jit
def update(optimizer, parameter, gradient, momentum, unused, rate, step):
    kind = parameter.dtype.type
    zero = kind(0)
    shared_1, new_1 = kind(optimizer.beta_1), kind(1 - optimizer.beta_1)
    kept_2, new_2 = kind(optimizer.beta_2), kind(1 - optimizer.beta_2)
    shrunk, rate = kind(1 - rate * optimizer.weight_decay), kind(rate)
    for i in range(len(parameter)):
        direction = shared_1 * momentum[i] + new_1 * gradient[i]
        # 0 and NaN stay as they are.
        change = rate if direction > zero else (-rate if direction < zero else direction)
        parameter[i] = shrunk * parameter[i] - change
        momentum[i] = kept_2 * momentum[i] + new_2 * gradient[i]
