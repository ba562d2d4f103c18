"""The kernel of ``framework.activations.Sigmoid``."""

from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit


@jit
def sigmoid(x):
    """Return ``1 / (1 + e^(-x))``, computed from ``e^(-|x|)``, which does not overflow."""
    one = type(x)(1)
    z = exponential(-abs(x))
    return (one if x >= 0 else z) / (one + z)


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    for i in range(len(x)):
        out[i] = sigmoid(x[i])


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    one = output.dtype.type(1)
    for i in range(len(out)):
        dx[i] = dout[i] * out[i] * (one - out[i])
