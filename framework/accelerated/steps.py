"""Whole training steps in one compiled call: batch, forward, loss, backward, update."""

import numpy as np

from framework.accelerated import losses, program
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import CATEGORICAL
from framework.accelerated.update import update


@entry
def take_steps(
    table, first, loss, accuracy, optimizer, parameters, gradients, statistics, momentum, cache,
    rates, iteration, X, y, weights, order, batch_size, chances, drawn_per_sample,
    batch, batch_y, values, dvalues, figures,
):  # fmt: skip
    """Make a step for each line of ``figures``: data loss, penalties, accuracy, amount.

    Args:
        X, y, weights: the samples in their order; or with ``order``, those it numbers. No
            weights means that all are equal.
        chances: for the dropouts of all samples, ``drawn_per_sample`` for each.
        batch, batch_y: room for the samples of a step.
        values, dvalues: room for what it computes: see ``program.py``.

    Returns how many were made. If that is less than were asked for, the loss of the next one,
    which stands in ``figures``, was not finite, and no parameter was changed by it.
    """
    count = len(order) if len(order) else len(X)
    weight = np.ones(batch_size)
    for step in range(len(figures)):
        start = step * batch_size
        stop = min(start + batch_size, count)
        samples = stop - start
        inputs, targets = X[start:stop], y[start:stop]
        if len(order):
            inputs, targets = batch[:samples], batch_y[:samples]
            gather(X, order[start:stop], inputs)
            gather(y, order[start:stop], targets)
        if len(weights):
            for i in range(samples):
                weight[i] = weights[order[start + i]] if len(order) else weights[start + i]

        drawn = chances[start * drawn_per_sample : stop * drawn_per_sample]
        logits = program.forward(table, parameters, statistics, drawn, inputs, True, values)
        output = program.rows(values, loss.output, samples, loss.classes)
        dinputs = program.rows(dvalues, loss.dinputs, samples, loss.classes)
        per_sample = program.rows(values, loss.losses, samples, 1).ravel()
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
        figures[step, 3] = amount
        # Where sums may be reordered, np.isfinite is compiled away.
        if not abs(figures[step, 0] + figures[step, 1]) < np.inf:
            return step

        losses.backward(loss, output, targets, dinputs)
        if len(weights):
            for i in range(samples):
                dinputs[i] *= dinputs.dtype.type(weight[i] * samples / amount)
        program.backward(
            table, first, False, parameters, statistics, inputs, values, True, dinputs, dvalues,
            gradients,
        )  # fmt: skip
        update(optimizer, parameters, gradients, momentum, cache, rates[step], iteration + step)
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
