"""The kernel of ``framework.layers.Normalization``.

Its statistics are the mean and the deviation of each feature.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows


@jit
def factors(op, state):
    deviation = state.statistics[op.last_axis :]
    factor = np.zeros_like(deviation)
    for k in range(len(factor)):
        if deviation[k] > 0:
            factor[k] = 1 / deviation[k]
    return factor


@jit
def forward(op, inputs, state, saved, output):
    mean, factor = state.statistics[: op.last_axis], factors(op, state)
    x, out = in_rows(inputs, op.last_axis), in_rows(output, op.last_axis)
    for row in range(len(x)):
        for k in range(len(factor)):
            out[row, k] = (x[row, k] - mean[k]) * factor[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    factor = factors(op, state)
    dout, dx = in_rows(dvalues, op.last_axis), in_rows(dinputs, op.last_axis)
    for row in range(len(dx)):
        for k in range(len(factor)):
            dx[row, k] = dout[row, k] * factor[k]
