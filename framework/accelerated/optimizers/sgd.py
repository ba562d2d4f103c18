"""The kernel of ``optimizers.SGD``: remembers the velocity, unless the momentum is 0."""

from framework.accelerated.jit import jit


@jit
def update(optimizer, parameter, gradient, velocity, unused, rate, step):
    kind = parameter.dtype.type
    rate, momentum = kind(rate), kind(optimizer.momentum)
    if momentum == 0:
        for i in range(len(parameter)):
            parameter[i] -= rate * gradient[i]
        return
    for i in range(len(parameter)):
        change = rate * gradient[i]
        velocity[i] = momentum * velocity[i] - change
        parameter[i] += momentum * velocity[i] - change if optimizer.nesterov else velocity[i]
