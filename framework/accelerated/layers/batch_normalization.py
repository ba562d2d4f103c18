"""The compiled twin of ``framework.layers.BatchNormalization``, for inputs in rows."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def batch_statistics(inputs, mean, variance):
    """Write the mean and the variance of each feature over the batch, both float64."""
    samples = len(inputs)
    mean[:] = 0
    variance[:] = 0
    for sample in range(samples):
        for feature in range(len(mean)):
            mean[feature] += inputs[sample, feature]
    mean /= samples
    for sample in range(samples):
        for feature in range(len(mean)):
            variance[feature] += (inputs[sample, feature] - mean[feature]) ** 2
    variance /= samples


@compiled
def forward(inputs, weights, biases, statistics, momentum, epsilon, normalized, output):
    """``statistics`` has the running mean, the running variance, and room for the deviation."""
    samples, features = inputs.shape
    running_mean, running_variance, deviation = statistics
    mean, variance = np.empty(features), np.empty(features)
    batch_statistics(inputs, mean, variance)
    if samples > 1:
        for feature in range(features):
            running_mean[feature] *= momentum
            running_mean[feature] += (1 - momentum) * mean[feature]
            running_variance[feature] *= momentum
            running_variance[feature] += (1 - momentum) * variance[feature]
    shift, scale = np.empty_like(biases), np.empty_like(biases)
    for feature in range(features):
        deviation[feature] = np.sqrt(variance[feature] + epsilon)
        shift[feature] = mean[feature]
        scale[feature] = 1 / deviation[feature]
    for sample in range(samples):
        for feature in range(features):
            value = (inputs[sample, feature] - shift[feature]) * scale[feature]
            normalized[sample, feature] = value
            output[sample, feature] = value * weights[feature] + biases[feature]


@compiled
def backward(dvalues, weights, deviation, normalized, dweights, dbiases, dinputs):
    samples, features = dvalues.shape
    weighted, plain = np.zeros(features), np.zeros(features)
    for sample in range(samples):
        for feature in range(features):
            weighted[feature] += dvalues[sample, feature] * normalized[sample, feature]
            plain[feature] += dvalues[sample, feature]
    dweights[:] = weighted
    dbiases[:] = plain
    scale = weights / deviation
    through_mean, through_variance = dbiases * scale / samples, dweights * scale / samples
    for sample in range(samples):
        for feature in range(features):
            dinputs[sample, feature] = (
                dvalues[sample, feature] * scale[feature]
                - through_mean[feature]
                - normalized[sample, feature] * through_variance[feature]
            )
