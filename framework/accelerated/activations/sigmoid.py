"""The compiled twin of ``framework.activations.Sigmoid``."""

from framework.accelerated.compiled import compiled
from framework.accelerated.exponential import exponential


@compiled
def forward(inputs, output):
    x, out = inputs.ravel(), output.ravel()
    one = output.dtype.type(1)
    for i in range(len(x)):
        z = exponential(-abs(x[i]))
        out[i] = (one if x[i] >= 0 else z) / (one + z)


@compiled
def backward(output, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    one = output.dtype.type(1)
    for i in range(len(out)):
        dx[i] = dout[i] * out[i] * (one - out[i])
