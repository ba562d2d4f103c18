"""The kernel of ``framework.losses.Hinge``."""

import numpy as np

from framework.accelerated.jit import jit


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    kind = inputs.dtype.type
    zero, one, refused = kind(0), kind(1), kind(np.nan)
    for i in range(samples):
        total = zero
        for k in range(outputs):
            target = targets[i, k]
            missing = one - target * inputs[i, k]
            total += zero if missing < zero else missing
            if abs(target) != one:
                total = refused
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    kind = output.dtype.type
    zero, one, share = kind(0), kind(1), kind(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            target = targets[i, k]
            dinputs[i, k] = -share * target if target * output[i, k] < one else zero
