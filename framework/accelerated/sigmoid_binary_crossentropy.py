"""The compiled twin of ``framework.losses.SigmoidBinaryCrossentropy``."""

import numpy as np

from framework.accelerated.compiled import compiled
from framework.accelerated.sigmoid import sigmoid


@compiled
def losses(inputs, y_true, output, per_sample):
    """Write the probabilities, and the mean over the outputs of each sample's losses."""
    outputs = inputs.shape[1]
    for sample in range(len(inputs)):
        total = inputs.dtype.type(0)
        for k in range(outputs):
            x = inputs[sample, k]
            output[sample, k] = sigmoid(x)
            total += max(x, 0) + np.log1p(np.exp(-abs(x))) - x * y_true[sample, k]
        per_sample[sample] = total / outputs


@compiled
def backward(output, y_true, dinputs):
    share = output.dtype.type(1 / output.size)
    for sample in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[sample, k] = (output[sample, k] - y_true[sample, k]) * share
