"""The kernel of ``framework.losses.SoftmaxCategoricalCrossentropy``."""

import numpy as np

from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit
from framework.accelerated.losses.categorical_crossentropy import (
    is_distribution,
    smoothing_shares,
)


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
    if loss.label_smoothing:
        kept, spread = smoothing_shares(inputs, loss)
        for i in range(samples):
            total = inputs.dtype.type(0)
            for k in range(classes):
                total += output[i, k]
            per_sample[i] = kept * per_sample[i] - spread * total
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
    kept, spread = smoothing_shares(output, loss)
    for i in range(len(output)):
        for k in range(output.shape[1]):
            dinputs[i, k] = output[i, k] * share
    if len(labels):
        for i in range(len(output)):
            dinputs[i, labels[i]] -= kept * share
    else:
        for i in range(len(output)):
            for k in range(output.shape[1]):
                dinputs[i, k] -= targets[i, k] * kept * share
    if loss.label_smoothing:
        for i in range(len(output)):
            for k in range(output.shape[1]):
                dinputs[i, k] -= spread * share
