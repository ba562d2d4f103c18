"""The fused loss that a line of the table stands for."""

from framework.accelerated import sigmoid_binary_crossentropy as binary
from framework.accelerated import softmax_categorical_crossentropy as categorical
from framework.accelerated.compiled import compiled
from framework.accelerated.table import SOFTMAX


@compiled
def losses(line, inputs, y_true, output, per_sample):
    """Write the activation's output, and the loss of each sample, NaN if its target is invalid."""
    if line.kind == SOFTMAX:
        categorical.losses(inputs, y_true, line.temperature, output, per_sample)
    elif y_true.ndim == 2:
        binary.losses(inputs, y_true, output, per_sample)
    else:
        raise ValueError("a loss after sigmoid takes a target for each output")


@compiled
def backward(line, output, y_true, samples, dinputs):
    """Write the gradient of the mean over so many ``samples``, of which these may be a part."""
    if line.kind == SOFTMAX:
        categorical.backward(output, y_true, line.temperature, samples, dinputs)
    elif y_true.ndim == 2:
        binary.backward(output, y_true, samples, dinputs)
    else:
        raise ValueError("a loss after sigmoid takes a target for each output")
