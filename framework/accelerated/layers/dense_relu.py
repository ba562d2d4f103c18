"""The kernel of a ``Dense`` followed by a ``ReLU``.

It saves the output of the ``Dense``, and on the way back the gradient of that.
"""

from framework.accelerated.activations import relu
from framework.accelerated.jit import jit
from framework.accelerated.layers import dense

multiply = dense.multiply


@jit
def forward(op, inputs, state, saved, output):
    dense.forward(op, inputs, state, saved, saved[0])
    relu.forward(op, saved[0], state, saved, output)


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    relu.backward(op, saved[0], output, state, saved, dvalues, saved[1])
    dense.backward(op, inputs, saved[0], state, saved, saved[1], dinputs)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    dense.parameter_gradients(op, inputs, saved[1], state, saved)
