"""Whole training steps of a model whose every part has a kernel."""

from copy import copy
from functools import partial
from types import NoneType
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from framework.accelerated.blas import CAN_BE_SHARED
from framework.accelerated.instructions import (
    Instructions,
    loss_instruction,
    optimizer_instruction,
    optimizer_state,
    places,
)
from framework.accelerated.kernels import ACCURACIES, LOSSES
from framework.accelerated.steps import BatchSource, Network, Workspace, take_steps
from framework.accelerated.support import unsupported, warn_of_plain_steps
from framework.accelerated.thread_team import MOST_THREADS, ThreadTeam, make_team, together
from framework.accelerated.workspace import Results, as_compiled, rows
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, RegressionAccuracy
from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, Batch, Batches
from framework.data.micro_batches import has_independent_samples
from framework.losses import FusedLoss, Huber, MeanAbsoluteError, MeanSquaredError
from framework.losses.targets import binary_targets
from framework.utils.threads import available, single_thread
from optimizers.arrays import Array

# A call takes about as long as this many multiplications, a part of a second, so that Ctrl-C and
# the progress bar are served in between. A step is counted as so many by itself, and its update as
# some for each parameter, so that the calls of small networks are short as well.
WORK_PER_CALL = 10**9
WORK_OF_STEP = 100_000
WORK_OF_UPDATE = 10
# The random numbers of the dropouts for all steps of a call are a few megabytes.
DRAWN_PER_CALL = 2**20

# With less than this to do, samples of a batch and multiplications, a thread is not worth it: with
# 3 million each, two were 15 % faster than one; with 0.8 million 10 %, but not reliably.
SAMPLES_OF_THREAD = 32
WORK_OF_THREAD = 2 * 10**6

REGRESSION_LOSSES = (MeanSquaredError, MeanAbsoluteError, Huber)


class Trainer:
    """Takes steps of training, many in one call.

    Args:
        model: whose operations, accuracy and optimizer all have kernels.
        operations: those before the loss.
        loss: the loss, or the fused form that takes its place.
    """

    def __init__(self, model: Supervised, operations: list[Any], loss: Any) -> None:
        self.model = model
        self.operations = operations
        self.loss = loss
        self.parameters = model.parameters
        self.places = places(self.parameters)
        self.takes_labels = next(k for k in LOSSES if k.loss is type(loss)).takes_labels

    def steps_at_once(self, source: Batches) -> int:
        """Return how many batches of ``source`` to put together for one call."""
        if not self._reads(source) or self._is_precision_unknown():
            return 1
        try:
            instructions = self._instructions(source.X)
        except ValueError:  # the step says so
            return 1
        if not self._takes(source.y, instructions):
            return 1
        parameters, size = len(self.parameters), source.batch_size
        work = (size + WORK_OF_UPDATE) * parameters + WORK_OF_STEP
        drawn = max(1, size * instructions.uniforms)
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
        source = batches.source
        if self._reads(source):
            arrays = source.X, source.y, source.sample_weight, batches.rows
            return self._take_steps(*arrays, source.batch_size)
        ((X, y, weights, _),) = batches.micro_batches()
        return self._take_steps(X, y, weights, None, source.batch_size)

    def _reads(self, source: Batches) -> TypeGuard[ArrayBatches]:
        """Whether the compiled code can take the rows of a batch from the arrays by itself."""
        return (
            isinstance(source, ArrayBatches)
            and source.in_memory
            and source.X.dtype == self.model.dtype
        )

    def _is_precision_unknown(self) -> bool:
        """Whether the accuracy takes its precision from the targets of each batch."""
        accuracy = self.model.accuracy
        return isinstance(accuracy, RegressionAccuracy) and accuracy.current_precision is None

    def _take_steps(
        self, X: Array, y: Array, weights: Array | None, order: Array | None, batch_size: int
    ) -> Array:
        data = self._data(X, y, weights, order, batch_size)
        instructions, dtype = data.instructions, self.parameters.dtype
        # By the size of all batches, so that the last one's sums are the same in any call.
        thread_team = make_team(self.threads(batch_size))
        batch_size = min(batch_size, data.samples)
        metrics = np.zeros((-(-data.samples // batch_size), 3))
        rates = self._learning_rates(len(metrics))
        results = Results(instructions, batch_size, dtype)
        source = BatchSource(
            X=data.X.reshape(len(data.X), instructions.n_inputs),
            labels=data.labels,
            targets=data.targets,
            sample_weights=data.weights,
            order=data.order,
            batch_size=batch_size,
            uniforms=results.draw(data.samples),
            uniforms_per_sample=instructions.uniforms,
        )
        workspace = Workspace(
            X=np.empty((min(batch_size, len(data.order)), instructions.n_inputs), dtype),
            labels=np.empty(min(batch_size, len(data.labels)), np.intp),
            targets=np.empty((min(batch_size, len(data.targets)), data.targets.shape[1]), dtype),
            values=results.values,
            dvalues=results.dvalues,
        )
        network = self._network(data, results)
        taken = self._run(network, source, workspace, rates, metrics, thread_team)

        last = min(taken, len(metrics) - 1)
        size = min(batch_size, data.samples - last * batch_size)
        inputs = workspace.X if len(data.order) else source.X[last * batch_size :]
        results.store_outputs(inputs[:size])
        if taken < len(metrics):
            y = workspace.labels if len(data.labels) else workspace.targets
            shape = size, *instructions.output_shape
            self.loss.check_targets(y[:size].reshape(size, *data.y_shape), shape)
        self._store_loss(results, network.loss, size, with_gradient=taken == len(metrics))
        return metrics[: taken + 1]

    def _data(
        self, X: Array, y: Array, weights: Array | None, order: Array | None, batch_size: int
    ) -> "_CheckedData":
        """Return the data as the compiled code takes them.

        Raises:
            TypeError, ValueError, IndexError: they do not fit each other or the network.
        """
        # From here on, nothing that says how large an array is, or where to look in it, is where
        # callbacks or other threads can change it. Only the targets are, until they are used.
        X, y = as_compiled(X, self.parameters.dtype), np.asarray(y).view()
        if order is not None:
            order = _checked_rows(order, X, y)
            weights = None if weights is None else weights[order]
        try:
            instructions = self._instructions(X)
        except ValueError:
            self.model.forward(X[:batch_size])  # the operation that does not take it says so
            raise
        if not self._takes(y, instructions):
            if order is not None:
                X, y, order = X[order], y[order], None
            y = self.loss.check_targets(y, (len(X), *instructions.output_shape))
        labels, targets = np.empty(0, np.intp), y
        if y.ndim == 1:
            labels, targets = as_compiled(y, np.dtype(np.intp)), np.empty((0, 1))
            if type(self.model.accuracy) not in (NoneType, CategoricalAccuracy):
                targets = y  # of a single output, compared as a number
        targets = as_compiled(targets, self.parameters.dtype)
        targets = targets.reshape(len(targets), int(np.prod(targets.shape[1:])))
        if type(self.model.accuracy) is BinaryAccuracy and type(self.loss) in REGRESSION_LOSSES:
            # The loss takes any number, but the accuracy does not.
            used = targets if order is None else targets[order]
            binary_targets(used, used.shape)
        samples = len(X) if order is None else len(order)
        weights = np.empty(0) if weights is None else np.array(weights, np.float64)
        if len(weights) and weights.shape != (samples,):
            raise ValueError(
                f"sample_weight must be one number for each sample, of shape ({samples},), "
                f"received shape {weights.shape}"
            )
        order = np.empty(0, np.intp) if order is None else order
        return _CheckedData(X, labels, targets, y.shape[1:], weights, order, samples, instructions)

    def _network(self, data: "_CheckedData", results: Results) -> Network:
        parameters, optimizer, accuracy = self.parameters, self.model.optimizer, self.model.accuracy
        of_optimizer = optimizer_instruction(optimizer)
        first_state, second_state = optimizer_state(of_optimizer, optimizer, parameters)
        precision = 0.0
        if isinstance(accuracy, RegressionAccuracy):
            # Before ``init`` it depends on the batch, and a call is of a single one.
            known = copy(accuracy)
            known.init(data.targets[data.order] if len(data.order) else data.targets)
            precision = float(known.current_precision or 0.0)
        return Network(
            instructions=data.instructions.array,
            first=data.instructions.first,
            loss=loss_instruction(self.loss, data.instructions),
            accuracy=ACCURACIES.index(type(accuracy)),
            precision=precision,
            optimizer=of_optimizer,
            parameters=parameters.weights,
            gradients=parameters.dweights,
            statistics=results.statistics,
            first_state=first_state,
            second_state=second_state,
        )

    def _run(
        self,
        network: Network,
        source: BatchSource,
        workspace: Workspace,
        rates: Array,
        metrics: Array,
        thread_team: ThreadTeam,
    ) -> int:
        """Take the steps, and return how many there were before one with an infinite loss."""
        optimizer = self.model.optimizer
        initial = optimizer.iterations
        arguments = network, source, workspace, rates, initial
        try:
            if len(thread_team.arrivals) == 1:
                take_steps(*arguments, metrics, thread_team, 0)
            else:
                # No step: the compiler, if it is needed, runs here, in a thread that Ctrl-C ends.
                take_steps(*arguments, metrics[:0], thread_team, 0)
                with single_thread():
                    together(thread_team, partial(take_steps, *arguments, metrics, thread_team))
        finally:
            taken = int(thread_team.steps[0])
            optimizer.iterations = initial + taken
            if taken:
                optimizer.current_learning_rate = float(rates[taken - 1])
        return taken

    def _store_loss(self, results: Results, of_loss: Any, size: int, with_gradient: bool) -> None:
        """Give the loss and the model the attributes that a plain step stores."""
        loss, shape = self.loss, (size, *results.instructions.output_shape)
        self.model._output = self.operations[-1].output if self.operations else None
        if isinstance(loss, FusedLoss):
            output = rows(results.values, of_loss["output"], size, of_loss["n_outputs"])
            loss.output = loss.activation.output = self.model._output = output.reshape(shape)
        if with_gradient:
            dinputs = rows(results.dvalues, of_loss["dinputs"], size, of_loss["n_outputs"])
            loss.dinputs = dinputs.reshape(shape)
            if isinstance(loss, FusedLoss):
                loss.activation.dinputs = loss.dinputs
            results.store_gradients(size)

    def _instructions(self, X: Array) -> Instructions:
        return Instructions(self.operations, self.places, X.shape[1:])

    def _takes(self, y: Array, instructions: Instructions) -> bool:
        """Whether ``y`` are targets as ``check_targets`` returns them."""
        if y.ndim == 1:
            return self.takes_labels and y.dtype == np.intp
        return y.dtype == self.parameters.dtype and y.shape[1:] == instructions.output_shape

    def threads(self, batch_size: int) -> int:
        """Return how many threads share the work on each batch of so many samples."""
        if not CAN_BE_SHARED or not all(map(has_independent_samples, self.operations)):
            return 1
        work = batch_size * len(self.parameters)
        worth = min(batch_size // SAMPLES_OF_THREAD, work // WORK_OF_THREAD)
        return max(1, min(worth, available(), MOST_THREADS))

    def _learning_rates(self, steps: int) -> Array:
        optimizer = self.model.optimizer
        initial, rate = optimizer.iterations, optimizer.current_learning_rate
        rates = np.empty(steps)
        try:
            for step in range(steps):
                optimizer.iterations = initial + step
                optimizer.pre_update_params()
                rates[step] = optimizer.current_learning_rate
        finally:
            optimizer.iterations, optimizer.current_learning_rate = initial, rate
        return rates


class _CheckedData(NamedTuple):
    """Data that fit each other and the network.

    Attributes:
        X, labels, targets, weights, order: see ``BatchSource``.
        y_shape: of one target, as it was given.
        samples: how many there are in all steps.
        instructions: of the network, for such data.
    """

    X: Array
    labels: Array
    targets: Array
    y_shape: tuple[int, ...]
    weights: Array
    order: Array
    samples: int
    instructions: Instructions


def _checked_rows(order: Array, *arrays: Array) -> Array:
    """Return a copy of ``order``, whose numbers are rows of each of ``arrays``."""
    order = order.astype(np.intp, casting="same_kind")
    # Seen as unsigned, a negative number is larger than any row: one pass finds both.
    if np.maximum.reduce(order.view(np.uintp)) >= min(map(len, arrays)):
        for array in arrays:
            array.take(order, axis=0)  # raises IndexError, but for rows counted from the end
    return order


def trainer_of(model: Supervised, operations: list[Any], loss: Any) -> Trainer | None:
    """Return the ``Trainer`` of ``model``; or warn, and return None, where a part has no kernel."""
    reasons = unsupported(model, operations, loss)
    if reasons:
        warn_of_plain_steps(reasons)
        return None
    return Trainer(model, operations, loss)
