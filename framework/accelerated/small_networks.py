"""Whole training steps of small networks: loops that go along the samples.

Where layers have a few dozen numbers, the calls of products and the rows of few numbers take longer
than the arithmetic. Here the arrays of a batch are ``(numbers, samples)``, so that the samples, of
which there are more, fill the vector registers, whatever the sizes of the layers are: see
``columns.py``. When the steps have been taken, the results of the last one are written as all
others leave them, ``(samples, numbers)``.

It takes dense layers, with ReLU or without, before softmax with categorical cross-entropy.
"""

import numpy as np

from framework.accelerated.accuracies import CATEGORICAL
from framework.accelerated.checked_data import CheckedData
from framework.accelerated.columns import (
    backward,
    columns,
    forward,
    gather_columns,
    loss_gradient,
    memory_for,
    softmax,
    sum_of_correct,
)
from framework.accelerated.instructions import Instructions
from framework.accelerated.interpreter import penalties
from framework.accelerated.jit import cached_jit, called, jit
from framework.accelerated.layers import dense, dense_relu
from framework.accelerated.state import rows
from framework.accelerated.steps import copy_targets, gather, update
from framework.accelerated.vectors import filled
from framework.accelerated.views import as_vector
from framework.losses import SoftmaxCategoricalCrossentropy

# Measured: with up to so many weights in a layer, these loops are faster than the others.
LARGEST_LAYER = 4096
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
    loss, order, n_inputs = network.loss, source.order, source.X.shape[1]
    count, behind = len(order) if len(order) else len(source.X), len(network.instructions)
    memory = memory_for(network, n_inputs, source.batch_size)
    equal = np.ones(source.batch_size)
    for step in range(thread_team.steps[0], len(metrics)):
        start = step * source.batch_size
        stop = min(start + source.batch_size, count)
        samples = stop - start
        whole = filled(samples, memory.values.itemsize)
        inputs = columns(memory.inputs, 0, whole, n_inputs + 1)
        gather_columns(source.X, order, start, samples, inputs)
        labels = workspace.labels[:samples]
        copy_targets(source.labels, order, start, stop, slice(0, samples), labels)
        weights = source.sample_weights[start:stop]
        if not len(weights):
            weights = equal[:samples]
        total_weight = 0.0
        for weight in weights:
            total_weight += weight

        is_last = step == len(metrics) - 1
        logits = forward(network, inputs, memory, is_last)
        output = columns(memory.values, loss.output + behind, whole, loss.n_outputs)
        per_sample = as_vector(columns(memory.values, loss.per_sample + behind, whole, 1))
        softmax(logits, loss.temperature, labels, output, per_sample, memory.scratch)
        data_loss = 0.0
        for i in range(samples):
            data_loss += weights[i] * per_sample[i]
        metrics[step, 0] = data_loss / total_weight
        metrics[step, 1] = penalties(network.instructions, network.parameters)
        if network.accuracy:
            correct = sum_of_correct(output, labels, weights, memory.scratch)
            metrics[step, 2] = correct / total_weight
        # Where sums may be reordered, np.isfinite is compiled away.
        goes_on = abs(metrics[step, 0] + metrics[step, 1]) < np.inf

        if goes_on:
            dinputs = columns(memory.dvalues, loss.dinputs, whole, loss.n_outputs)
            divisor = samples * loss.temperature
            loss_gradient(output, labels, weights, divisor, memory.scratch[0], dinputs)
            backward(network, inputs, dinputs, memory, is_last)
            update(network, rates[step], iteration + step + 1, thread_team, thread_id)
            thread_team.steps[0] += 1
        elif not is_last:
            forward(network, inputs, memory, True)
        if not goes_on or is_last:
            write_rows(network, memory, samples, whole, workspace)
            if len(order):
                gather(source.X, order[start:stop], workspace.X[:samples])
            return


@jit
def write_rows(network, memory, samples, whole, workspace):
    """Write all results of the step as ``(samples, numbers)``, into ``workspace``."""
    loss, behind = network.loss, len(network.instructions)
    values, dvalues = workspace.values, workspace.dvalues
    for i in range(behind):
        op = network.instructions[i]
        turn(memory.values, op.output + i, whole, values, op.output, samples, op.n_outputs)
        for k in range(op.n_saved):
            place = op.saved + k * op.n_outputs
            turn(memory.values, place + i + 1, whole, values, place, samples, op.n_outputs)
        turn(memory.dvalues, op.dinputs, whole, dvalues, op.dinputs, samples, op.n_inputs)
    for place, width in ((loss.output, loss.n_outputs), (loss.per_sample, 1)):
        turn(memory.values, place + behind, whole, values, place, samples, width)
    turn(memory.dvalues, loss.dinputs, whole, dvalues, loss.dinputs, samples, loss.n_outputs)


@called
def turn(source, place, whole, target, place_of_target, samples, width):
    """Copy an array of ``(width, whole)`` to one of ``(samples, width)``."""
    x, out = columns(source, place, whole, width), rows(target, place_of_target, samples, width)
    for k in range(width):
        for i in range(samples):
            out[i, k] = x[k, i]
