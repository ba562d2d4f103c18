"""The kernel of ``framework.losses.SoftmaxCategoricalCrossentropy``."""

import numpy as np

from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit
from framework.accelerated.losses.categorical_crossentropy import is_distribution


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, classes = inputs.shape
    divisor = inputs.dtype.type(loss.temperature)
    refused = inputs.dtype.type(np.nan)
    for i in range(samples):
        largest = inputs[i, 0]
        for k in range(1, classes):
            largest = max(largest, inputs[i, k])
        for k in range(classes):
            output[i, k] = (inputs[i, k] - largest) / divisor
    if len(labels):
        for i in range(samples):
            label = labels[i]
            per_sample[i] = -output[i, label] if 0 <= label < classes else refused
    else:
        for i in range(samples):
            score = inputs.dtype.type(0)
            for k in range(classes):
                score += targets[i, k] * output[i, k]
            per_sample[i] = -score if is_distribution(targets, i) else refused
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


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    share = output.dtype.type(1 / (samples * loss.temperature))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = output[i, k] * share
    if len(labels):
        for i in range(len(output)):
            dinputs[i, labels[i]] -= share
    else:
        for i in range(len(output)):
            for k in range(output.shape[1]):
                dinputs[i, k] -= targets[i, k] * share
