"""The kernel of ``framework.activations.ELU``."""

from framework.accelerated.exponential import exponential, exponential_minus_one
from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    zero, alpha = output.dtype.type(0), output.dtype.type(op.alpha)
    for i in range(len(x)):
        negative = alpha * exponential_minus_one(zero if x[i] > zero else x[i])
        out[i] = x[i] if x[i] > zero else negative


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, dout, dx = inputs.ravel(), dvalues.ravel(), dinputs.ravel()
    zero, alpha = dinputs.dtype.type(0), dinputs.dtype.type(op.alpha)
    for i in range(len(x)):
        slope = alpha * exponential(zero if x[i] > zero else x[i])
        dx[i] = dout[i] if x[i] > zero else dout[i] * slope
