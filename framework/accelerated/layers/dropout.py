"""The kernel of ``framework.layers.Dropout``: saves the mask."""

from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    x, uniform, mask, out = inputs.ravel(), state.uniforms.ravel(), saved[0].ravel(), output.ravel()
    kind = output.dtype.type
    zero, threshold, scale = kind(0), kind(op.rate), kind(1 / (1 - op.rate))
    for i in range(len(x)):
        mask[i] = scale if uniform[i] >= threshold else zero
        out[i] = x[i] * mask[i]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    mask, dout, dx = saved[0].ravel(), dvalues.ravel(), dinputs.ravel()
    for i in range(len(mask)):
        dx[i] = dout[i] * mask[i]
