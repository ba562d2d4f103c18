"""The kernel of a frozen ``framework.layers.BatchNormalization``: saves the normalized inputs.

Its constants are the running mean and the running variance. It computes as in prediction.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows


@jit
def scales(op, state):
    """Return 1 / deviation for each feature."""
    scale = np.empty_like(state.statistics[: op.last_axis])
    for k in range(len(scale)):
        scale[k] = 1 / np.sqrt(state.statistics[op.last_axis + k] + op.epsilon)
    return scale


@jit
def forward(op, inputs, state, saved, output):
    features = op.last_axis
    x, out, normalized = (
        in_rows(inputs, features), in_rows(output, features), in_rows(saved[0], features)
    )  # fmt: skip
    weights, biases = state.parameters[:features], state.parameters[features:]
    mean, scale = state.statistics[:features], scales(op, state)
    for row in range(len(x)):
        for k in range(features):
            value = (x[row, k] - mean[k]) * scale[k]
            normalized[row, k] = value
            out[row, k] = value * weights[k] + biases[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    scale, weights = scales(op, state), state.parameters
    dout, dx = in_rows(dvalues, op.last_axis), in_rows(dinputs, op.last_axis)
    for row in range(len(dx)):
        for k in range(op.last_axis):
            dx[row, k] = dout[row, k] * weights[k] * scale[k]
