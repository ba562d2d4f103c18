"""The kernel of ``framework.losses.BinaryCrossentropy``, of probabilities."""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.losses.categorical_crossentropy import clipped


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    zero, one, refused = inputs.dtype.type(0), inputs.dtype.type(1), inputs.dtype.type(np.nan)
    for i in range(samples):
        total = zero
        for k in range(outputs):
            yes, target = clipped(inputs[i, k]), targets[i, k]
            # Targets of 0 and 1 need a single logarithm.
            if target != zero:
                total -= target * np.log(yes)
            if target != one:
                total -= (one - target) * np.log(one - yes)
            if not zero <= target <= one:
                total = refused
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    one, share = output.dtype.type(1), output.dtype.type(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            yes, target = clipped(output[i, k]), targets[i, k]
            dinputs[i, k] = ((one - target) / (one - yes) - target / yes) * share
