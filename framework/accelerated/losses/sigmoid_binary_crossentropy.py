"""The kernel of ``framework.losses.SigmoidBinaryCrossentropy``."""

import numpy as np

from framework.accelerated.exponential import exponential, log_one_plus
from framework.accelerated.jit import jit


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    zero, one, refused = inputs.dtype.type(0), inputs.dtype.type(1), inputs.dtype.type(np.nan)
    for i in range(samples):
        total = zero
        for k in range(outputs):
            x, target = inputs[i, k], targets[i, k]
            z = exponential(-abs(x))
            output[i, k] = (one if x >= zero else z) / (one + z)
            total += (zero if x < zero else x) + log_one_plus(z) - x * target
            if not zero <= target <= one:
                total = refused
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    share = output.dtype.type(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = (output[i, k] - targets[i, k]) * share
