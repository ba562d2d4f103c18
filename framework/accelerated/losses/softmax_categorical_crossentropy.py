"""The compiled twin of ``framework.losses.SoftmaxCategoricalCrossentropy``."""

import numpy as np

from framework.accelerated.compiled import compiled
from framework.accelerated.exponential import exponential


@compiled
def losses(inputs, y_true, temperature, output, per_sample):
    """Write the probabilities and the loss of each sample.

    ``y_true`` has class indices ``(samples,)`` or rows ``(samples, classes)``.
    """
    samples, classes = inputs.shape
    divisor = inputs.dtype.type(temperature)
    for i in range(samples):
        largest = inputs[i, 0]
        for k in range(1, classes):
            largest = max(largest, inputs[i, k])
        score = inputs.dtype.type(0)
        for k in range(classes):
            output[i, k] = (inputs[i, k] - largest) / divisor
            if y_true.ndim == 2:
                score += y_true[i, k] * output[i, k]
        if y_true.ndim == 1:
            score = output[i, y_true[i]]
        per_sample[i] = -score
    flat = output.ravel()
    for i in range(len(flat)):
        flat[i] = exponential(flat[i])
    for i in range(samples):
        total = inputs.dtype.type(0)
        for k in range(classes):
            total += output[i, k]
        for k in range(classes):
            output[i, k] /= total
        per_sample[i] += np.log(total)


@compiled
def backward(output, y_true, temperature, samples, dinputs):
    """``samples`` is how many there are in the batch, of which these may be a part."""
    share = output.dtype.type(1 / (samples * temperature))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = output[i, k] * share
            if y_true.ndim == 2:
                dinputs[i, k] -= y_true[i, k] * share
        if y_true.ndim == 1:
            dinputs[i, y_true[i]] -= share
