"""The kernel of ``framework.activations.Mish``."""

from framework.accelerated.activations.sigmoid import sigmoid
from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, gate, out = inputs.ravel(), saved[0].ravel(), output.ravel()
    one, two = output.dtype.type(1), output.dtype.type(2)
    for i in range(len(x)):
        z = exponential(-abs(x[i]))
        square = z * z
        numerator = two * z + (one if x[i] > 0 else square)
        gate[i] = numerator / (numerator + (two * square if x[i] > 0 else two))
        out[i] = x[i] * gate[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, gate, dout, dx = inputs.ravel(), saved[0].ravel(), dvalues.ravel(), dinputs.ravel()
    one = dinputs.dtype.type(1)
    for i in range(len(x)):
        dx[i] = dout[i] * (gate[i] + x[i] * (one - gate[i] * gate[i]) * sigmoid(x[i]))
