"""Whole training steps of a model whose every part has a kernel."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeGuard

import numpy as np

from framework.accelerated.checked_data import CheckedData, are_checked, checked_data
from framework.accelerated.compilation import telling
from framework.accelerated.instructions import Instructions, are_same, description
from framework.accelerated.loss_and_optimizer import (
    decays,
    find_kernels,
    loss_instruction,
    optimizer_instruction,
    optimizer_state,
    rates_are_known,
)
from framework.accelerated.small_networks import is_small, take_small_steps
from framework.accelerated.state import places
from framework.accelerated.steps import BatchSource, Network, Workspace, take_steps
from framework.accelerated.support import unsupported, warn_of_plain_steps
from framework.accelerated.thread_choice import ThreadChoice
from framework.accelerated.thread_team import MOST_PARTS, make_team, together
from framework.accelerated.workspace import Results, as_compiled, rows
from framework.accuracies import RegressionAccuracy
from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, Batch, Batches
from framework.losses import FusedLoss
from framework.utils.aligned import aligned_zeros
from framework.utils.threads import available
from optimizers.arrays import Array

# A call takes about as long as this many multiplications, a part of a second, so that Ctrl-C and
# the progress bar are served in between. A step is counted as so many by itself, and its update as
# some for each parameter, so that the calls of small networks are short as well.
WORK_PER_CALL = 2 * 10**10
WORK_OF_STEP = 2 * 10**6
WORK_OF_UPDATE = 20
# The random numbers of the dropouts for all steps of a call are a few megabytes.
DRAWN_PER_CALL = 2**20

# With less than this to do, samples and multiplications, a part is not worth a thread. Whether with
# more it is, is found out.
SAMPLES_OF_PART = 16
WORK_OF_PART = 5 * 10**5


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
        self._choices: dict[int, ThreadChoice] = {}  # by the number of parts
        self._description: list[Any] = []

    def telling(self, say: Callable[[str], None]) -> AbstractContextManager[None]:
        """Return a context in which ``say`` is called if something has to be compiled."""
        return telling(say)

    def steps_at_once(self, source: Batches) -> int:
        """Return how many batches of ``source`` to put together for one call."""
        if not self._reads(source) or self._is_precision_unknown():
            return 1
        try:
            instructions = self._instructions(source.X)
        except ValueError:  # the step says so
            return 1
        if not are_checked(source.y, self.loss, instructions, self.parameters.dtype):
            return 1
        size = source.batch_size
        work = size * instructions.work + WORK_OF_UPDATE * len(self.parameters) + WORK_OF_STEP
        drawn = max(1, size * instructions.uniforms)
        return max(1, min(WORK_PER_CALL // work, DRAWN_PER_CALL // drawn))

    def take_steps(
        self,
        batches: Batch,
        mean_weight: float,
        before_last: Callable[[], None],
    ) -> Array:
        """Train on one batch, or several put together, and leave the model as the last one does.

        Args:
            mean_weight: that of all training samples: see ``sample_weights``.
            before_last: is called before the last step.

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
            X, y, weights, order = source.X, source.y, source.sample_weight, batches.rows
        else:
            ((X, y, weights, _),), order = batches.micro_batches(), None
        size = source.batch_size
        return self._take_steps(X, y, weights, order, size, mean_weight, before_last)

    def _reads(self, source: Batches) -> TypeGuard[ArrayBatches]:
        """Whether the compiled code can take the rows of a batch from the arrays by itself."""
        return (
            isinstance(source, ArrayBatches)
            and source.in_memory
            and source.X.dtype == self.parameters.dtype
        )

    def _is_precision_unknown(self) -> bool:
        """Whether the accuracy takes its precision from the targets of each batch."""
        accuracy = self.model.accuracy
        return isinstance(accuracy, RegressionAccuracy) and accuracy.current_precision is None

    def _take_steps(
        self,
        X: Array,
        y: Array,
        weights: Array | None,
        order: Array | None,
        batch_size: int,
        mean_weight: float,
        before_last: Callable[[], None],
    ) -> Array:
        X = as_compiled(X, self.parameters.dtype)
        try:
            instructions = self._instructions(X)
        except ValueError:
            self.model.forward(X[:batch_size])  # the operation that does not take it says so
            raise
        data = checked_data(X, y, weights, order, instructions, self.loss, self.model.accuracy)
        dtype = self.parameters.dtype
        # By the size of all batches, so that the last one's sums are the same in any call.
        parts = self.parts(batch_size, instructions.work)
        takes_small = parts == 1 and is_small(instructions, self.loss, data, batch_size)
        batch_size = min(batch_size, data.samples)
        metrics = np.zeros((-(-data.samples // batch_size), 3))
        rates = self._learning_rates(len(metrics))
        results = Results(instructions, batch_size, dtype)
        source = BatchSource(
            X=data.X.reshape(len(data.X), instructions.n_inputs),
            labels=data.labels,
            targets=data.targets,
            sample_weights=data.weights / mean_weight,
            order=data.order,
            batch_size=batch_size,
            uniforms=results.draw(data.samples),
            uniforms_per_sample=instructions.uniforms,
        )
        rows = min(batch_size, len(data.order))
        workspace = Workspace(
            X=aligned_zeros(rows * instructions.n_inputs, dtype).reshape(
                rows, instructions.n_inputs
            ),
            labels=np.empty(min(batch_size, len(data.labels)), np.intp),
            targets=np.empty((min(batch_size, len(data.targets)), data.targets.shape[1]), dtype),
            values=results.values,
            dvalues=results.dvalues,
            partials=np.empty(parts * instructions.partials, dtype),
        )
        network = self._network(instructions, data, results)
        take = take_small_steps if takes_small else take_steps
        if not takes_small:
            find_kernels(instructions, network.loss, self.loss)
        taken = self._run(take, network, source, workspace, rates, metrics, parts, before_last)

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

    def _network(self, instructions: Instructions, data: CheckedData, results: Results) -> Network:
        parameters, optimizer = self.parameters, self.model.optimizer
        of_optimizer = optimizer_instruction(optimizer, parameters.dtype)
        first_state, second_state = optimizer_state(of_optimizer, optimizer, parameters)
        which_decay = decays(optimizer, parameters)
        without_decay = of_optimizer
        if len(which_decay):
            without_decay = optimizer_instruction(optimizer, parameters.dtype, weight_decay=0.0)
        return Network(
            instructions=instructions.array,
            first=instructions.first,
            loss=loss_instruction(self.loss, instructions),
            accuracy=data.accuracy,
            precision=data.precision,
            optimizer=of_optimizer,
            parameters=parameters.weights,
            gradients=parameters.dweights,
            statistics=results.statistics,
            first_state=first_state,
            second_state=second_state,
            decays=which_decay,
            without_decay=without_decay,
        )

    def _run(
        self,
        take: Any,
        network: Network,
        source: BatchSource,
        workspace: Workspace,
        rates: Array,
        metrics: Array,
        parts: int,
        before_last: Callable[[], None],
    ) -> int:
        """Take the steps, and return how many there were before one with an infinite loss."""
        optimizer = self.model.optimizer
        initial = optimizer.iterations
        arguments = network, source, workspace, rates, initial
        steps = np.zeros(1, np.int64)

        def take_some(threads: int, count: int) -> tuple[int, bool]:
            before = int(steps[0])
            thread_team = make_team(threads, parts)._replace(steps=steps)
            work = partial(take, *arguments, metrics[: before + count], thread_team)
            together(thread_team, work)
            taken = int(steps[0]) - before
            return taken, taken == count or bool(np.isfinite(metrics[before + taken]).all())

        try:
            run: Any = partial(take_some, 1)
            if parts > 1:
                # No step: the compiler, if it is needed, runs here, in a thread that Ctrl-C ends.
                take(*arguments, metrics[:0], make_team(1, parts), 0)
                choice = self._choices.setdefault(parts, ThreadChoice(parts))
                run = partial(choice.run, take=take_some)
            if len(metrics) > 1:
                run(len(metrics) - 1)
            if steps[0] == len(metrics) - 1:
                before_last()
                run(1)
        finally:
            taken = int(steps[0])
            optimizer.iterations = initial + taken
            if taken:
                optimizer.current_learning_rate = float(rates[taken - 1])
        return taken

    def _store_loss(self, results: Results, of_loss: Any, size: int, with_gradient: bool) -> None:
        """Give the loss and the model the attributes that a plain step stores."""
        loss, shape = self.loss, (size, *results.instructions.output_shape)
        self.model.output = self.operations[-1].output if self.operations else None
        if isinstance(loss, FusedLoss):
            output = rows(results.values, of_loss["output"], size, of_loss["n_outputs"])
            loss.output = loss.activation.output = self.model.output = output.reshape(shape)
        if with_gradient:
            dinputs = rows(results.dvalues, of_loss["dinputs"], size, of_loss["n_outputs"])
            loss.dinputs = dinputs.reshape(shape)
            if isinstance(loss, FusedLoss):
                loss.activation.dinputs = loss.dinputs
            results.store_gradients(size)
        self.model.store_around()

    def _instructions(self, X: Array) -> Instructions:
        """Return the instructions for samples like those of ``X``.

        They are made anew only if something has changed: that takes as long as a few small steps.
        """
        found = [X.shape[1:], *description(self.operations)]
        if not are_same(found, self._description):
            self._last = Instructions(
                self.operations, self.places, X.shape[1:], self.parameters.dtype
            )
            self._description = found
        return self._last

    def parts(self, batch_size: int, work_per_sample: int | None = None) -> int:
        """Return into how many parts the work on each batch of so many samples is cut.

        At most so many threads share it, as many as NumPy's products may use. Which of them do is
        found out while they do it: see ``thread_choice.py``.

        ``work_per_sample`` is in multiplications, where it is known.
        """
        parameters = len(self.parameters)
        work = batch_size * (work_per_sample or parameters)
        # A convolution uses its parameters for many windows of a sample.
        rows = work // parameters
        worth = min(rows // SAMPLES_OF_PART, work // WORK_OF_PART)
        return max(1, min(worth, batch_size, available(), MOST_PARTS))

    def _learning_rates(self, steps: int) -> Array:
        optimizer = self.model.optimizer
        if rates_are_known(optimizer):
            iterations = np.arange(optimizer.iterations, optimizer.iterations + steps)
            rates: Array = optimizer.decayed(optimizer.learning_rate, iterations)
            return rates
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


def trainer_of(model: Supervised, operations: list[Any], loss: Any) -> Trainer | None:
    """Return the ``Trainer`` of ``model``; or warn, and return None, where a part has no kernel."""
    reasons = unsupported(model, operations, loss)
    if reasons:
        warn_of_plain_steps(reasons)
        return None
    return Trainer(model, operations, loss)
