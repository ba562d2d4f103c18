"""The kernel of ``framework.activations.PReLU``.

A single slope is repeated for each feature, so that the loops are the same as with several.
"""

import numpy as np

from framework.accelerated.jit import jit
from framework.accelerated.state import own_rows


@jit
def by_feature(op, values):
    """Return ``values`` as rows of features."""
    return values.reshape(values.size // op.last_axis, op.last_axis)


@jit
def slope_of_each_feature(op, parameters):
    slopes = np.empty(op.last_axis, parameters.dtype)
    slopes[:] = parameters
    return slopes


@jit
def forward(op, inputs, state, saved, output):
    x, out = by_feature(op, inputs), by_feature(op, output)
    zero, slopes = output.dtype.type(0), slope_of_each_feature(op, state.parameters)
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            out[i, k] = x[i, k] if x[i, k] > zero else slopes[k] * x[i, k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, dout, dx = by_feature(op, inputs), by_feature(op, dvalues), by_feature(op, dinputs)
    zero, slopes = dinputs.dtype.type(0), slope_of_each_feature(op, state.parameters)
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            dx[i, k] = dout[i, k] if x[i, k] > zero else slopes[k] * dout[i, k]


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    """Write the gradients of all slopes, which are a single row."""
    own = own_rows(op, state)
    if own.stop > own.start:
        x, dout = by_feature(op, inputs), by_feature(op, dvalues)
        zero, total = dvalues.dtype.type(0), np.zeros(op.last_axis)
        for i in range(x.shape[0]):
            for k in range(x.shape[1]):
                total[k] += zero if x[i, k] > zero else dout[i, k] * x[i, k]
        if op.n_parameters > 1:
            state.gradients[:] = total
        else:
            state.gradients[0] = total.sum()
