"""Whole training steps in one compiled call: batch, forward, loss, backward, update."""

from typing import Any, NamedTuple

import numpy as np

from framework.accelerated.accuracies import sum_of_correct
from framework.accelerated.entries import call_loss_backward, call_losses, call_update
from framework.accelerated.interpreter import backward, forward, penalties
from framework.accelerated.jit import cached_jit, called, inlined, jit
from framework.accelerated.state import State, rows, rows_of_part
from framework.accelerated.thread_team import MOST_SLEEPS, barrier, chunk, own_parts
from framework.accelerated.views import as_vector
from optimizers.arrays import Array


class Network(NamedTuple):
    """The network, and the arrays that training changes.

    Attributes:
        instructions: of its operations.
        first: the instruction at which backward ends.
        loss, optimizer: their instructions.
        accuracy: its opcode.
        precision: that of a ``RegressionAccuracy``.
        first_state, second_state: what the optimizer remembers.
        decays: whether each parameter decays; empty if all do.
        without_decay: the instruction of the optimizer for those that do not.
    """

    instructions: Array
    first: int
    loss: Any
    accuracy: int
    precision: float
    optimizer: Any
    parameters: Array
    gradients: Array
    statistics: Array
    first_state: Array
    second_state: Array
    decays: Array
    without_decay: Any


class BatchSource(NamedTuple):
    """The data of the steps.

    Attributes:
        X, labels, targets: the samples in their order; or with ``order``, those it numbers. Of
            the last two, one may be empty (see ``losses``). Their values may change at any time.
        sample_weights: one for each sample of the steps, in their order, divided by the mean weight
            of all training samples. None at all means that all are equal.
        batch_size: samples of a step; the last may have fewer.
        uniforms: random numbers for all samples, ``uniforms_per_sample`` for each.
    """

    X: Array
    labels: Array
    targets: Array
    sample_weights: Array
    order: Array
    batch_size: int
    uniforms: Array
    uniforms_per_sample: int


class Workspace(NamedTuple):
    """The memory in which a step puts its batch and its results: see ``interpreter.py``.

    The targets are always put there: labels are used as indices, so that those that were checked
    must be those that are used, whatever becomes of the source.

    Attributes:
        partials: see ``State``, for all operations.
    """

    X: Array
    labels: Array
    targets: Array
    values: Array
    dvalues: Array
    partials: Array


@cached_jit
def take_steps(network, source, workspace, rates, iteration, metrics, thread_team, thread_id):
    """Make a step for each row of ``metrics``: data loss, penalties, accuracy.

    Every thread of ``thread_team`` calls it, and computes its parts of each batch and of each
    update. The steps that ``thread_team.steps`` counts have been made before.

    Args:
        rates, iteration: the learning rate of each step, and how many steps were before.

    ``thread_team.steps`` says how many were made. If that is less than were asked for, the threads
    have given up; or the loss of the next one, which stands in ``metrics``, was not finite, and no
    parameter was changed by it. That is so too where a target is invalid: see ``losses``.
    """
    loss, accuracy = network.loss, network.accuracy
    order, sample_weights = source.order, source.sample_weights
    count = len(order) if len(order) else len(source.X)
    equal = np.ones(source.batch_size)
    sums, parts = thread_team.sums, own_parts(thread_team, thread_id)
    for step in range(thread_team.steps[0], len(metrics)):
        start = step * source.batch_size
        stop = min(start + source.batch_size, count)
        samples = stop - start
        inputs = workspace.X[:samples] if len(order) else source.X[start:stop]
        labels, targets = workspace.labels[:samples], workspace.targets[:samples]
        for part in parts:
            own = chunk(samples, part, len(sums))
            if len(order):
                gather(source.X, order[start:stop][own], inputs[own])
            copy_targets(source.labels, order, start, stop, own, labels)
            copy_targets(source.targets, order, start, stop, own, targets)
        weights = sample_weights[start:stop] if len(sample_weights) else equal[:samples]
        total_weight = weights.sum()

        per = source.uniforms_per_sample
        uniforms = source.uniforms[start * per : stop * per]
        state = State(
            network.parameters, network.gradients, network.statistics, uniforms,
            workspace.partials, 0, len(sums),
        )  # fmt: skip
        predictions = forward(
            network.instructions, state, inputs, workspace.values, thread_team, thread_id
        )
        output = predictions
        if loss.is_fused:
            output = rows(workspace.values, loss.output, samples, loss.n_outputs)
        dinputs = rows(workspace.dvalues, loss.dinputs, samples, loss.n_outputs)
        per_sample = as_vector(rows(workspace.values, loss.per_sample, samples, 1))
        for part in parts:
            own = chunk(samples, part, len(sums))
            call_losses(
                loss.losses,
                (loss, predictions[own], labels[own], targets[own], output[own], per_sample[own]),
            )
            data_loss = correct = 0.0
            for i in range(own.start, own.stop):
                data_loss += weights[i] * per_sample[i]
            if accuracy:
                correct = sum_of_correct(
                    accuracy, network.precision, output[own], labels[own], targets[own],
                    weights[own],
                )  # fmt: skip
            sums[part, 0], sums[part, 2] = data_loss / total_weight, correct / total_weight
            sums[part, 1] = penalties(network.instructions, network.parameters) if part == 0 else 0
        if thread_id == 0:
            thread_team.gives_up[0] = thread_team.sleeps[0] > MOST_SLEEPS
        if not barrier(thread_team, thread_id):
            return
        gives_up = thread_team.gives_up[0]
        total_loss = 0.0
        for part in range(len(sums)):
            total_loss += sums[part, 0] + sums[part, 1]
        if thread_id == 0:
            for part in range(len(sums)):
                for i in range(metrics.shape[1]):
                    metrics[step, i] += sums[part, i]
        # Where sums may be reordered, np.isfinite is compiled away.
        if not abs(total_loss) < np.inf:
            return

        for part in parts:
            own = chunk(samples, part, len(sums))
            call_loss_backward(
                loss.backward,
                (loss, output[own], labels[own], targets[own], samples, dinputs[own]),
            )
            if len(sample_weights):
                for i in range(own.start, own.stop):
                    factor = dinputs.dtype.type(weights[i])
                    for k in range(dinputs.shape[1]):
                        dinputs[i, k] *= factor
        if not backward(
            network.instructions, network.first, state, inputs, workspace.values,
            workspace.dvalues, thread_team, thread_id,
        ):  # fmt: skip
            return
        if not update(network, rates[step], iteration + step + 1, thread_team, thread_id):
            return
        if thread_id == 0:
            thread_team.steps[0] += 1
        if gives_up:
            return


@inlined
def update(network, rate, step, thread_team, thread_id):
    """Update the parameters whose gradients a thread has computed.

    No thread reads them any more: the last to do so is ``backward`` of their operation, and all
    threads have met since then.

    Returns whether every thread has come to the end.
    """
    sums, parts = thread_team.sums, own_parts(thread_team, thread_id)
    optimizer, factor = network.optimizer, 1.0
    if optimizer.max_gradient_norm > 0:
        for part in parts:
            sums[part, 3] = 0
            for op in network.instructions:
                own = own_parameters(op, part, len(sums))
                sums[part, 3] += sum_of_squares(network.gradients[own])
        if not barrier(thread_team, thread_id):
            return False
        norm = np.sqrt(sums[:, 3].sum())
        if optimizer.max_gradient_norm < norm < np.inf:
            factor = optimizer.max_gradient_norm / norm
    for op in network.instructions:
        if op.n_parameters:
            for part in parts:
                own = own_parameters(op, part, len(sums))
                update_parameters(network, own, factor, rate, step)
    return barrier(thread_team, thread_id)


@jit
def update_parameters(network, own, factor, rate, step):
    """Update the slice ``own`` of the parameters with ``factor`` times its gradients."""
    gradients, optimizer = network.gradients[own], network.optimizer
    if factor < 1:
        gradients = gradients * gradients.dtype.type(factor)
    start = own.start
    while start < own.stop:
        stop, chosen = own.stop, optimizer
        if len(network.decays):
            stop = end_of_equal(network.decays, start, own.stop)
            chosen = optimizer if network.decays[start] else network.without_decay
        equal = slice(start, stop)
        gradient = gradients[start - own.start : stop - own.start]
        parameter, first = network.parameters[equal], network.first_state[equal]
        second = network.second_state[equal]
        arguments = chosen, parameter, gradient, first, second, rate, step
        call_update(chosen.update, arguments)
        start = stop


@jit
def end_of_equal(values, start, stop):
    """Return where the values that are equal to the one at ``start`` end."""
    end = start + 1
    while end < stop and values[end] == values[start]:
        end += 1
    return end


@jit
def own_parameters(op, part, parts):
    """Return where in the vectors the parameters lie whose gradients a part computes."""
    rows, row = rows_of_part(op, part, parts), op.parameter_row
    return slice(op.parameters + rows.start * row, op.parameters + rows.stop * row)


@jit
def sum_of_squares(gradients):
    squares = 0.0
    for gradient in gradients:
        squares += np.float64(gradient) * np.float64(gradient)
    return squares


@called
def copy_targets(source, order, start, stop, own, target):
    """Copy a part's chunk of the targets of a batch, where there are any."""
    if len(source):
        if len(order):
            gather(source, order[start:stop][own], target[own])
        else:
            copy(source[start:stop][own], target[own])


@jit
def copy(source, target):
    # An assignment would bring in, and compile, the text of its error.
    for i in range(len(target)):
        if source.ndim == 1:
            target[i] = source[i]
        else:
            for j in range(source.shape[1]):
                target[i, j] = source[i, j]


@called
def gather(source, order, target):
    for i in range(len(order)):
        row = order[i]
        if source.ndim == 1:
            target[i] = source[row]
        else:
            for j in range(source.shape[1]):
                target[i, j] = source[row, j]
