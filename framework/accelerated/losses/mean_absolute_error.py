"""The kernel of ``framework.losses.MeanAbsoluteError``."""

from framework.accelerated.jit import jit


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    for i in range(samples):
        total = inputs.dtype.type(0)
        for k in range(outputs):
            total += abs(inputs[i, k] - targets[i, k])
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    zero, share = output.dtype.type(0), output.dtype.type(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            error = output[i, k] - targets[i, k]
            dinputs[i, k] = share if error > zero else (-share if error < zero else zero)
