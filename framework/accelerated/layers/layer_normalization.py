"""The kernel of ``framework.layers.LayerNormalization``.

It saves the normalized inputs and, in every feature, the deviation of the row.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows
from framework.accelerated.state import own_rows


@jit
def forward(op, inputs, state, saved, output):
    features, kind = op.last_axis, output.dtype.type
    weights, biases = state.parameters[:features], state.parameters[features:]
    x, out = in_rows(inputs, features), in_rows(output, features)
    normalized, deviations = in_rows(saved[0], features), in_rows(saved[1], features)
    for row in range(len(x)):
        total = kind(0)
        for k in range(features):
            total += x[row, k]
        mean, squares = total / kind(features), kind(0)
        for k in range(features):
            squares += (x[row, k] - mean) * (x[row, k] - mean)
        deviation = np.sqrt(squares / kind(features) + kind(op.epsilon))
        factor = kind(1) / deviation
        for k in range(features):
            value = (x[row, k] - mean) * factor
            normalized[row, k] = value
            deviations[row, k] = deviation
            out[row, k] = value * weights[k] + biases[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    if op.leaves_out_dinputs:
        return
    features, kind = op.last_axis, output.dtype.type
    weights = state.parameters[:features]
    dout, dx = in_rows(dvalues, features), in_rows(dinputs, features)
    normalized, deviations = in_rows(saved[0], features), in_rows(saved[1], features)
    for row in range(len(dx)):
        plain, along = kind(0), kind(0)
        for k in range(features):
            g = dout[row, k] * weights[k]
            plain += g
            along += g * normalized[row, k]
        plain /= kind(features)
        along /= kind(features)
        for k in range(features):
            g = dout[row, k] * weights[k]
            dx[row, k] = (g - plain - normalized[row, k] * along) / deviations[row, k]


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    """Write the gradients of a part's share of the weights, which are a row, and the biases."""
    features = op.last_axis
    dout, normalized = in_rows(dvalues, features), in_rows(saved[0], features)
    own = own_rows(op, state)
    for parameter in range(own.start, own.stop):
        total = np.zeros(features)
        for row in range(len(dout)):
            for k in range(features):
                factor = normalized[row, k] if parameter == 0 else dout.dtype.type(1)
                total[k] += dout[row, k] * factor
        for k in range(features):
            state.gradients[parameter * features + k] = total[k]
