"""The compiled twin of ``framework.activations.Tanh``."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def forward(inputs, output):
    x, out = inputs.ravel(), output.ravel()
    for i in range(len(x)):
        out[i] = np.tanh(x[i])


@compiled
def backward(output, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    for i in range(len(out)):
        dx[i] = dout[i] * (1 - out[i] * out[i])
