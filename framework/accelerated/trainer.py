"""Whole training steps of a model whose every part has a twin."""

from functools import partial
from typing import Any, TypeGuard

import numpy as np

from framework.accelerated.computation import Computation, as_compiled, rows
from framework.accelerated.products import CAN_BE_SHARED
from framework.accelerated.steps import Network, Room, Source, take_steps
from framework.accelerated.table import (
    ACCURACIES,
    KINDS,
    LOSSES,
    OPTIMIZERS,
    SOFTMAX,
    Table,
    is_exactly,
    loss_line,
    optimizer_line,
    optimizer_memory,
    places,
)
from framework.accelerated.team import MOST_THREADS, team_of, together
from framework.losses import FusedLoss
from framework.losses.targets import binary_targets, class_targets
from framework.model import Model
from framework.operation import Array
from framework.samples import Batch, Samples, Stream
from framework.slices import is_samplewise
from framework.threads import available, single_thread
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

STEP_METHODS = ("calculate_loss", "regularization_loss", "backward", "calculate_accuracy")


class Trainer:
    """Takes steps of training, many in one call.

    Args:
        model: whose operations, accuracy and optimizer all have twins.
        operations: those before the loss.
        loss: what the model computes its loss with.
    """

    def __init__(self, model: Model, operations: list[Any], loss: FusedLoss) -> None:
        self.model = model
        self.operations = operations
        self.loss = loss
        self.parameters = model.parameters
        self.places = places(self.parameters)
        self.is_softmax = LOSSES[type(loss)] == SOFTMAX
        self.check_targets = class_targets if self.is_softmax else binary_targets
        self.first = next(i for i, op in enumerate(operations) if parameter_names(op))

    def steps_at_once(self, samples: Samples | Stream) -> int:
        """How many batches of ``samples`` to put together for one call."""
        try:
            table = self._table(samples.sample)
        except ValueError:  # which the step itself says more of
            return 1
        if not self._reads(samples) or not self._takes(samples.y, table.n_outputs):
            return 1
        parameters, size = len(self.parameters), samples.batch_size
        work = (size + WORK_OF_UPDATE) * parameters + WORK_OF_STEP
        drawn = max(1, size * table.chances)
        return max(1, min(WORK_PER_CALL // work, DRAWN_PER_CALL // drawn))

    def take_steps(self, batches: Batch) -> Array:
        """Train on one batch, or several put together, and leave the model as the last one does.

        Returns:
            For each step, the data loss, the penalties and the accuracy, ``(steps, 3)``. After a
            loss that is not finite no more steps are taken.

        Raises:
            TypeError, ValueError: targets that do not fit, as the loss itself raises them. They
                are looked at when their step uses them, since they may have changed since the
                training began; the steps before it have been taken.
            IndexError: a row that is not there, as NumPy raises it.
        """
        samples = batches.samples
        if self._reads(samples):
            source = samples.X, samples.y, samples.weights, batches.rows
            return self._take_steps(*source, samples.batch_size)
        ((X, y, weights, _),) = batches.parts()
        return self._take_steps(X, y, weights, None, samples.batch_size)

    def _reads(self, samples: Samples | Stream) -> TypeGuard[Samples]:
        """Whether the compiled code can take the rows of a batch from the arrays by itself."""
        return (
            isinstance(samples, Samples)
            and samples.in_memory
            and samples.X.dtype == self.model.dtype
        )

    def _take_steps(
        self, X: Array, y: Array, weights: Array | None, order: Array | None, batch_size: int
    ) -> Array:
        parameters, optimizer = self.parameters, self.model.optimizer
        dtype = parameters.dtype
        # From here on, nothing that says how large an array is, or where to look in it, is where
        # callbacks or other threads can change it. Only the targets are, until they are used.
        X, y = as_compiled(X, dtype), np.asarray(y).view()
        if order is not None:
            order = _rows_of(order, X, y)
            weights = None if weights is None else weights[order]
        try:
            table = self._table(X)
        except ValueError:
            self.model.forward(X[:batch_size])  # the operation that does not take it says so
            raise
        classes = table.n_outputs
        if not self._takes(y, classes):
            if order is not None:
                X, y, order = X[order], y[order], None
            y = self.check_targets(y, (len(X), classes))
        y = as_compiled(y, y.dtype if y.ndim == 1 else dtype)
        samples = len(X) if order is None else len(order)
        weights = np.empty(0) if weights is None else np.array(weights, np.float64)
        if len(weights) and weights.shape != (samples,):
            raise ValueError(
                f"sample_weight must be one number for each sample, of shape ({samples},), "
                f"received shape {weights.shape}"
            )
        # By the size of all batches, so that the last one's sums are the same in any call.
        team = team_of(self.threads(batch_size))
        batch_size = min(batch_size, samples)
        figures = np.zeros((-(-samples // batch_size), 3))
        computation = Computation(self.operations, table, batch_size, dtype, more=classes + 1)
        dvalues = computation.dvalues(batch_size, more=classes)
        loss = loss_line(self.loss, table)
        gathered = 0 if order is None else batch_size
        batch = np.empty((gathered, X.shape[1]), dtype)
        batch_y = np.empty((batch_size, *y.shape[1:]), y.dtype)
        began = optimizer.iterations
        rates = self._learning_rates(len(figures))
        of_optimizer = optimizer_line(optimizer)
        momentum, cache = optimizer_memory(of_optimizer, optimizer, parameters)
        network = Network(
            first=self.first,
            loss=loss,
            accuracy=ACCURACIES[type(self.model.accuracy)],
            optimizer=of_optimizer,
            parameters=parameters.weights,
            gradients=parameters.dweights,
            statistics=computation.statistics,
            momentum=momentum,
            cache=cache,
        )
        source = Source(
            X=X,
            y=y,
            weights=weights,
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
        if taken < len(figures):
            self.check_targets(batch_y[:size], (size, classes))
        output = rows(computation.values, loss["output"], size, classes)
        self.loss.output = self.loss.activation.output = self.model._output = output
        if taken == len(figures):
            computation.hand_out_gradients(dvalues, size, self.first, all_dinputs=False)
            dinputs = rows(dvalues, loss["dinputs"], size, classes)
            self.loss.dinputs = self.loss.activation.dinputs = dinputs
        return figures[: taken + 1]

    def _table(self, X: Array) -> Table:
        (width,) = X.shape[1:]
        return Table(self.operations, self.places, width)

    def _takes(self, y: Array, classes: int) -> bool:
        """Whether ``y`` are targets of the kind and the shape that ``check_targets`` returns."""
        if y.ndim == 1:
            return self.is_softmax and y.dtype == np.intp
        return y.dtype == self.parameters.dtype and y.shape[1:] == (classes,)

    def threads(self, batch_size: int) -> int:
        """Return how many threads share the work on each batch of so many samples."""
        if not CAN_BE_SHARED or not all(map(is_samplewise, self.operations)):
            return 1
        work = batch_size * len(self.parameters)
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


def _rows_of(order: Array, *arrays: Array) -> Array:
    """Return a copy of ``order``, whose numbers are rows of each of ``arrays``."""
    order = order.astype(np.intp, casting="same_kind")
    # Seen as unsigned, a negative number is larger than any row: one pass finds both.
    if np.maximum.reduce(order.view(np.uintp)) >= min(map(len, arrays)):
        for array in arrays:
            array.take(order, axis=0)  # raises IndexError, but for rows counted from the end
    return order


def trainer_of(model: Model, operations: list[Any], loss: FusedLoss | None) -> Trainer | None:
    """Return the ``Trainer`` of ``model``, or None where a part of it has no twin."""
    methods_are_ours = all(
        getattr(getattr(model, name), "__func__", None) is getattr(Model, name)
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
