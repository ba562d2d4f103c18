"""The kernel of a frozen ``framework.layers.BatchNormalization``: saves the normalized inputs.

Its constants are the running mean and the running variance. It computes as in prediction.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.batch_normalization import write_normalized
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
    mean = state.statistics[: op.last_axis]
    write_normalized(op, inputs, state, mean, scales(op, state), saved[0], output)


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    scale, weights = scales(op, state), state.parameters
    dout, dx = in_rows(dvalues, op.last_axis), in_rows(dinputs, op.last_axis)
    for row in range(len(dx)):
        for k in range(op.last_axis):
            dx[row, k] = dout[row, k] * weights[k] * scale[k]
