"""The kernel of ``framework.losses.Poisson``."""

import numpy as np

from framework.accelerated.jit import jit
from framework.losses.loss import CLIP


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, outputs = inputs.shape
    kind = inputs.dtype.type
    smallest, refused = kind(CLIP), kind(np.nan)
    for i in range(samples):
        total = kind(0)
        for k in range(outputs):
            rate = inputs[i, k]
            total += rate - targets[i, k] * np.log(smallest if rate < smallest else rate)
            if not targets[i, k] >= 0:
                total = refused
        per_sample[i] = total / outputs


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    kind = output.dtype.type
    smallest, share = kind(CLIP), kind(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            rate = output[i, k]
            rate = smallest if rate < smallest else rate
            dinputs[i, k] = share * (kind(1) - targets[i, k] / rate)
