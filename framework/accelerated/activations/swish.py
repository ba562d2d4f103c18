"""The kernel of ``framework.activations.Swish``."""

from framework.accelerated.activations.sigmoid import sigmoid
from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, s, out = inputs.ravel(), saved[0].ravel(), output.ravel()
    for i in range(len(x)):
        s[i] = sigmoid(x[i])
        out[i] = x[i] * s[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    s, out, dout, dx = saved[0].ravel(), output.ravel(), dvalues.ravel(), dinputs.ravel()
    one = output.dtype.type(1)
    for i in range(len(out)):
        dx[i] = dout[i] * (s[i] + out[i] * (one - s[i]))
