"""The kernel of ``framework.layers.Dense``."""

from framework.accelerated.blas import product, product_transposed, transposed_product
from framework.accelerated.jit import jit
from framework.accelerated.thread_team import own_rows


@jit
def weights_and_biases(op, vector):
    """The two parts of the operation's parameters, or of their gradients."""
    size = op.n_inputs * op.n_outputs
    return vector[:size].reshape(op.n_inputs, op.n_outputs), vector[size:]


@jit
def forward(op, inputs, state, saved, output):
    weights, biases = weights_and_biases(op, state.parameters)
    product(inputs, weights, output)
    for sample in range(output.shape[0]):
        for neuron in range(output.shape[1]):
            output[sample, neuron] += biases[neuron]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    if not op.leaves_out_dinputs:
        product_transposed(dvalues, weights_and_biases(op, state.parameters)[0], dinputs)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved, thread_team, thread_id):
    """Write the gradients of a thread's chunk of the weights and of the biases."""
    weights, biases = weights_and_biases(op, state.parameters)
    dweights, dbiases = weights_and_biases(op, state.gradients)
    own = own_rows(op, thread_team, thread_id)
    rows = slice(own.start, min(own.stop, op.n_inputs))
    transposed_product(inputs, rows, dvalues, dweights[rows])
    if op.weight_regularizer_l1 or op.weight_regularizer_l2:
        add_penalty_gradient(
            dweights[rows].ravel(),
            weights[rows].ravel(),
            op.weight_regularizer_l1,
            op.weight_regularizer_l2,
        )
    if own.stop > op.n_inputs:  # the biases are the last row
        sum_of_rows(dvalues, dbiases)
        if op.bias_regularizer_l1 or op.bias_regularizer_l2:
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
        total += penalty_of(weights.ravel(), op.weight_regularizer_l1, op.weight_regularizer_l2)
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
