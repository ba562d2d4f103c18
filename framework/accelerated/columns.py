"""Dense layers, softmax and its loss for arrays of ``(numbers, samples)``, whose loops go along
the samples.

A row of such an array is filled up to whole vectors, with the last sample again and again; its
gradient is 0 there. Behind the inputs of a layer there is a row of ones, so that the biases are one
more row of the weights. The arrays of a network lie in two vectors, as ``interpreter.py`` says, but
that each output has one row more: the output of instruction ``i`` begins ``i`` rows later, and what
it saves ``i + 1``.
"""

from typing import Any, NamedTuple

import numpy as np

from framework.accelerated.exponential import exponential, logarithm
from framework.accelerated.jit import called, jit
from framework.accelerated.layers.dense import add_penalty_gradients
from framework.accelerated.layers.windows import copy
from framework.accelerated.tiles import inlined_product, products_of_rows
from framework.accelerated.vectors import Strided, aligned_zeros, choose, filled, lanes
from framework.accelerated.views import as_matrix, as_vector


class Memory(NamedTuple):
    """The memory for some samples.

    Attributes:
        inputs: the inputs and the row of ones.
        values, dvalues: what is computed forward and back.
        scratch: two rows.
        constants: two vectors of zeros, and the segment that is a whole row: see
            ``tiles.product``.
    """

    inputs: Any
    values: Any
    dvalues: Any
    scratch: Any
    constants: Any


@jit
def memory_for(network, n_inputs, samples):
    loss, parameters = network.loss, network.parameters
    most = filled(samples, parameters.itemsize)
    numbers = loss.per_sample + 1 + len(network.instructions)
    return Memory(
        aligned_zeros((n_inputs + 1) * most, parameters),
        aligned_zeros(numbers * most, parameters),
        aligned_zeros((loss.dinputs + loss.n_outputs) * most, parameters),
        as_matrix(aligned_zeros(2 * most, parameters), 2, most),
        (np.zeros(2 * lanes(parameters), parameters.dtype), np.zeros((1, 2), np.intp)),
    )


@jit
def columns(vector, place, whole, width):
    """Return the array of ``width`` numbers per sample at ``place``, ``(width, whole)``."""
    return as_matrix(vector[place * whole : (place + width) * whole], width, whole)


@called
def gather_columns(source, order, start, samples, target):
    """Copy samples, the last one again up to a whole vector, and a row of ones behind them."""
    for i in range(target.shape[1]):
        place = start + min(i, samples - 1)
        row = order[place] if len(order) else place
        for k in range(source.shape[1]):
            target[k, i] = source[row, k]
    target[source.shape[1]] = 1


@jit
def forward(network, inputs, memory, keeps):
    """Run every layer, and return the last output.

    What a layer computes before its ReLU is overwritten, unless ``keeps``.
    """
    values, before, whole = memory.values, inputs, inputs.shape[1]
    for i in range(len(network.instructions)):
        op = network.instructions[i]
        output = columns(values, op.output + i, whole, op.n_outputs + 1)
        weights = Strided(network.parameters, op.parameters, 1, op.n_outputs)
        multiply(op.n_outputs, rows_of_weights(op), weights, before, output, memory.constants)
        if op.n_saved:
            if keeps:
                sums = columns(values, op.saved + i + 1, whole, op.n_outputs)
                copy(as_vector(output[:-1]), as_vector(sums))
            relu(output[:-1])
        output[op.n_outputs] = 1
        before = output
    return before[:-1]


@jit
def backward(network, inputs, gradient, memory, keeps):
    """Write the gradients of all parameters, from that of the last output.

    The gradients of what each ReLU has computed are overwritten, unless ``keeps``.
    """
    instructions, values, whole = network.instructions, memory.values, inputs.shape[1]
    for i in range(len(instructions) - 1, -1, -1):
        op = instructions[i]
        before = inputs
        if i > 0:
            before = columns(values, instructions[i - 1].output + i - 1, whole, op.n_inputs + 1)
        if op.n_saved:
            if keeps:
                between = columns(values, op.saved + i + 1 + op.n_outputs, whole, op.n_outputs)
                copy(as_vector(gradient), as_vector(between))
                gradient = between
            relu_backward(columns(values, op.output + i, whole, op.n_outputs), gradient)
        products_of_rows(
            rows_of_weights(op),
            op.n_outputs,
            Strided(as_vector(before), 0, whole, 1),
            Strided(as_vector(gradient), 0, whole, 1),
            whole // lanes(values),
            Strided(network.gradients, op.parameters, op.n_outputs, 1),
        )
        own = slice(op.parameters, op.parameters + op.n_parameters)
        everything = slice(0, rows_of_weights(op))
        add_penalty_gradients(op, network.parameters[own], network.gradients[own], everything)
        if not op.leaves_out_dinputs:
            dinputs = columns(memory.dvalues, op.dinputs, whole, op.n_inputs)
            weights = Strided(network.parameters, op.parameters, op.n_outputs, 1)
            multiply(op.n_inputs, op.n_outputs, weights, gradient, dinputs, memory.constants)
            gradient = dinputs


@called
def relu(values):
    """Overwrite negative ``values`` with 0."""
    x, zero = as_vector(values), values.dtype.type(0)
    for k in range(len(x)):
        x[k] = choose(x[k] < zero, zero, x[k])


@called
def relu_backward(output, gradient):
    """Overwrite the ``gradient`` with 0 where the output is."""
    out, dx, zero = as_vector(output), as_vector(gradient), output.dtype.type(0)
    for k in range(len(dx)):
        dx[k] = choose(out[k] > zero, dx[k], zero)


@jit
def rows_of_weights(op):
    """Return how many rows the weights have, with the biases as one more."""
    return op.n_parameters // op.n_outputs


@called
def multiply(rows, depth, weights, x, out, constants):
    """Write ``out[r] = Σ weights[r, t] x[t]``."""
    whole, panel, (nothing, segment) = x.shape[1], 2 * lanes(x), constants
    initial = Strided(nothing, 0, 0, 1)
    for first in range(0, whole, panel):
        vectors = 2 if whole - first > lanes(x) else 1
        right = Strided(as_vector(x), first, whole, 1)
        target = Strided(as_vector(out), first, whole, 1)
        inlined_product(rows, vectors, weights, right, segment, depth, initial, target)


@jit
def softmax(logits, temperature, labels, output, per_sample, scratch):
    """Write the probabilities, and the loss of each sample: NaN for an invalid label."""
    classes, samples = logits.shape
    largest, total = scratch[0], scratch[1]
    divisor, one = logits.dtype.type(temperature), logits.dtype.type(1)
    for i in range(samples):
        largest[i] = logits[0, i]
    for k in range(1, classes):
        for i in range(samples):
            largest[i] = max(largest[i], logits[k, i])
    for k in range(classes):
        for i in range(samples):
            output[k, i] = (logits[k, i] - largest[i]) / divisor
    for i in range(len(labels)):
        label = labels[i]
        fits = 0 <= label < classes
        per_sample[i] = -output[label, i] if fits else logits.dtype.type(np.nan)
    flat = as_vector(output)
    for i in range(len(flat)):
        flat[i] = exponential(flat[i])
    for i in range(samples):
        total[i] = output[0, i]
    for k in range(1, classes):
        for i in range(samples):
            total[i] += output[k, i]
    for i in range(samples):
        per_sample[i] += logarithm(total[i])
        total[i] = one / total[i]
    for k in range(classes):
        for i in range(samples):
            output[k, i] *= total[i]


@jit
def sum_of_correct(output, labels, weights, scratch):
    """Return the sum of the weights of the samples whose class is right; NaN never is."""
    classes, samples = output.shape
    most, found = scratch[0], scratch[1]
    zero = output.dtype.type(0)
    for i in range(samples):
        most[i], found[i] = output[0, i], zero
    for k in range(1, classes):
        for i in range(samples):
            more = output[k, i] > most[i]
            found[i] = output.dtype.type(k) if more else found[i]
            most[i] = output[k, i] if more else most[i]
    total = 0.0
    for i in range(len(labels)):
        total += weights[i] if found[i] == labels[i] and most[i] == most[i] else 0.0
    return total


@jit
def loss_gradient(output, labels, weights, divisor, share, dinputs):
    """Write the gradient of the mean loss, 0 behind the last sample.

    Args:
        labels: valid ones: otherwise the loss was not finite.
        weights, divisor: a sample has the share ``weight / divisor`` in the mean.
        share: memory for a row.
    """
    share[:] = 0
    for i in range(len(labels)):
        share[i] = weights[i] / divisor
    for k in range(output.shape[0]):
        for i in range(output.shape[1]):
            dinputs[k, i] = output[k, i] * share[i]
    for i in range(len(labels)):
        dinputs[labels[i], i] -= share[i]
