"""The kernel of a ``Dense`` followed by a ``ReLU``: one pass over the output instead of two.

It saves the output of the ``Dense``, and on the way back the gradient of that.
"""

from framework.accelerated.activations import relu
from framework.accelerated.blas import product
from framework.accelerated.jit import jit
from framework.accelerated.layers import dense


@jit
def forward(op, inputs, state, saved, output):
    weights, biases = dense.weights_and_biases(op, state.parameters)
    before, out = dense.in_rows(saved[0], op.output_axis), dense.in_rows(output, op.output_axis)
    product(dense.in_rows(inputs, op.last_axis), weights, before)
    if not len(biases):
        relu.forward(op, before, state, saved, out)
        return
    zero = output.dtype.type(0)
    for row in range(out.shape[0]):
        for neuron in range(out.shape[1]):
            value = before[row, neuron] + biases[neuron]
            before[row, neuron] = value
            out[row, neuron] = zero if value < zero else value


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    relu.backward(op, saved[0], output, state, saved, dvalues, saved[1])
    dense.backward(op, inputs, saved[0], state, saved, saved[1], dinputs)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved, thread_team, thread_id):
    dense.parameter_gradients(op, inputs, saved[1], state, saved, thread_team, thread_id)
