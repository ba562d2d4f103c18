"""The compiled twin of ``optimizers.SGD``."""

from framework.accelerated.compiled import compiled


@compiled
def update(parameter, gradient, velocity, rate, momentum, nesterov):
    kind = parameter.dtype.type
    rate, momentum = kind(rate), kind(momentum)
    if momentum == 0:
        for i in range(len(parameter)):
            parameter[i] -= rate * gradient[i]
        return
    for i in range(len(parameter)):
        step = rate * gradient[i]
        velocity[i] = momentum * velocity[i] - step
        parameter[i] += momentum * velocity[i] - step if nesterov else velocity[i]
