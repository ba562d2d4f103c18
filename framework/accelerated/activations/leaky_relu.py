"""The kernel of ``framework.activations.LeakyReLU``."""

from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    zero, slope = output.dtype.type(0), output.dtype.type(op.alpha)
    for i in range(len(x)):
        out[i] = x[i] if x[i] > zero else slope * x[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, dout, dx = inputs.ravel(), dvalues.ravel(), dinputs.ravel()
    zero, slope = dinputs.dtype.type(0), dinputs.dtype.type(op.alpha)
    for i in range(len(x)):
        dx[i] = dout[i] if x[i] > zero else slope * dout[i]
