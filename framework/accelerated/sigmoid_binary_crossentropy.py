"""The compiled twin of ``framework.losses.SigmoidBinaryCrossentropy``."""

import numpy as np

from framework.accelerated import sigmoid
from framework.accelerated.compiled import compiled
from framework.accelerated.exponential import exponential


@compiled
def losses(inputs, y_true, output, per_sample):
    """Write the probabilities, and the mean over the outputs of each sample's losses.

    It is NaN where a target is not from 0 to 1.
    """
    sigmoid.forward(inputs, output)
    outputs = inputs.shape[1]
    zero = inputs.dtype.type(0)
    for i in range(len(inputs)):
        total = zero
        for k in range(outputs):
            x = inputs[i, k]
            target = y_true[i, k]
            total += max(x, zero) + np.log1p(exponential(-abs(x))) - x * target
            if not 0 <= target <= 1:
                total = inputs.dtype.type(np.nan)
        per_sample[i] = total / outputs


@compiled
def backward(output, y_true, samples, dinputs):
    """``samples`` is how many there are in the batch, of which these may be a part."""
    share = output.dtype.type(1 / (samples * output.shape[1]))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = (output[i, k] - y_true[i, k]) * share
