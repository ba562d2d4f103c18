"""The kernel of ``framework.activations.Softplus``."""

from framework.accelerated.activations.sigmoid import sigmoid
from framework.accelerated.exponential import exponential, log_one_plus
from framework.accelerated.jit import jit


@jit
def softplus(x):
    """Return ``log(1 + e^x)``, computed from ``e^(-|x|)``, which does not overflow."""
    zero = type(x)(0)
    return (zero if x < zero else x) + log_one_plus(exponential(-abs(x)))


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    for i in range(len(x)):
        out[i] = softplus(x[i])


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, dout, dx = inputs.ravel(), dvalues.ravel(), dinputs.ravel()
    for i in range(len(x)):
        dx[i] = dout[i] * sigmoid(x[i])
