"""A fused loss and what is measured beside it, chosen by a line of the table."""

from framework.accelerated import sigmoid_binary_crossentropy, softmax_categorical_crossentropy
from framework.accelerated.compiled import compiled
from framework.accelerated.table import SOFTMAX


@compiled
def losses(line, inputs, y_true, output, per_sample):
    """Write the activation's output, and the loss of each sample."""
    if line.kind == SOFTMAX:
        softmax_categorical_crossentropy.losses(inputs, y_true, line.temperature, output, per_sample)
    elif y_true.ndim == 2:
        sigmoid_binary_crossentropy.losses(inputs, y_true, output, per_sample)


@compiled
def backward(line, output, y_true, dinputs):
    if line.kind == SOFTMAX:
        softmax_categorical_crossentropy.backward(output, y_true, line.temperature, dinputs)
    elif y_true.ndim == 2:
        sigmoid_binary_crossentropy.backward(output, y_true, dinputs)
