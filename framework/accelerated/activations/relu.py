"""The kernel of ``framework.activations.ReLU``."""

from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, out = inputs.ravel(), output.ravel()
    zero = output.dtype.type(0)
    for i in range(len(x)):
        # Written so that NaN passes through, and the loss shows it.
        out[i] = zero if x[i] < zero else x[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    out, dout, dx = output.ravel(), dvalues.ravel(), dinputs.ravel()
    zero = output.dtype.type(0)
    for i in range(len(out)):
        dx[i] = dout[i] if out[i] > zero else zero
