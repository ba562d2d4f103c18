"""Whole training steps in one compiled call: batch, forward, loss, backward, update."""

from typing import Any, NamedTuple

import numpy as np

from framework.accelerated import losses, program
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import BATCH_NORMALIZATION, BINARY, CATEGORICAL, DENSE
from framework.accelerated.team import barrier, share
from framework.accelerated.update import sum_of_squares, update_part
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
def take_steps(table, network, source, room, rates, iteration, figures, team, member):
    """Make a step for each line of ``figures``: data loss, penalties, accuracy.

    Every member of ``team`` calls it, and sees to its part of each batch and of each update.

    Args:
        table: the lines of the operations of ``network``.
        rates, iteration: the learning rate of each step, and how many steps were before.
        member: the number of this thread.

    ``team.steps`` says how many were made. If that is less than were asked for, the loss of the
    next one, which stands in ``figures``, was not finite, and no parameter was changed by it.
    """
    loss, accuracy, parameters = network.loss, network.accuracy, network.parameters
    X, y, weights, order = source.X, source.y, source.weights, source.order
    count = len(order) if len(order) else len(X)
    weight = np.ones(source.batch_size)
    sums = team.sums[member]
    for step in range(len(figures)):
        start = step * source.batch_size
        stop = min(start + source.batch_size, count)
        samples = stop - start
        own = share(samples, team, member)
        inputs, targets = X[start:stop], y[start:stop]
        if len(order):
            inputs, targets = room.batch[:samples], room.batch_y[:samples]
            gather(X, order[start:stop][own], inputs[own])
            gather(y, order[start:stop][own], targets[own])
        if len(weights):
            for i in range(samples):
                weight[i] = weights[order[start + i]] if len(order) else weights[start + i]
        amount = weight[:samples].sum()

        per = source.drawn_per_sample
        logits = program.forward(
            table, parameters, network.statistics, source.chances[start * per : stop * per],
            inputs, room.values, team, member,
        )  # fmt: skip
        output = program.rows(room.values, loss.output, samples, loss.classes)
        dinputs = program.rows(room.dvalues, loss.dinputs, samples, loss.classes)
        per_sample = program.rows(room.values, loss.losses, samples, 1).ravel()
        losses.losses(loss, logits[own], targets[own], output[own], per_sample[own])
        data_loss = right = 0.0
        for i in range(own.start, own.stop):
            data_loss += weight[i] * per_sample[i]
            if accuracy:
                right += weight[i] * share_right(accuracy, output, targets, i)
        sums[0], sums[2] = data_loss / amount, right / amount
        sums[1] = program.penalties(table, parameters) if member == 0 else 0.0
        if not barrier(team, member):
            return
        came_to = 0.0
        for found in team.sums:
            came_to += found[0] + found[1]
        if member == 0:
            for found in team.sums:
                figures[step] += found[:3]
        # Where sums may be reordered, np.isfinite is compiled away.
        if not abs(came_to) < np.inf:
            return

        losses.backward(loss, output[own], targets[own], samples, dinputs[own])
        if len(weights):
            for i in range(own.start, own.stop):
                dinputs[i] *= dinputs.dtype.type(weight[i] * samples / amount)
        if not program.backward(
            table, network.first, False, parameters, network.statistics, inputs, room.values,
            dinputs, room.dvalues, network.gradients, team, member,
        ):  # fmt: skip
            return
        if not update(table, network, rates[step], iteration + step, team, member):
            return
        if member == 0:
            team.steps[0] += 1


@compiled
def update(table, network, rate, iteration, team, member):
    """Update a member's part of the parameters: those whose gradients it has computed.

    They are cut as ``program.backward`` cuts them. Nobody reads the others' any more: the last
    that reads them is the gradient of the inputs of a dense layer, and since the first layer that
    is trained leaves that out, the members have met since, at its barrier.

    Returns whether every member has come to the end.
    """
    squares = 0.0
    if network.optimizer.max_gradient_norm > 0:
        team.sums[member, 3] = 0
        for op in table:
            for own in parts_of(op, team, member):
                team.sums[member, 3] += sum_of_squares(network.gradients[own])
        if not barrier(team, member):
            return False
        squares = team.sums[:, 3].sum()
    for op in table:
        for own in parts_of(op, team, member):
            update_part(
                network.optimizer, network.parameters[own], network.gradients[own],
                network.momentum[own], network.cache[own], rate, iteration, squares,
            )  # fmt: skip
    return barrier(team, member)


@compiled
def parts_of(op, team, member):
    """Where in the vectors a member's part of the weights and of the biases of ``op`` lies."""
    rows = columns = 0
    if op.kind == DENSE:
        rows, columns = op.n_inputs, op.n_outputs
    elif op.kind == BATCH_NORMALIZATION:
        rows, columns = 1, op.n_outputs
    weights, biases = share(rows, team, member), share(columns, team, member)
    return (
        slice(op.weights + weights.start * columns, op.weights + weights.stop * columns),
        slice(op.biases + biases.start, op.biases + biases.stop),
    )


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
        output = outputs[sample, k]
        right += not np.isnan(output) and (output > 0.5) == (targets[sample, k] > 0.5)
    return right / outputs.shape[1]


@compiled
def largest(values, sample):
    """The class of the largest value of a row, -1 where one is NaN."""
    found, most, missing = 0, values[sample, 0], np.isnan(values[sample, 0])
    for k in range(1, values.shape[1]):
        more = values[sample, k] > most
        found, most = (k if more else found), (values[sample, k] if more else most)
        missing |= np.isnan(values[sample, k])
    return -1 if missing else found
