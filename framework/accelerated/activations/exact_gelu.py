"""The kernel of ``framework.activations.GELU`` with ``approximate="none"``."""

import math

from framework.accelerated.activations.gelu import within
from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit
from framework.activations.gelu import BOUND

ROOT_OF_HALF = math.sqrt(0.5)
DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


@jit
def forward(op, inputs, state, saved, output):
    x, probability, out = inputs.ravel(), saved[0].ravel(), output.ravel()
    kind = output.dtype.type
    for i in range(len(x)):
        probability[i] = kind(0.5 * math.erfc(-ROOT_OF_HALF * x[i]))
        out[i] = x[i] * probability[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    x, probability, dout, dx = inputs.ravel(), saved[0].ravel(), dvalues.ravel(), dinputs.ravel()
    kind = dinputs.dtype.type
    minus_half, density_at_0 = kind(-0.5), kind(DENSITY_AT_0)
    for i in range(len(x)):
        near = within(x[i], kind(BOUND))
        density = density_at_0 * exponential(minus_half * near * near)
        dx[i] = dout[i] * (probability[i] + near * density)
