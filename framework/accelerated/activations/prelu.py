"""The kernel of ``framework.activations.PReLU``: one slope, or one for each feature."""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.thread_team import own_rows


@jit
def by_slope(op, values):
    """Return ``values`` with a column for each slope."""
    return values.reshape(values.size // op.n_parameters, op.n_parameters)


@jit
def forward(op, inputs, state, saved, output):
    x, out, slopes = by_slope(op, inputs), by_slope(op, output), state.parameters
    zero = output.dtype.type(0)
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            out[i, k] = x[i, k] if x[i, k] > zero else slopes[k] * x[i, k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, slopes = by_slope(op, inputs), state.parameters
    dout, dx = by_slope(op, dvalues), by_slope(op, dinputs)
    zero = dinputs.dtype.type(0)
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            dx[i, k] = dout[i, k] if x[i, k] > zero else slopes[k] * dout[i, k]


@jit
def parameter_gradients(op, inputs, dvalues, state, saved, thread_team, thread_id):
    """Write the gradients of all slopes, which are a single row."""
    own = own_rows(op, thread_team, thread_id)
    if own.stop > own.start:
        x, dout = by_slope(op, inputs), by_slope(op, dvalues)
        zero, total = dvalues.dtype.type(0), np.zeros(op.n_parameters)
        for i in range(x.shape[0]):
            for k in range(x.shape[1]):
                total[k] += zero if x[i, k] > zero else dout[i, k] * x[i, k]
        state.gradients[:] = total
