"""The kernel of ``framework.losses.Huber``."""

from framework.accelerated.jit import jit


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    half, delta = inputs.dtype.type(0.5), inputs.dtype.type(loss.delta)
    for i in range(samples):
        total = inputs.dtype.type(0)
        for k in range(outputs):
            error = abs(inputs[i, k] - targets[i, k])
            capped = delta if error > delta else error
            total += capped * (error - half * capped)
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    kind = output.dtype.type
    delta, share = kind(loss.delta), kind(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            error = output[i, k] - targets[i, k]
            error = delta if error > delta else (-delta if error < -delta else error)
            dinputs[i, k] = error * share
