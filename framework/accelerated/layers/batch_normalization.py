"""The kernel of ``framework.layers.BatchNormalization``: saves the normalized inputs.

Its statistics are the running mean, the running variance, and the deviation of the batch. It works
on all samples at once, so that a single thread has to do it.
"""

import numpy as np

from framework.accelerated.jit import jit


@jit
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


@jit
def forward(op, inputs, state, saved, output):
    features = op.last_axis
    samples = inputs.size // features
    x, out = inputs.reshape(samples, features), output.reshape(samples, features)
    normalized = saved[0].reshape(samples, features)
    weights, biases = state.parameters[:features], state.parameters[features:]
    running_mean, running_variance, deviation = state.statistics.reshape(3, features)
    mean, variance = np.empty(features), np.empty(features)
    batch_statistics(x, mean, variance)
    if samples > 1:
        for feature in range(features):
            running_mean[feature] *= op.momentum
            running_mean[feature] += (1 - op.momentum) * mean[feature]
            running_variance[feature] *= op.momentum
            running_variance[feature] += (1 - op.momentum) * variance[feature]
    shift, scale = np.empty_like(biases), np.empty_like(biases)
    for feature in range(features):
        deviation[feature] = np.sqrt(variance[feature] + op.epsilon)
        shift[feature] = mean[feature]
        scale[feature] = 1 / deviation[feature]
    for sample in range(samples):
        for feature in range(features):
            value = (x[sample, feature] - shift[feature]) * scale[feature]
            normalized[sample, feature] = value
            out[sample, feature] = value * weights[feature] + biases[feature]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    features = op.last_axis
    samples = dvalues.size // features
    dout, dx = dvalues.reshape(samples, features), dinputs.reshape(samples, features)
    normalized = saved[0].reshape(samples, features)
    weights, deviation = state.parameters[:features], state.statistics[2 * features :]
    weighted, plain = np.zeros(features), np.zeros(features)
    for sample in range(samples):
        for feature in range(features):
            weighted[feature] += dout[sample, feature] * normalized[sample, feature]
            plain[feature] += dout[sample, feature]
    dweights, dbiases = state.gradients[:features], state.gradients[features:]
    dweights[:] = weighted
    dbiases[:] = plain
    scale = weights / deviation
    through_mean, through_variance = dbiases * scale / samples, dweights * scale / samples
    for sample in range(samples):
        for feature in range(features):
            dx[sample, feature] = (
                dout[sample, feature] * scale[feature]
                - through_mean[feature]
                - normalized[sample, feature] * through_variance[feature]
            )
