"""The kernel of ``framework.layers.Scale``."""

from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    factor, offset = output.dtype.type(op.factor), output.dtype.type(op.offset)
    for i in range(len(x)):
        out[i] = factor * x[i] + offset


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    dout, dx = dvalues.ravel(), dinputs.ravel()
    factor = dinputs.dtype.type(op.factor)
    for i in range(len(dout)):
        dx[i] = factor * dout[i]
