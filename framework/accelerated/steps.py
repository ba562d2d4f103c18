"""Whole training steps in one compiled call: batch, forward, loss, backward, update."""

from typing import Any, NamedTuple

import numpy as np

from framework.accelerated import losses, program
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import BINARY, CATEGORICAL
from framework.accelerated.update import update
from framework.operation import Array


class Network(NamedTuple):
    """What is trained beside the table of its operations, and the arrays that change by it.

    Attributes:
        first: the line of the table at which backward ends.
        momentum, cache: what the optimizer remembers.
    """

    first: int
    loss: Any
    accuracy: int
    optimizer: Any
    parameters: Array
    gradients: Array
    statistics: Array
    momentum: Array
    cache: Array


class Source(NamedTuple):
    """What it is trained on.

    Attributes:
        X, y, weights: the samples in their order; or with ``order``, those it numbers. No
            weights means that all are equal.
        batch_size: samples of a step; the last may have fewer.
        chances: for the dropouts of all samples, ``drawn_per_sample`` for each.
    """

    X: Array
    y: Array
    weights: Array
    order: Array
    batch_size: int
    chances: Array
    drawn_per_sample: int


class Room(NamedTuple):
    """Where a step puts its samples, and what it computes: see ``program.py``."""

    batch: Array
    batch_y: Array
    values: Array
    dvalues: Array


@entry
def take_steps(table, network, source, room, rates, iteration, figures):
    """Make a step for each line of ``figures``: data loss, penalties, accuracy.

    Args:
        table: the lines of the operations of ``network``.
        rates, iteration: the learning rate of each step, and how many steps were before.

    Returns how many were made. If that is less than were asked for, the loss of the next one,
    which stands in ``figures``, was not finite, and no parameter was changed by it.
    """
    loss, accuracy, parameters = network.loss, network.accuracy, network.parameters
    X, y, weights, order = source.X, source.y, source.weights, source.order
    count = len(order) if len(order) else len(X)
    weight = np.ones(source.batch_size)
    for step in range(len(figures)):
        start = step * source.batch_size
        stop = min(start + source.batch_size, count)
        samples = stop - start
        inputs, targets = X[start:stop], y[start:stop]
        if len(order):
            inputs, targets = room.batch[:samples], room.batch_y[:samples]
            gather(X, order[start:stop], inputs)
            gather(y, order[start:stop], targets)
        if len(weights):
            for i in range(samples):
                weight[i] = weights[order[start + i]] if len(order) else weights[start + i]

        per = source.drawn_per_sample
        logits = program.forward(
            table, parameters, network.statistics, source.chances[start * per : stop * per],
            inputs, True, room.values,
        )  # fmt: skip
        output = program.rows(room.values, loss.output, samples, loss.classes)
        dinputs = program.rows(room.dvalues, loss.dinputs, samples, loss.classes)
        per_sample = program.rows(room.values, loss.losses, samples, 1).ravel()
        losses.losses(loss, logits, targets, output, per_sample)
        amount = data_loss = right = 0.0
        for i in range(samples):
            amount += weight[i]
            data_loss += weight[i] * per_sample[i]
            if accuracy:
                right += weight[i] * share_right(accuracy, output, targets, i)
        figures[step, 0] = data_loss / amount
        figures[step, 1] = program.penalties(table, parameters)
        figures[step, 2] = right / amount
        # Where sums may be reordered, np.isfinite is compiled away.
        if not abs(figures[step, 0] + figures[step, 1]) < np.inf:
            return step

        losses.backward(loss, output, targets, dinputs)
        if len(weights):
            for i in range(samples):
                dinputs[i] *= dinputs.dtype.type(weight[i] * samples / amount)
        program.backward(
            table, network.first, False, parameters, network.statistics, inputs, room.values, True,
            dinputs, room.dvalues, network.gradients,
        )  # fmt: skip
        update(
            network.optimizer, parameters, network.gradients, network.momentum, network.cache,
            rates[step], iteration + step,
        )  # fmt: skip
    return len(figures)


@compiled
def gather(source, order, target):
    for i in range(len(order)):
        row = order[i]
        if source.ndim == 1:
            target[i] = source[row]
        else:
            for j in range(source.shape[1]):
                target[i, j] = source[row, j]


@compiled
def share_right(accuracy, outputs, targets, sample):
    """The share of one sample's outputs that say what its targets do."""
    if targets.ndim == 1:
        return 1.0 if largest(outputs, sample) == targets[sample] else 0.0
    if accuracy == CATEGORICAL:
        return 1.0 if largest(outputs, sample) == largest(targets, sample) else 0.0
    assert accuracy == BINARY
    right = 0.0
    for k in range(outputs.shape[1]):
        right += (outputs[sample, k] > 0.5) == (targets[sample, k] > 0.5)
    return right / outputs.shape[1]


@compiled
def largest(values, sample):
    found, most = 0, values[sample, 0]
    for k in range(1, values.shape[1]):
        more = values[sample, k] > most
        found, most = (k if more else found), (values[sample, k] if more else most)
    return found
