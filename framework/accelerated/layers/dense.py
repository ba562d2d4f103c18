"""The compiled twin of ``framework.layers.Dense``."""

from framework.accelerated.compiled import compiled
from framework.accelerated.products import product, product_transposed, transposed_product


@compiled
def forward(inputs, weights, biases, output):
    product(inputs, weights, output)
    for sample in range(output.shape[0]):
        for neuron in range(output.shape[1]):
            output[sample, neuron] += biases[neuron]


@compiled
def forward_with_relu(inputs, weights, biases, output, positive):
    """Write also what a ``ReLU`` makes of the output, in the same pass over it."""
    product(inputs, weights, output)
    zero = output.dtype.type(0)
    for sample in range(output.shape[0]):
        for neuron in range(output.shape[1]):
            value = output[sample, neuron] + biases[neuron]
            output[sample, neuron] = value
            positive[sample, neuron] = zero if value < zero else value


@compiled
def weight_gradients(inputs, part, dvalues, dweights):
    """Those of a ``part`` of the inputs."""
    transposed_product(inputs, part, dvalues, dweights)


@compiled
def bias_gradients(dvalues, dbiases):
    dbiases[:] = 0
    for sample in range(dvalues.shape[0]):
        for neuron in range(dvalues.shape[1]):
            dbiases[neuron] += dvalues[sample, neuron]


@compiled
def input_gradients(dvalues, weights, dinputs):
    product_transposed(dvalues, weights, dinputs)


@compiled
def add_penalty_gradient(gradient, parameter, l1, l2):
    one, two = parameter.dtype.type(l1), parameter.dtype.type(2 * l2)
    for i in range(len(parameter)):
        sign = -one if parameter[i] < 0 else one
        gradient[i] += sign + two * parameter[i]


@compiled
def penalty(parameter, l1, l2):
    absolute = squares = 0.0
    for value in parameter:
        absolute += abs(value)
        squares += value * value
    # A sum that has become infinite counts only where it is asked for: 0 times it is not 0.
    total = 0.0
    if l1:
        total += l1 * absolute
    if l2:
        total += l2 * squares
    return total
