"""The kernel of ``framework.activations.GELU``."""

from framework.accelerated.activations.tanh import tanh
from framework.accelerated.jit import jit
from framework.activations.gelu import BOUND, CUBIC, SCALE


@jit
def forward(op, inputs, state, saved, output):
    x, t, out = inputs.ravel(), saved[0].ravel(), output.ravel()
    kind = output.dtype.type
    half, one, scale, cubic = kind(0.5), kind(1), kind(SCALE), kind(CUBIC)
    for i in range(len(x)):
        near = within(x[i], kind(BOUND))
        t[i] = tanh(scale * near * (one + cubic * near * near))
        out[i] = x[i] * (half * (one + t[i]))


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, t, dout, dx = inputs.ravel(), saved[0].ravel(), dvalues.ravel(), dinputs.ravel()
    kind = dinputs.dtype.type
    half, one, scale, cubic = kind(0.5), kind(1), kind(SCALE), kind(3 * CUBIC)
    for i in range(len(x)):
        near = within(x[i], kind(BOUND))
        slope_of_tanh = (one - t[i] * t[i]) * scale * (one + cubic * near * near)
        dx[i] = dout[i] * half * (one + t[i] + near * slope_of_tanh)


@jit
def within(x, bound):
    return bound if x > bound else (-bound if x < -bound else x)
