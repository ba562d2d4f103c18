"""The compiled twin of ``framework.layers.Dropout``."""

from framework.accelerated.compiled import compiled


@compiled
def forward(inputs, chances, rate, mask, output):
    x, chance, kept, out = inputs.ravel(), chances.ravel(), mask.ravel(), output.ravel()
    kind = output.dtype.type
    zero, threshold, scale = kind(0), kind(rate), kind(1 / (1 - rate))
    for i in range(len(x)):
        kept[i] = scale if chance[i] >= threshold else zero
        out[i] = x[i] * kept[i]


@compiled
def backward(mask, dvalues, dinputs):
    kept, dout, dx = mask.ravel(), dvalues.ravel(), dinputs.ravel()
    for i in range(len(kept)):
        dx[i] = dout[i] * kept[i]
