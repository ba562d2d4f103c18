"""The compiled twin of ``framework.activations.Sigmoid``."""

import numpy as np

from framework.accelerated.compiled import compiled


@compiled
def sigmoid(x):
    z = np.exp(-abs(x))
    return (1 if x >= 0 else z) / (1 + z)


@compiled
def forward(inputs, output):
    x, out = inputs.ravel(), output.ravel()
    for i in range(len(x)):
        out[i] = sigmoid(x[i])


@compiled
def backward(output, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    for i in range(len(out)):
        dx[i] = dout[i] * out[i] * (1 - out[i])
