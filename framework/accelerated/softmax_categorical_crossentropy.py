"""The compiled twin of ``framework.losses.SoftmaxCategoricalCrossentropy``."""

import numpy as np

from framework.accelerated.compiled import compiled
from framework.accelerated.exponential import exponential

# Twice that of ``class_targets``: what is refused here must be so there as well, however rounded.
SUM_TOLERANCE = 2e-3


@compiled
def losses(inputs, y_true, temperature, output, per_sample):
    """Write the probabilities and the loss of each sample, NaN where its target is no class.

    ``y_true`` has class indices ``(samples,)`` or rows ``(samples, classes)``.
    """
    samples, classes = inputs.shape
    divisor = inputs.dtype.type(temperature)
    no_class = inputs.dtype.type(np.nan)
    for i in range(samples):
        largest = inputs[i, 0]
        for k in range(1, classes):
            largest = max(largest, inputs[i, k])
        score, total_target = inputs.dtype.type(0), 0.0
        for k in range(classes):
            output[i, k] = (inputs[i, k] - largest) / divisor
            if y_true.ndim == 2:
                target = y_true[i, k]
                score += target * output[i, k] if target >= 0 else no_class
                total_target += target
        if y_true.ndim == 1:
            label = y_true[i]
            score = output[i, label] if 0 <= label < classes else no_class
        elif not abs(total_target - 1) < SUM_TOLERANCE:
            score = no_class
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
    """``samples`` is how many there are in the batch, of which these may be a part.

    ``y_true`` are targets whose ``losses`` were not NaN, and nobody has changed them since.
    """
    share = output.dtype.type(1 / (samples * temperature))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = output[i, k] * share
            if y_true.ndim == 2:
                dinputs[i, k] -= y_true[i, k] * share
        if y_true.ndim == 1:
            dinputs[i, y_true[i]] -= share
