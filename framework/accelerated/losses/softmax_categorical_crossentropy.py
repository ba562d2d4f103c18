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
        score = inputs.dtype.type(0)
        if len(labels):
            label = labels[i]
            score = output[i, label] if 0 <= label < classes else refused
        elif is_distribution(targets[i]):
            for k in range(classes):
                score += targets[i, k] * output[i, k]
        else:
            score = refused
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


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    share = output.dtype.type(1 / (samples * loss.temperature))
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = output[i, k] * share
        if len(labels):
            dinputs[i, labels[i]] -= share
        else:
            for k in range(output.shape[1]):
                dinputs[i, k] -= targets[i, k] * share
