"""The kernel of ``framework.activations.SELU``."""

from framework.accelerated.exponential import exponential, exponential_minus_one
from framework.accelerated.jit import jit
from framework.activations.selu import ALPHA, SCALE


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    kind = output.dtype.type
    zero, positive, negative = kind(0), kind(SCALE), kind(SCALE * ALPHA)
    for i in range(len(x)):
        below = negative * exponential_minus_one(zero if x[i] > zero else x[i])
        out[i] = positive * x[i] if x[i] > zero else below


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, dout, dx = inputs.ravel(), dvalues.ravel(), dinputs.ravel()
    kind = dinputs.dtype.type
    zero, positive, negative = kind(0), kind(SCALE), kind(SCALE * ALPHA)
    for i in range(len(x)):
        below = negative * exponential(zero if x[i] > zero else x[i])
        dx[i] = dout[i] * (positive if x[i] > zero else below)
