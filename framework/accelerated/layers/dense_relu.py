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
    before = saved[0]
    product(inputs, weights, before)
    zero = output.dtype.type(0)
    for sample in range(output.shape[0]):
        for neuron in range(output.shape[1]):
            value = before[sample, neuron] + biases[neuron]
            before[sample, neuron] = value
            output[sample, neuron] = zero if value < zero else value


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    relu.backward(op, saved[0], output, state, saved, dvalues, saved[1])
    dense.backward(op, inputs, saved[0], state, saved, saved[1], dinputs)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved, thread_team, thread_id):
    dense.parameter_gradients(op, inputs, saved[1], state, saved, thread_team, thread_id)
