"""The kernel of ``framework.layers.BatchNormalization``: saves the normalized inputs.

Its statistics are the running mean, the running variance, and the deviation of the batch. What has
to be known of all samples is found out part by part beforehand, and stands in the partials:

    count, mean, squares     of the inputs: how many rows, and the sum of (input - mean)²
    dweights, dbiases        sums over the rows

Each of these but the first is a number for each feature.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows
from framework.accelerated.state import own_rows

# A block of rows is read twice, from the first-level cache the second time.
BYTES_OF_BLOCK = 2**14


@jit
def add_statistics(count, mean, squares, other_count, other_mean, other_squares):
    """Add the statistics of further rows, and return how many rows there are with those."""
    total = count + other_count
    for k in range(len(mean)):
        difference = other_mean[k] - mean[k]
        squares[k] += other_squares[k] + difference * difference * (count * other_count / total)
        mean[k] += difference * (other_count / total)
    return total


@jit
def own_statistics(x, mean, squares):
    """Write the mean of each column of ``x`` and the squares around it, both float64."""
    features = x.shape[1]
    block = max(1, BYTES_OF_BLOCK // (features * x.itemsize))
    of_block, squares_of_block = np.empty(features), np.empty(features)
    mean[:] = 0
    squares[:] = 0
    for start in range(0, len(x), block):
        rows = x[start : start + block]
        of_block[:] = 0
        squares_of_block[:] = 0
        for row in range(len(rows)):
            for k in range(features):
                of_block[k] += rows[row, k]
        of_block /= len(rows)
        for row in range(len(rows)):
            for k in range(features):
                squares_of_block[k] += (rows[row, k] - of_block[k]) ** 2
        add_statistics(start, mean, squares, len(rows), of_block, squares_of_block)


@jit
def forward_partials(op, inputs, state):
    features = op.last_axis
    x, partial = in_rows(inputs, features), state.partials[state.part]
    mean, squares = np.empty(features), np.empty(features)
    own_statistics(x, mean, squares)
    partial[0] = len(x)
    for k in range(features):
        partial[1 + k] = mean[k]
        partial[1 + features + k] = squares[k]


@jit
def batch_statistics(partials, mean, squares):
    """Write the mean and the squares of the rows of all parts. Return how many rows there are."""
    features = len(mean)
    mean[:] = 0
    squares[:] = 0
    count = 0
    for partial in partials:
        if partial[0] > 0:
            count = add_statistics(
                count, mean, squares,
                int(partial[0]), partial[1 : 1 + features],
                partial[1 + features : 1 + 2 * features],
            )  # fmt: skip
    return count


@jit
def forward(op, inputs, state, saved, output):
    features = op.last_axis
    mean, squares = np.empty(features), np.empty(features)
    count = batch_statistics(state.partials, mean, squares)
    shift, scale = np.empty(features, output.dtype), np.empty(features, output.dtype)
    for k in range(features):
        shift[k] = mean[k]
        scale[k] = 1 / np.sqrt(squares[k] / count + op.epsilon)
    if state.part == 0:
        running_mean, running_variance, deviation = state.statistics.reshape(3, features)
        for k in range(features):
            variance = squares[k] / count
            deviation[k] = np.sqrt(variance + op.epsilon)
            if count > 1:
                running_mean[k] *= op.momentum
                running_mean[k] += (1 - op.momentum) * mean[k]
                running_variance[k] *= op.momentum
                running_variance[k] += (1 - op.momentum) * variance
    write_normalized(op, inputs, state, shift, scale, saved[0], output)


@jit
def write_normalized(op, inputs, state, shift, scale, normalized, output):
    """Write ``(inputs - shift) * scale``, and that with the weights and biases."""
    features = op.last_axis
    x, out = in_rows(inputs, features), in_rows(output, features)
    between = in_rows(normalized, features)
    weights, biases = state.parameters[:features], state.parameters[features:]
    for row in range(len(x)):
        for k in range(features):
            value = (x[row, k] - shift[k]) * scale[k]
            between[row, k] = value
            out[row, k] = value * weights[k] + biases[k]


@jit
def backward_partials(op, dvalues, state, saved):
    features = op.last_axis
    dout, normalized = in_rows(dvalues, features), in_rows(saved[0], features)
    weighted, plain = np.zeros(features), np.zeros(features)
    for row in range(len(dout)):
        for k in range(features):
            weighted[k] += dout[row, k] * normalized[row, k]
            plain[k] += dout[row, k]
    partial = state.partials[state.part]
    for k in range(features):
        partial[1 + 2 * features + k] = weighted[k]
        partial[1 + 3 * features + k] = plain[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    features = op.last_axis
    dout, dx, normalized = (
        in_rows(dvalues, features), in_rows(dinputs, features), in_rows(saved[0], features)
    )  # fmt: skip
    weights, deviation = state.parameters[:features], state.statistics[2 * features :]
    count = state.partials[:, 0].sum()
    scale, through_variance, through_mean = (
        weights / deviation,
        np.zeros_like(weights),
        np.zeros_like(weights),
    )
    for k in range(features):
        for found in state.partials:
            through_variance[k] += found[1 + 2 * features + k]
            through_mean[k] += found[1 + 3 * features + k]
        through_variance[k] *= scale[k] / count
        through_mean[k] *= scale[k] / count
    for row in range(len(dout)):
        for k in range(features):
            dx[row, k] = (
                dout[row, k] * scale[k] - through_mean[k] - normalized[row, k] * through_variance[k]
            )


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    """Add up what the parts have found, for a part's share: the weights, or the biases."""
    own = own_rows(op, state)
    for parameter in range(own.start * op.parameter_row, own.stop * op.parameter_row):
        state.gradients[parameter] = 0
        for found in state.partials:
            state.gradients[parameter] += found[1 + 2 * op.last_axis + parameter]
