"""The kernel of ``framework.activations.Tanh``."""

from framework.accelerated.exponential import exponential_minus_one
from framework.accelerated.jit import jit


@jit
def tanh(x):
    """Return ``tanh x``: with ``z = e^(-2|x|) - 1``, ``tanh |x| = -z / (2 + z)``."""
    two = type(x)(2)
    z = exponential_minus_one(-two * abs(x))
    magnitude = z / (two + z)
    return -magnitude if x > 0 else magnitude


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    for i in range(len(x)):
        out[i] = tanh(x[i])


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    one = output.dtype.type(1)
    for i in range(len(out)):
        dx[i] = dout[i] * (one - out[i] * out[i])
