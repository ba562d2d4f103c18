"""The kernel of ``framework.losses.MeanSquaredError``."""

from framework.accelerated.jit import jit


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    for i in range(samples):
        total = inputs.dtype.type(0)
        for k in range(outputs):
            error = inputs[i, k] - targets[i, k]
            total += error * error
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    share = output.dtype.type(2 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = (output[i, k] - targets[i, k]) * share
