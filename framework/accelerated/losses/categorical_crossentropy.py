"""The kernel of ``framework.losses.CategoricalCrossentropy``, of probabilities."""

import numpy as np

from framework.accelerated.jit import jit
from framework.losses.loss import CLIP

# Twice that of ``class_targets``: what is refused here must be so there as well, however rounded.
SUM_TOLERANCE = 2e-3


@jit
def is_distribution(targets, sample):
    """Whether the numbers of a row are all at least 0 and add up to 1."""
    total, fits = 0.0, True
    for k in range(targets.shape[1]):
        total += targets[sample, k]
        fits &= targets[sample, k] >= 0
    return fits and abs(total - 1) < SUM_TOLERANCE


@jit
def clipped(probability):
    """Return ``probability`` within ``CLIP`` … ``1 - CLIP``; NaN stays."""
    kind = type(probability)
    raised = kind(CLIP) if probability < kind(CLIP) else probability
    return kind(1 - CLIP) if raised > kind(1 - CLIP) else raised


@jit
def smoothing_shares(values, loss):
    """Return the shares of label smoothing: of the target itself, and of each class."""
    kind, classes = values.dtype.type, values.shape[1]
    return kind(1 - loss.label_smoothing), kind(loss.label_smoothing / classes)


@jit
def losses(loss, inputs, labels, targets, output, per_sample):
    samples, classes = inputs.shape
    zero, refused = inputs.dtype.type(0), inputs.dtype.type(np.nan)
    for i in range(samples):
        if len(labels):
            label = labels[i]
            per_sample[i] = -np.log(clipped(inputs[i, label])) if 0 <= label < classes else refused
        else:
            score = zero if is_distribution(targets, i) else refused
            for k in range(classes):
                if targets[i, k] != zero:  # a logarithm takes its time
                    score += targets[i, k] * np.log(clipped(inputs[i, k]))
            per_sample[i] = -score
    if loss.label_smoothing:
        kept, spread = smoothing_shares(inputs, loss)
        for i in range(samples):
            total = zero
            for k in range(classes):
                total += np.log(clipped(inputs[i, k]))
            per_sample[i] = kept * per_sample[i] - spread * total


@jit
def backward(loss, output, labels, targets, samples, dinputs):
    share = output.dtype.type(1 / samples)
    for i in range(len(output)):
        if len(labels):
            dinputs[i] = 0
            dinputs[i, labels[i]] = -share / clipped(output[i, labels[i]])
        else:
            for k in range(output.shape[1]):
                dinputs[i, k] = -share * targets[i, k] / clipped(output[i, k])
    if loss.label_smoothing:
        kept, spread = smoothing_shares(output, loss)
        for i in range(len(output)):
            for k in range(output.shape[1]):
                dinputs[i, k] = kept * dinputs[i, k] - share * spread / clipped(output[i, k])
