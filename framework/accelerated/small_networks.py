"""Whole training steps of small networks: loops that go along the samples.

Where layers have a few dozen numbers, BLAS's packing and calls take longer than the arithmetic.
Here the arrays of a batch are ``(numbers, samples)``, so that the samples, of which there are more,
fill the vector registers, whatever the sizes of the layers are. When the steps have been taken, the
results of the last one are written as all others leave them, ``(samples, numbers)``.

It takes dense layers, with ReLU or without, before softmax with categorical cross-entropy.
"""

import numpy as np

from framework.accelerated.accuracies import CATEGORICAL
from framework.accelerated.checked_data import CheckedData
from framework.accelerated.exponential import exponential
from framework.accelerated.instructions import Instructions
from framework.accelerated.interpreter import penalties
from framework.accelerated.jit import cached_jit, called, jit
from framework.accelerated.layers import dense, dense_relu
from framework.accelerated.layers.dense import add_penalty_gradient, weights_and_biases
from framework.accelerated.state import rows
from framework.accelerated.steps import copy_targets, gather, update
from framework.losses import SoftmaxCategoricalCrossentropy

# Measured: with up to so many weights in a layer, loops are faster than OpenBLAS.
LARGEST_LAYER = 512
FEWEST_SAMPLES = 16


def is_small(instructions: Instructions, loss: object, data: CheckedData, batch_size: int) -> bool:
    """Whether ``take_small_steps`` can take the steps, and is faster."""
    layers = instructions.groups
    return (
        all(layer.kernel.module in (dense, dense_relu) for layer in layers)
        and all(len(layer.input_shape) == 1 for layer in layers)
        and not any(op["n_frozen"] for op in instructions.array)
        and all(op["n_inputs"] * op["n_outputs"] <= LARGEST_LAYER for op in instructions.array)
        and type(loss) is SoftmaxCategoricalCrossentropy
        and not loss.label_smoothing
        and len(data.labels) > 0
        and data.accuracy in (0, CATEGORICAL)
        and batch_size >= FEWEST_SAMPLES
    )


@cached_jit
def take_small_steps(network, source, workspace, rates, iteration, metrics, thread_team, thread_id):
    """Make a step for each row of ``metrics``: see ``take_steps``. One thread does."""
    instructions, loss, order = network.instructions, network.loss, source.order
    count = len(order) if len(order) else len(source.X)
    n_inputs = source.X.shape[1]
    values, dvalues = np.empty_like(workspace.values), np.empty_like(workspace.dvalues)
    memory = np.empty(source.batch_size * n_inputs, values.dtype)
    scratch = np.empty((2, source.batch_size), values.dtype)
    equal = np.ones(source.batch_size)
    for step in range(len(metrics)):
        start = step * source.batch_size
        stop = min(start + source.batch_size, count)
        samples = stop - start
        everything = slice(0, samples)
        inputs = columns(memory, 0, samples, n_inputs)
        gather_columns(source.X, order, start, inputs)
        labels = workspace.labels[:samples]
        copy_targets(source.labels, order, start, stop, everything, labels)
        weights = source.sample_weights[start:stop]
        if not len(weights):
            weights = equal[:samples]
        total_weight = 0.0
        for weight in weights:
            total_weight += weight

        logits = forward(network, inputs, values, samples)
        output = columns(values, loss.output, samples, loss.n_outputs)
        per_sample = rows(values, loss.per_sample, samples, 1).ravel()
        softmax(logits, loss.temperature, labels, output, per_sample, scratch)
        data_loss = 0.0
        for i in range(samples):
            data_loss += weights[i] * per_sample[i]
        metrics[step, 0] = data_loss / total_weight
        metrics[step, 1] = penalties(instructions, network.parameters)
        if network.accuracy:
            metrics[step, 2] = sum_of_correct(output, labels, weights, scratch) / total_weight
        # Where sums may be reordered, np.isfinite is compiled away.
        goes_on = abs(metrics[step, 0] + metrics[step, 1]) < np.inf

        if goes_on:
            dinputs = columns(dvalues, loss.dinputs, samples, loss.n_outputs)
            for i in range(samples):
                scratch[0, i] = weights[i] / (samples * loss.temperature)
            loss_gradient(output, labels, scratch[0], dinputs)
            backward(network, inputs, values, dinputs, dvalues, samples)
            goes_on = update(network, rates[step], iteration + step + 1, thread_team, thread_id)
            thread_team.steps[0] += 1
        if not goes_on or step == len(metrics) - 1:
            write_rows(network, values, dvalues, samples, workspace)
            if len(order):
                gather(source.X, order[start:stop], workspace.X[:samples])
            return


@jit
def columns(vector, place, samples, width):
    """Return the array of ``width`` numbers per sample at ``place``, ``(width, samples)``."""
    start = place * samples
    return vector[start : start + samples * width].reshape(width, samples)


@called
def gather_columns(source, order, start, target):
    for i in range(target.shape[1]):
        row = order[start + i] if len(order) else start + i
        for k in range(target.shape[0]):
            target[k, i] = source[row, k]


@jit
def parameters_of(op, vector):
    return weights_and_biases(op, vector[op.parameters : op.parameters + op.n_parameters])


@jit
def before_activation(op, values, samples):
    return columns(values, op.saved if op.n_saved else op.output, samples, op.n_outputs)


@jit
def forward(network, inputs, values, samples):
    """Run every layer, and return the last output."""
    zero = values.dtype.type(0)
    for op in network.instructions:
        weights, biases = parameters_of(op, network.parameters)
        before = before_activation(op, values, samples)
        weighted_sums(inputs, weights, biases, before)
        output = columns(values, op.output, samples, op.n_outputs)
        if op.n_saved:  # the ReLU
            x, out = before.ravel(), output.ravel()
            for i in range(len(x)):
                out[i] = zero if x[i] < zero else x[i]
        inputs = output
    return inputs


@jit
def backward(network, inputs, values, gradient, dvalues, samples):
    """Write the gradients of all parameters, from that of the last output."""
    instructions, zero = network.instructions, values.dtype.type(0)
    for i in range(len(instructions) - 1, -1, -1):
        op = instructions[i]
        before = inputs
        if i > 0:
            before = columns(values, instructions[i - 1].output, samples, op.n_inputs)
        if op.n_saved:  # the ReLU
            between = columns(values, op.saved + op.n_outputs, samples, op.n_outputs)
            out = columns(values, op.output, samples, op.n_outputs).ravel()
            dout, dx = gradient.ravel(), between.ravel()
            for k in range(len(out)):
                dx[k] = dout[k] if out[k] > zero else zero
            gradient = between
        weights, biases = parameters_of(op, network.parameters)
        dweights, dbiases = parameters_of(op, network.gradients)
        products_of_rows(before, gradient, dweights)
        if len(biases):
            sums_of_rows(gradient, dbiases)
        add_penalty_gradient(
            dweights.ravel(), weights.ravel(), op.weight_regularizer_l1, op.weight_regularizer_l2
        )
        add_penalty_gradient(dbiases, biases, op.bias_regularizer_l1, op.bias_regularizer_l2)
        if not op.leaves_out_dinputs:
            dinputs = columns(dvalues, op.dinputs, samples, op.n_inputs)
            weighted_sums(gradient, weights.T, biases[:0], dinputs)
            gradient = dinputs


@jit
def weighted_sums(x, weights, biases, out):
    """Write ``biases[n] + Σᵢ weights[i, n] x[i]`` for each row ``n``, several ``i`` in a pass."""
    count, samples = x.shape
    for n in range(len(out)):
        start = biases[n] if len(biases) else out.dtype.type(0)
        i = count % 4
        if i == 0:
            for s in range(samples):
                out[n, s] = start
        elif i == 1:
            a0 = weights[0, n]
            for s in range(samples):
                out[n, s] = start + a0 * x[0, s]
        elif i == 2:
            a0, a1 = weights[0, n], weights[1, n]
            for s in range(samples):
                out[n, s] = start + a0 * x[0, s] + a1 * x[1, s]
        else:
            a0, a1, a2 = weights[0, n], weights[1, n], weights[2, n]
            for s in range(samples):
                out[n, s] = start + a0 * x[0, s] + a1 * x[1, s] + a2 * x[2, s]
        while i < count:
            a0, a1, a2, a3 = weights[i, n], weights[i + 1, n], weights[i + 2, n], weights[i + 3, n]
            for s in range(samples):
                out[n, s] += a0 * x[i, s] + a1 * x[i + 1, s] + a2 * x[i + 2, s] + a3 * x[i + 3, s]
            i += 4


@jit
def products_of_rows(x, y, out):
    """Write ``Σₛ x[i, s] y[n, s]`` for all rows, several ``i`` in a pass."""
    count, samples = x.shape
    zero = out.dtype.type(0)
    for n in range(len(y)):
        i = 0
        while i + 4 <= count:
            t0 = t1 = t2 = t3 = zero
            for s in range(samples):
                t0 += y[n, s] * x[i, s]
                t1 += y[n, s] * x[i + 1, s]
                t2 += y[n, s] * x[i + 2, s]
                t3 += y[n, s] * x[i + 3, s]
            out[i, n], out[i + 1, n], out[i + 2, n], out[i + 3, n] = t0, t1, t2, t3
            i += 4
        while i < count:
            t0 = zero
            for s in range(samples):
                t0 += y[n, s] * x[i, s]
            out[i, n] = t0
            i += 1


@jit
def sums_of_rows(values, out):
    for n in range(len(values)):
        total = out.dtype.type(0)
        for s in range(values.shape[1]):
            total += values[n, s]
        out[n] = total


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
    for i in range(samples):
        label = labels[i]
        fits = 0 <= label < classes
        per_sample[i] = -output[label, i] if fits else logits.dtype.type(np.nan)
    flat = output.ravel()
    for i in range(len(flat)):
        flat[i] = exponential(flat[i])
    for i in range(samples):
        total[i] = output[0, i]
    for k in range(1, classes):
        for i in range(samples):
            total[i] += output[k, i]
    for i in range(samples):
        per_sample[i] += np.log(total[i])
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
    for i in range(samples):
        total += weights[i] if found[i] == labels[i] and most[i] == most[i] else 0.0
    return total


@jit
def loss_gradient(output, labels, shares, dinputs):
    for k in range(output.shape[0]):
        for i in range(output.shape[1]):
            dinputs[k, i] = output[k, i] * shares[i]
    for i in range(output.shape[1]):
        dinputs[labels[i], i] -= shares[i]


@jit
def write_rows(network, values, dvalues, samples, workspace):
    """Write all results of the step as ``(samples, numbers)``, into ``workspace``."""
    loss = network.loss
    for op in network.instructions:
        transpose(values, workspace.values, op.output, samples, op.n_outputs)
        for i in range(op.n_saved):
            place = op.saved + i * op.n_outputs
            transpose(values, workspace.values, place, samples, op.n_outputs)
        transpose(dvalues, workspace.dvalues, op.dinputs, samples, op.n_inputs)
    transpose(values, workspace.values, loss.output, samples, loss.n_outputs)
    transpose(values, workspace.values, loss.per_sample, samples, 1)
    transpose(dvalues, workspace.dvalues, loss.dinputs, samples, loss.n_outputs)


@called
def transpose(source, target, place, samples, width):
    x, out = columns(source, place, samples, width), rows(target, place, samples, width)
    for k in range(width):
        for i in range(samples):
            out[i, k] = x[k, i]
