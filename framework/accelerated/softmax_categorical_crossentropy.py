"""The compiled twin of ``framework.losses.SoftmaxCategoricalCrossentropy``, row by row."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def losses(inputs, y_true, temperature, output, per_sample):
    """Write the probabilities and the loss of each sample.

    ``y_true`` has class indices ``(samples,)`` or rows ``(samples, classes)``.
    """
    classes = inputs.shape[1]
    divisor = inputs.dtype.type(temperature)
    for sample in range(len(inputs)):
        largest = inputs[sample, 0]
        for k in range(1, classes):
            largest = max(largest, inputs[sample, k])
        total = score = inputs.dtype.type(0)
        for k in range(classes):
            shifted = (inputs[sample, k] - largest) / divisor
            if y_true.ndim == 1:
                if k == y_true[sample]:
                    score = shifted
            else:
                score += y_true[sample, k] * shifted
            output[sample, k] = np.exp(shifted)
            total += output[sample, k]
        for k in range(classes):
            output[sample, k] /= total
        per_sample[sample] = np.log(total) - score


@compiled
def backward(output, y_true, temperature, dinputs):
    share = output.dtype.type(1 / (len(output) * temperature))
    for sample in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[sample, k] = output[sample, k] * share
        if y_true.ndim == 1:
            dinputs[sample, y_true[sample]] -= share
        else:
            for k in range(output.shape[1]):
                dinputs[sample, k] -= y_true[sample, k] * share
