"""The compiled twin of ``framework.activations.LeakyReLU``."""

from framework.accelerated.compiled import compiled


@compiled
def forward(inputs, alpha, output):
    x, out = inputs.ravel(), output.ravel()
    zero, slope = output.dtype.type(0), output.dtype.type(alpha)
    for i in range(len(x)):
        out[i] = x[i] if x[i] > zero else slope * x[i]


@compiled
def backward(inputs, alpha, dvalues, dinputs):
    x, dout, dx = inputs.ravel(), dvalues.ravel(), dinputs.ravel()
    zero, slope = dinputs.dtype.type(0), dinputs.dtype.type(alpha)
    for i in range(len(x)):
        dx[i] = dout[i] if x[i] > zero else slope * dout[i]
