"""The kernel of ``framework.layers.Dense``: every row of ``op.last_axis`` numbers by itself."""

from framework.accelerated import products
from framework.accelerated.jit import jit
from framework.accelerated.state import own_rows
from framework.accelerated.views import as_matrix, as_vector

multiply = products.multiply


@jit
def weights_and_biases(op, vector):
    """The two parts of the operation's parameters, or of their gradients; weights in two axes.

    Without ``use_bias`` the second is empty.
    """
    rows = op.n_weights // op.output_axis
    return as_matrix(vector[: op.n_weights], rows, op.output_axis), vector[op.n_weights :]


@jit
def in_rows(values, width):
    return as_matrix(values, values.size // width, width)


@jit
def forward(op, inputs, state, saved, output):
    weights, biases = weights_and_biases(op, state.parameters)
    x, out = in_rows(inputs, op.last_axis), in_rows(output, op.output_axis)
    products.weighted_sums(op, x, weights, biases, out)


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    if not op.leaves_out_dinputs:
        weights, _ = weights_and_biases(op, state.parameters)
        dout, dx = in_rows(dvalues, op.output_axis), in_rows(dinputs, op.last_axis)
        products.input_gradients(op, dout, weights, dx)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    """Write the gradients of a part's chunk of the weights and of the biases."""
    dweights, dbiases = weights_and_biases(op, state.gradients)
    x, dout = in_rows(inputs, op.last_axis), in_rows(dvalues, op.output_axis)
    own = own_rows(op, state)
    rows = slice(own.start, min(own.stop, op.last_axis))
    products.weight_gradients(op, x, rows, dout, dweights)
    if own.stop > op.last_axis:  # the biases are the last row
        sum_of_rows(dout, dbiases)
    add_penalty_gradients(op, state.parameters, state.gradients, own)


@jit
def add_penalty_gradients(op, parameters, gradients, own):
    """Add the gradients of the penalties on the rows ``own`` of the parameters."""
    weights, biases = weights_and_biases(op, parameters)
    dweights, dbiases = weights_and_biases(op, gradients)
    if op.weight_regularizer_l1 or op.weight_regularizer_l2:
        rows = slice(own.start, min(own.stop, len(weights)))
        add_penalty_gradient(
            as_vector(dweights[rows]),
            as_vector(weights[rows]),
            op.weight_regularizer_l1,
            op.weight_regularizer_l2,
        )
    if own.stop > len(weights) and (op.bias_regularizer_l1 or op.bias_regularizer_l2):
        add_penalty_gradient(dbiases, biases, op.bias_regularizer_l1, op.bias_regularizer_l2)


@jit
def sum_of_rows(values, total):
    total[:] = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            total[column] += values[row, column]


@jit
def add_penalty_gradient(gradient, parameter, l1, l2):
    one, two = parameter.dtype.type(l1), parameter.dtype.type(2 * l2)
    for i in range(len(parameter)):
        sign = -one if parameter[i] < 0 else one
        gradient[i] += sign + two * parameter[i]


@jit
def penalty(op, parameters):
    """Return the L1 and L2 penalty on the operation's parameters."""
    weights, biases = weights_and_biases(op, parameters)
    total = 0.0
    if op.weight_regularizer_l1 or op.weight_regularizer_l2:
        total += penalty_of(as_vector(weights), op.weight_regularizer_l1, op.weight_regularizer_l2)
    if op.bias_regularizer_l1 or op.bias_regularizer_l2:
        total += penalty_of(biases, op.bias_regularizer_l1, op.bias_regularizer_l2)
    return total


@jit
def penalty_of(parameter, l1, l2):
    absolute = squares = 0.0
    for value in parameter:
        absolute += abs(value)
        squares += value * value
    # An infinite sum counts only where there is a penalty on it: 0 times it is not 0.
    total = 0.0
    if l1:
        total += l1 * absolute
    if l2:
        total += l2 * squares
    return total
