"""The kernel of ``framework.activations.Softmax``, over the last axis of a sample."""

from framework.accelerated.exponential import exponential
from framework.accelerated.jit import jit


@jit
def softmax(inputs, temperature, output):
    """Write the probabilities of each row of ``inputs``, ``(rows, classes)``."""
    rows, classes = inputs.shape
    divisor = inputs.dtype.type(temperature)
    for i in range(rows):
        largest = inputs[i, 0]
        for k in range(1, classes):
            largest = max(largest, inputs[i, k])
        for k in range(classes):
            output[i, k] = (inputs[i, k] - largest) / divisor
    flat = output.ravel()
    for i in range(len(flat)):
        flat[i] = exponential(flat[i])
    for i in range(rows):
        total = inputs.dtype.type(0)
        for k in range(classes):
            total += output[i, k]
        for k in range(classes):
            output[i, k] /= total


@jit
def forward(op, inputs, state, saved, output):
    rows = inputs.size // op.last_axis
    softmax(inputs.reshape(rows, op.last_axis), op.temperature, output.reshape(rows, op.last_axis))


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    rows, classes = output.size // op.last_axis, op.last_axis
    out, dout = output.reshape(rows, classes), dvalues.reshape(rows, classes)
    dx = dinputs.reshape(rows, classes)
    divisor = output.dtype.type(op.temperature)
    for i in range(rows):
        weighted_mean = output.dtype.type(0)
        for k in range(classes):
            weighted_mean += dout[i, k] * out[i, k]
        for k in range(classes):
            dx[i, k] = out[i, k] * (dout[i, k] - weighted_mean) / divisor
