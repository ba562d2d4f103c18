"""The kernel of ``framework.activations.GELU``."""

from framework.accelerated.activations.tanh import tanh
from framework.accelerated.jit import jit
from framework.activations.gelu import CUBIC, SCALE


@jit
def forward(op, inputs, state, saved, output):
    x, t, out = inputs.ravel(), saved[0].ravel(), output.ravel()
    kind = output.dtype.type
    half, one, scale, cubic = kind(0.5), kind(1), kind(SCALE), kind(CUBIC)
    for i in range(len(x)):
        t[i] = tanh(scale * x[i] * (one + cubic * x[i] * x[i]))
        out[i] = x[i] * (half * (one + t[i]))


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, t, dout, dx = inputs.ravel(), saved[0].ravel(), dvalues.ravel(), dinputs.ravel()
    kind = dinputs.dtype.type
    half, one, scale, cubic = kind(0.5), kind(1), kind(SCALE), kind(3 * CUBIC)
    for i in range(len(x)):
        slope_of_tanh = (one - t[i] * t[i]) * scale * (one + cubic * x[i] * x[i])
        dx[i] = dout[i] * half * (one + t[i] + x[i] * slope_of_tanh)
