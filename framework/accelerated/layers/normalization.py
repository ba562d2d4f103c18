"""The kernel of ``framework.layers.Normalization``.

Its constants are the mean, the rest of the mean, and the deviation of each feature.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows


@jit
def factors(op, state):
    deviation = state.statistics[2 * op.last_axis :]
    factor = np.zeros_like(deviation)
    for k in range(len(factor)):
        if deviation[k] > 0:
            factor[k] = 1 / deviation[k]
    return factor


@jit
def forward(op, inputs, state, saved, output):
    features = op.last_axis
    mean, rest = state.statistics[:features], state.statistics[features : 2 * features]
    factor = factors(op, state)
    x, out = in_rows(inputs, features), in_rows(output, features)
    # Two passes, since sums that may be reordered would round mean + rest.
    for row in range(len(x)):
        for k in range(features):
            out[row, k] = x[row, k] - mean[k]
    for row in range(len(x)):
        for k in range(features):
            out[row, k] = (out[row, k] - rest[k]) * factor[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    factor = factors(op, state)
    dout, dx = in_rows(dvalues, op.last_axis), in_rows(dinputs, op.last_axis)
    for row in range(len(dx)):
        for k in range(len(factor)):
            dx[row, k] = dout[row, k] * factor[k]
