"""The kernel of ``framework.activations.LogSoftmax``, over the last axis of a sample."""

import numpy as np

from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    rows, classes = inputs.size // op.last_axis, op.last_axis
    x, out = inputs.reshape(rows, classes), output.reshape(rows, classes)
    for i in range(rows):
        largest = x[i, 0]
        for k in range(1, classes):
            largest = max(largest, x[i, k])
        total = inputs.dtype.type(0)
        for k in range(classes):
            out[i, k] = x[i, k] - largest
            total += exponential(out[i, k])
        logarithm = np.log(total)
        for k in range(classes):
            out[i, k] -= logarithm


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    rows, classes = output.size // op.last_axis, op.last_axis
    out, dout = output.reshape(rows, classes), dvalues.reshape(rows, classes)
    dx = dinputs.reshape(rows, classes)
    for i in range(rows):
        total = output.dtype.type(0)
        for k in range(classes):
            total += dout[i, k]
        for k in range(classes):
            dx[i, k] = dout[i, k] - exponential(out[i, k]) * total
