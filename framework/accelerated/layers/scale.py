"""The compiled twin of ``framework.layers.Scale``."""

from framework.accelerated.compiled import compiled


@compiled
def forward(inputs, factor, offset, output):
    x, out = inputs.ravel(), output.ravel()
    kind = output.dtype.type
    factor, offset = kind(factor), kind(offset)
    for i in range(len(x)):
        out[i] = factor * x[i] + offset


@compiled
def backward(factor, dvalues, dinputs):
    dout, dx = dvalues.ravel(), dinputs.ravel()
    factor = dinputs.dtype.type(factor)
    for i in range(len(dout)):
        dx[i] = factor * dout[i]
