"""Whole training steps of a model whose every part has a twin."""

from functools import partial
from typing import Any

import numpy as np

from framework.accelerated.computation import Computation, as_compiled, rows
from framework.accelerated.products import CAN_BE_SHARED
from framework.accelerated.steps import Network, Room, Source, take_steps
from framework.accelerated.table import (
    ACCURACIES,
    KINDS,
    LOSSES,
    OPTIMIZERS,
    Table,
    is_exactly,
    loss_line,
    offsets,
    optimizer_line,
    optimizer_memory,
)
from framework.accelerated.team import MOST_THREADS, team_of, together
from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, Batch, Batches
from framework.data.micro_batches import has_independent_samples
from framework.losses import FusedLoss
from framework.operation import Array
from framework.utils.threads import available, single_thread
from optimizers.optimizer import parameter_names

# A call takes about as long as this many multiplications, a part of a second, so that Ctrl-C and
# the progress bar come into their own in between. A step is counted as so many by itself, and its
# update as some for each parameter, so that the calls of small networks are short as well.
WORK_PER_CALL = 10**9
WORK_OF_STEP = 100_000
WORK_OF_UPDATE = 10
# What the dropouts draw for all steps of a call is a few megabytes.
DRAWN_PER_CALL = 2**20

# With less than this to do, samples of a batch and multiplications, a thread is not worth it: with
# 3 million each, two were 15 % faster than one; with 0.8 million 10 %, but not reliably.
SAMPLES_OF_THREAD = 32
WORK_OF_THREAD = 2 * 10**6

STEP_METHODS = (
    "calculate_loss",
    "loss_and_outputs",
    "regularization_loss",
    "backward",
    "calculate_accuracy",
    "accuracy_of",
)


class Trainer:
    """Takes steps of training, many in one call.

    Args:
        model: whose operations, accuracy and optimizer all have twins.
        operations: those before the loss.
        loss: what the model computes its loss with.
    """

    def __init__(self, model: Supervised, operations: list[Any], loss: FusedLoss) -> None:
        self.model = model
        self.operations = operations
        self.loss = loss
        self.offsets = offsets(model.parameters)
        self.first = next(i for i, op in enumerate(operations) if parameter_names(op))

    def steps_at_once(self, source: Batches) -> int:
        """How many batches of ``source`` to put together for one call."""
        if not self._reads(source):
            return 1
        parameters, size = len(self.model.parameters), source.batch_size
        work = (size + WORK_OF_UPDATE) * parameters + WORK_OF_STEP
        table = Table(self.operations, self.offsets, source.sample.shape[1])
        drawn = max(1, size * table.chances)
        return max(1, min(WORK_PER_CALL // work, DRAWN_PER_CALL // drawn))

    def take_steps(self, batches: Batch) -> Array:
        """Train on one batch, or several put together, and leave the model as the last one does.

        Returns:
            For each step, the data loss, the penalties and the accuracy, ``(steps, 3)``. After a
            loss that is not finite no more steps are taken.
        """
        source = batches.source
        if self._reads(source):
            arrays = source.X, source.y, source.sample_weight, batches.rows
            return self._take_steps(*arrays, source.batch_size)
        ((X, y, weights, _),) = batches.micro_batches()
        return self._take_steps(X, y, weights, None, len(X))

    def _reads(self, source: Batches) -> bool:
        """Whether the compiled code can take the rows of a batch from the arrays by itself."""
        return (
            isinstance(source, ArrayBatches)
            and source.in_memory
            and source.X.dtype == self.model.dtype
        )

    def _take_steps(
        self, X: Array, y: Array, weights: Array | None, order: Array | None, batch_size: int
    ) -> Array:
        parameters, optimizer = self.model.parameters, self.model.optimizer
        dtype = parameters.dtype
        X, y = as_compiled(X, dtype), as_compiled(y, y.dtype)
        samples = len(X) if order is None else len(order)
        # By the size of all batches, so that the last one's sums are the same in any call.
        team = team_of(self.threads(batch_size))
        batch_size = min(batch_size, samples)
        figures = np.zeros((-(-samples // batch_size), 3))
        table = Table(self.operations, self.offsets, X.shape[1])
        classes = table.n_outputs
        computation = Computation(self.operations, table, batch_size, dtype, more=classes + 1)
        dvalues = computation.dvalues(batch_size, more=classes)
        loss = loss_line(self.loss, table)
        gathered = 0 if order is None else batch_size
        batch = np.empty((gathered, X.shape[1]), dtype)
        batch_y = np.empty((gathered, *y.shape[1:]), y.dtype)
        began = optimizer.iterations
        rates = self._learning_rates(len(figures))
        momentum, cache = optimizer_memory(optimizer, parameters)
        network = Network(
            first=self.first,
            loss=loss,
            accuracy=ACCURACIES[type(self.model.accuracy)],
            optimizer=optimizer_line(optimizer),
            parameters=parameters.weights,
            gradients=parameters.dweights,
            statistics=computation.statistics,
            momentum=momentum,
            cache=cache,
        )
        source = Source(
            X=X,
            y=y,
            weights=np.empty(0) if weights is None else weights,
            order=np.empty(0, np.intp) if order is None else order,
            batch_size=batch_size,
            chances=computation.draw(samples),
            drawn_per_sample=table.chances,
        )
        room = Room(batch, batch_y, computation.values, dvalues)
        arguments = table.lines, network, source, room, rates, began
        try:
            if len(team.own) == 1:
                take_steps(*arguments, figures, team, 0)
            else:
                # No step: what must be compiled is compiled here, in a thread that Ctrl-C ends.
                take_steps(*arguments, figures[:0], team, 0)
                with single_thread():
                    together(team, partial(take_steps, *arguments, figures, team))
        finally:
            taken = int(team.steps[0])
            optimizer.iterations = began + taken
            if taken:
                optimizer.current_learning_rate = float(rates[taken - 1])
        last = min(taken, len(figures) - 1)
        size = min(batch_size, samples - last * batch_size)
        computation.hand_out_outputs(
            X[last * batch_size :][:size] if order is None else batch[:size]
        )
        output = rows(computation.values, loss["output"], size, classes)
        self.loss.output = self.loss.activation.output = self.model._output = output
        if taken == len(figures):
            computation.hand_out_gradients(dvalues, size, self.first, all_dinputs=False)
            dinputs = rows(dvalues, loss["dinputs"], size, classes)
            self.loss.dinputs = self.loss.activation.dinputs = dinputs
        return figures[: taken + 1]

    def threads(self, batch_size: int) -> int:
        """Return how many threads share the work on each batch of so many samples."""
        if not CAN_BE_SHARED or not all(map(has_independent_samples, self.operations)):
            return 1
        work = batch_size * len(self.model.parameters)
        worth = min(batch_size // SAMPLES_OF_THREAD, work // WORK_OF_THREAD)
        return max(1, min(worth, available(), MOST_THREADS))

    def _learning_rates(self, steps: int) -> Array:
        optimizer = self.model.optimizer
        began, rate = optimizer.iterations, optimizer.current_learning_rate
        rates = np.empty(steps)
        try:
            for step in range(steps):
                optimizer.iterations = began + step
                optimizer.pre_update_params()
                rates[step] = optimizer.current_learning_rate
        finally:
            optimizer.iterations, optimizer.current_learning_rate = began, rate
        return rates


def trainer_of(model: Supervised, operations: list[Any], loss: FusedLoss | None) -> Trainer | None:
    """Return the ``Trainer`` of ``model``, or None where a part of it has no twin."""
    methods_are_ours = all(
        getattr(getattr(model, name), "__func__", None) is getattr(Supervised, name)
        for name in STEP_METHODS
    )
    if (
        methods_are_ours
        and loss is not None
        and is_exactly(loss, LOSSES)
        and is_exactly(model.optimizer, OPTIMIZERS)
        and (model.accuracy is None or is_exactly(model.accuracy, ACCURACIES))
        and all(is_exactly(operation, KINDS) for operation in operations)
        and any(parameter_names(operation) for operation in operations)
    ):
        return Trainer(model, operations, loss)
    return None
