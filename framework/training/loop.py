"""The loop that trains a model."""

import math
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.containers.supervised import Supervised
from framework.data.batches import (
    Batch,
    Samples,
    Stream,
    ValidationData,
    set_aside,
    warn_if_sorted_by_class,
)
from framework.data.checks import PartOf, Transform, check_weighted_data, whole
from framework.data.micro_batches import is_samplewise, samples_at_once, warn_of_whole_batches
from framework.errors import BatchError, DivergenceError
from framework.losses.huber import Huber
from framework.losses.loss import Loss
from framework.losses.mean_absolute_error import MeanAbsoluteError
from framework.losses.mean_squared_error import MeanSquaredError
from framework.operation import Array, describe
from framework.training.callbacks import Callback
from framework.training.checkpoint import Checkpoint, SavedTraining, check_callbacks, prepare
from framework.training.evaluation import evaluate_batches, evaluated_at_once
from framework.training.history import History
from framework.training.progress import Reporter
from framework.training.snapshot import RestorePoint
from framework.utils import rng
from framework.utils.threads import single_thread, suitable_threads
from framework.utils.warnings import warn_user
from optimizers.optimizer import Optimizer, parameter_names

REGRESSION_LOSSES = (Huber, MeanAbsoluteError, MeanSquaredError)


@dataclass
class EpochSums:
    """Sums over the batches of an epoch so far, each batch counting as much as its amount."""

    amount: float = 0.0
    data_loss: float = 0.0
    penalties: float = 0.0
    right: float = 0.0

    def add(self, amount: float, data_loss: float, penalties: float, accuracy: float) -> None:
        """Add what a batch came to, which counts as much as ``amount``."""
        self.amount += amount
        self.data_loss += data_loss * amount
        self.penalties += penalties * amount
        self.right += accuracy * amount


class Training:
    """A training in progress, as callbacks see it.

    Attributes:
        model, history: what is trained, and its record so far.
        epoch, epochs: the current epoch, from 1, and how many are planned.
        batch, batches: the current batch, from 1, and how many make an epoch; None where that is
            not known before the end of the first.
        batch_loss: the loss of the last batch, penalties included.
        batch_data_loss, batch_accuracy: its loss without them, and its accuracy if measured.
        interrupted: whether Ctrl-C was pressed.
        samples, validation: where the batches come from, and those that each epoch is evaluated
            on, or None.
        callbacks: all of them, in the order they are called.
        sums: what the batches of the current epoch have added up to.
        chance: the states of the random generators at the beginning of the current epoch.
        data_marks, model_marks: by which a checkpoint knows the data and the model again, as they
            were when training began; empty without checkpoints.
        went_on_at: the epoch and the batch after which training was resumed in the middle of that
            epoch, or None.
        rank, ranks: which of how many processes this is: 0 of 1, unless ``train`` was given a
            communicator. Callbacks run on every rank; what writes a file does so on rank 0.
        shards: in how many parts the data are given, one for each rank: 1 unless ``sharded``.
    """

    rank, ranks = 0, 1
    shards = 1

    def __init__(
        self,
        model: Supervised,
        epochs: int,
        samples: Samples | Stream,
        validation: Samples | Stream | None,
        callbacks: Sequence[Callback],
    ) -> None:
        self.model: Any = model
        self.history = History()
        self.epoch, self.epochs = 0, epochs
        self.batch, self.batches = 0, samples.batches
        self.batch_loss = self.batch_data_loss = self.batch_accuracy = math.nan
        self.interrupted = False
        self.samples, self.validation = samples, validation
        self.callbacks = callbacks
        self.sums = EpochSums()
        self.chance = rng.rng_state()
        self.data_marks: dict[str, str] = {}
        self.model_marks: dict[str, Any] = {}
        self.went_on_at: tuple[int, int] | None = None

    def stop(self, reason: str) -> None:
        """End training after the current batch; ``reason`` is kept in ``history.stopped``."""
        self.history.stopped = reason or "a callback asked for it"

    @property
    def between_epochs(self) -> bool:
        """Whether the current epoch is complete, or none has begun."""
        return len(self.history) == self.epoch

    @property
    def learning_rate(self) -> float:
        """That of the last update; NaN if the optimizer does not tell."""
        return float(getattr(self.model.optimizer, "current_learning_rate", math.nan))

    def figures(self) -> list[str]:
        """The lists of ``history`` that this training fills."""
        missing = set()
        if self.model.accuracy is None:
            missing |= {"accuracy", "val_accuracy"}
        if self.validation is None:
            missing |= {"val_loss", "val_accuracy"}
        return [name for name in History.names() if name not in missing]


def train(
    model: Supervised,
    X: Any,
    y: ArrayLike | None,
    *,
    progress: bool,
    resume_from: str | PathLike[str] | None,
    **options: Any,
) -> History:
    """Train ``model``: see ``Model.train``, which documents every argument."""
    training = set_up(model, X, y, **options)
    saved = prepare(training, resume_from)
    Loop(training, Reporter(training, progress, options["print_every"]), saved).run()
    return training.history


def set_up(
    model: Supervised,
    X: Any,
    y: ArrayLike | None,
    *,
    epochs: int,
    batch_size: int | None,
    sample_weight: ArrayLike | None,
    validation_data: ValidationData | None,
    validation_split: float,
    shuffle: bool,
    transform: Transform | None,
    callbacks: Iterable[Callback],
    print_every: int | None,
    part: PartOf = whole,
) -> Training:
    """Return the training that ``train`` was asked for, if everything fits.

    ``part`` is what this process looks at of data that others look at as well.
    """
    callbacks = _check_callbacks(callbacks)
    epochs = check_count("epochs", epochs)
    if batch_size is not None:
        batch_size = check_count("batch_size", batch_size)
    if print_every is not None:
        check_count("print_every", print_every)
    if transform is not None and not callable(transform):
        raise TypeError(f"transform must be a function of a batch's X, received {transform!r}")
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    if not len(model.parameters):
        raise ValueError(f"{model!r} has no parameters to train")
    if validation_data is not None and validation_split:
        raise ValueError("give validation_data or validation_split, not both")

    samples: Samples | Stream
    validation: Samples | Stream | None = None
    if y is None:
        if sample_weight is not None or validation_split:
            raise ValueError(
                "sample_weight and validation_split need X and y as arrays; batches bring their "
                "weights themselves: (X, y, sample_weight)"
            )
        samples = Stream(model, X, transform)
    else:
        X, y, weights = check_weighted_data(model, X, y, sample_weight, transform, part)
        rows, aside = set_aside(Samples(X, y, weights).rows, validation_split, shuffle)
        samples = Samples(X, y, weights, rows, batch_size, shuffle, transform)
        if aside is not None:
            at_once = evaluated_at_once(model, samples.sample)
            validation = Samples(X, y, weights, aside, at_once, transform=transform)
        if not shuffle and samples.batches > 1 and not isinstance(model.loss, REGRESSION_LOSSES):
            warn_if_sorted_by_class(samples.targets)
    if validation_data is not None:
        validation = _validation(model, validation_data, transform, part)
    if hasattr(model.accuracy, "init"):
        first = samples.first.samples if isinstance(samples, Stream) else samples
        model.accuracy.init(first.targets)
    return Training(model, epochs, samples, validation, callbacks)


def _validation(
    model: Supervised, data: ValidationData, transform: Transform | None, part: PartOf
) -> Samples | Stream:
    if not isinstance(data, (tuple, list)):
        return Stream(model, data, transform, "validation_data")
    if len(data) not in (2, 3):
        raise ValueError(
            "validation_data must be a pair (X_val, y_val), or (X_val, y_val, sample_weight), or "
            "give such batches"
        )
    X, y, *rest = data
    try:
        checked = check_weighted_data(model, X, y, rest[0] if rest else None, transform, part)
        samples = Samples(*checked, transform=transform)
        samples.batch_size = min(samples.batch_size, evaluated_at_once(model, samples.sample))
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation_data: {error}") from None
    return samples


class Loop:
    """Goes through the epochs, the batches of each, and the steps that each batch takes.

    A training on several machines (``training.distributed``) overrides what its ranks do together:
    ``_begin``, ``_run_epoch``, ``_batches``, ``_trainer``, ``_pass``, ``_forward_and_back``, both
    checks, ``_update``, ``_record``, ``_evaluate``, ``_stopped`` and ``_settle``.
    """

    signals: tuple[signal.Signals, ...] = (signal.SIGINT,)

    def __init__(self, training: Training, reporter: Reporter, saved: SavedTraining | None) -> None:
        self.training, self.model, self.history = training, training.model, training.history
        self.samples, self.callbacks = training.samples, training.callbacks
        self.reporter = reporter
        self.saved = saved
        sample = self.samples.sample
        self.at_once = self._samples_at_once(sample)
        self.in_rows = sample.ndim == 2

    def run(self) -> None:
        training = self.training
        restore_point = RestorePoint(self.model)
        self._begin()
        parameters = [
            getattr(layer, name)
            for layer in self.model.trained_layers
            for name in parameter_names(layer)
        ]
        at_once = min(self.samples.batch_size, self.at_once or self.samples.batch_size)
        trainer = self._trainer(self.samples)
        divided = trainer is not None and trainer.threads(self.samples.batch_size) > 1
        with (
            # The threads of the products, which validation would wake, disturb those of the steps.
            single_thread() if divided else suitable_threads(parameters, at_once),
            _stopping_on(self.signals, training),
            # Overflow on the way to an infinite loss is reported once, as what it is.
            np.errstate(over="ignore", invalid="ignore"),
        ):
            while len(self.history) < training.epochs and not self._stopped():
                restore_point.take()
                try:
                    self._run_epoch()
                except (DivergenceError, BatchError):
                    restore_point.restore()
                    raise
                finally:
                    self.reporter.close()
        # What a checkpoint holds is the training as it was, and not as others leave it.
        for callback in sorted(self.callbacks, key=_is_checkpoint, reverse=True):
            callback.on_train_end(training)
        self.reporter.finish()

    def _begin(self) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(self.training)
        check_callbacks(self.training)
        if self.saved is not None:
            self.saved.restore(self.training)

    def _run_epoch(self) -> None:
        training = self.training
        started = time.perf_counter()
        batches = self._begin_epoch() if training.between_epochs else self._go_on_with_epoch()
        self.reporter.begin_epoch()
        for batch in batches:
            trainer = self._trainer(batch.samples)
            if trainer is None:
                for step in batch.steps():
                    self._step(step)
            else:
                self._compiled_steps(trainer, batch)
            self.reporter.show(training.sums)
            for callback in self.callbacks:
                callback.on_batch_end(training)
            if self._stopped() and training.batch != training.batches:
                self._settle()
                return  # the epoch was not completed, so it leaves no figures
        training.batches = training.batch
        self._settle()
        self._record(started)
        self.reporter.end_epoch()
        for callback in self.callbacks:
            callback.on_epoch_end(training)

    def _begin_epoch(self) -> Iterator[Batch]:
        training = self.training
        training.epoch, training.batch = training.epoch + 1, 0
        training.sums, training.chance = EpochSums(), rng.rng_state()
        return self._batches()

    def _go_on_with_epoch(self) -> Iterator[Batch]:
        """Return the batches after those that were done when training was interrupted."""
        now = rng.rng_state()
        rng.set_rng_state(self.training.chance)
        batches = self._batches(skip=self.training.batch)
        rng.set_rng_state(now)
        return batches

    def _batches(self, skip: int = 0) -> Iterator[Batch]:
        """Return an epoch's batches; where steps are compiled and no one looks, put together."""
        if isinstance(self.samples, Samples):
            trainer = self._trainer(self.samples)
            alone = trainer is None or self._watched()
            together = 1 if alone else trainer.steps_at_once(self.samples)
            return self.samples.epoch(together, skip)
        batches = self.samples.epoch()
        for _ in range(skip):
            next(batches, None)
        return batches

    def _trainer(self, samples: Samples | Stream) -> Any:
        """Return what takes compiled steps with ``samples``, None if nothing does.

        It is asked for each time, since a callback may have set another loss or optimizer.
        """
        sliced = self.at_once is not None and samples.batch_size > self.at_once
        return self.model.trainer if self.in_rows and not sliced else None

    def _watched(self) -> bool:
        # Also by a function that an object, not its class, was given.
        methods = (callback.on_batch_end for callback in self.callbacks)
        return any(getattr(m, "__func__", m) is not Callback.on_batch_end for m in methods)

    def _step(self, batch: Batch) -> None:
        training = self.training
        training.batch += 1
        self.penalties = self.model.regularization_loss()
        amount, data_loss, accuracy = self._pass(batch)
        self._update()
        training.batch_accuracy = accuracy
        training.sums.add(amount, data_loss, self.penalties, accuracy)

    def _pass(self, batch: Batch) -> tuple[float, float, float]:
        """Find the gradient; return how much the batch counts, its data loss and accuracy."""
        return batch.amount, *self._forward_and_back(batch)

    def _forward_and_back(self, batch: Batch, scale: float = 1.0) -> tuple[float, float]:
        """Return data loss and accuracy (0 without one), and leave the gradient.

        ``scale`` is what the gradient of the data loss is multiplied by.
        """
        model = self.model
        data_loss = right = 0.0
        gradient: Array | None = None
        several = self.at_once is not None and len(batch) > self.at_once
        for X, y, weight, share in batch.parts(self.at_once):
            data_loss += share * model.calculate_loss(X, y, sample_weight=weight)
            self._check_loss(data_loss)
            model.backward(y, all_operations=False, sample_weight=weight, scale=scale)
            if model.accuracy is not None:
                right += share * model.calculate_accuracy(y, sample_weight=weight)
            if several:
                # The gradient of a mean is the mean of the parts' gradients. The penalties',
                # which is in each of them, comes out once, since the shares add up to 1.
                part_gradient = share * model.parameters.dweights
                gradient = part_gradient if gradient is None else gradient + part_gradient
        if gradient is not None:
            model.parameters.dweights[...] = gradient
        return data_loss, right

    def _check_loss(self, data_loss: float) -> None:
        training = self.training
        training.batch_data_loss, training.batch_loss = data_loss, data_loss + self.penalties
        if not math.isfinite(training.batch_loss):
            raise _diverged(training)

    def _compiled_steps(self, trainer: Any, batches: Batch) -> None:
        """Do the same for one batch, or for several put together: see ``Trainer.take_steps``."""
        training = self.training
        figures = trainer.take_steps(batches)
        training.batch += len(figures)
        data_loss, self.penalties, training.batch_accuracy = figures[-1].tolist()
        self._check_loss(data_loss)
        for step, came_to in zip(batches.steps(), figures.tolist(), strict=True):
            training.sums.add(step.amount, *came_to)

    def _update(self) -> None:
        model, optimizer = self.model, self.model.optimizer
        optimizer.pre_update_params()
        if isinstance(optimizer, Optimizer):
            model.updater.update_params(model.parameters)
        else:
            for layer in model.trained_layers:
                optimizer.update_params(layer)
        optimizer.post_update_params()

    def _record(self, started: float) -> None:
        """Add what the epoch came to, and what it leads to on the validation data."""
        self._check_parameters()
        model, history, sums = self.model, self.history, self.training.sums
        history.data_loss.append(sums.data_loss / sums.amount)
        history.regularization_loss.append(sums.penalties / sums.amount)
        history.loss.append(history.data_loss[-1] + history.regularization_loss[-1])
        history.learning_rate.append(self.training.learning_rate)
        if model.accuracy is not None:
            history.accuracy.append(sums.right / sums.amount)
        if self.training.validation is not None:
            val_loss, val_accuracy = self._evaluate(self.training.validation.epoch())
            history.val_loss.append(val_loss)
            if val_accuracy is not None:
                history.val_accuracy.append(val_accuracy)
        history.seconds.append(time.perf_counter() - started)

    def _check_parameters(self) -> None:
        if not np.isfinite(self.model.parameters.weights).all():
            raise DivergenceError(
                f"the parameters became NaN or infinite in the last update of epoch "
                f"{self.training.epoch}, {_where(self.training)}",
                self.history,
            )

    def _evaluate(self, batches: Iterable[Batch]) -> tuple[float, float | None]:
        return evaluate_batches(self.model, batches)

    def _stopped(self) -> bool:
        return bool(self.history.stopped)

    def _settle(self) -> None:
        """Bring together what an epoch has left apart."""

    def _samples_at_once(self, sample: Array) -> int | None:
        """How many like ``sample`` go through the model at once; None for all of a batch."""
        layers = self.model.leaves()
        outputs = self.model.leaf_outputs(sample)
        if all(map(is_samplewise, layers)) and isinstance(self.model.loss, Loss):
            return samples_at_once(outputs, sample)
        warn_of_whole_batches(layers, outputs, sample, self.samples.batch_size)
        return None


def _where(training: Training) -> str:
    restored = "The parameters of the last completed epoch"
    if training.went_on_at is not None and training.went_on_at[0] == training.epoch:
        restored = f"The parameters from after batch {training.went_on_at[1]}, of the checkpoint,"
    return (
        f"batch {training.batch}{_of(training.batches)}, at learning rate "
        f"{training.learning_rate:g}. {restored} were restored. A "
        "lower learning rate, max_gradient_norm, or inputs of a smaller scale may help."
    )


def _of(batches: int | None) -> str:
    return "" if batches is None else f" of {batches}"


def _diverged(training: Training) -> DivergenceError:
    model = training.model
    culprit = "the loss itself is the first that is not finite"
    if math.isfinite(training.batch_data_loss):
        culprit = "every output is finite, but the penalties on the parameters are not"
    for position, layer in enumerate(model.layers, 1):
        if not np.isfinite(layer.output).all():
            culprit = (
                f"the first output that is not finite is of operation {position}, {describe(layer)}"
            )
            break
    return DivergenceError(
        f"the loss became {training.batch_loss} in epoch {training.epoch}, {culprit}; "
        f"{_where(training)}",
        training.history,
    )


def _check_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    methods = ("on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end")
    try:
        found = list(callbacks)
    except TypeError:
        raise TypeError(f"callbacks must be a list of callbacks, received {callbacks!r}") from None
    for callback in found:
        if isinstance(callback, type) or not all(hasattr(callback, name) for name in methods):
            raise TypeError(
                f"a callback needs {', '.join(methods)}: derive it from framework.Callback; "
                f"received {callback!r}"
            )
    # Each sees the epoch as all others leave it, wherever it stands in the list.
    return sorted(found, key=_is_checkpoint)


def _is_checkpoint(callback: Callback) -> bool:
    return isinstance(callback, Checkpoint)


@contextmanager
def _stopping_on(signals: Sequence[signal.Signals], training: Training) -> Iterator[None]:
    """Let the first of ``signals`` end training after the current batch, a second one at once."""

    def stop(signum: int, frame: Any) -> None:
        if training.interrupted:
            raise KeyboardInterrupt
        training.interrupted = True
        training.stop("interrupted")

    # A program that handles them in a way of its own is not interfered with.
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    in_main_thread = threading.current_thread() is threading.main_thread()
    replaced = {
        number: signal.signal(number, stop)
        for number in signals
        if in_main_thread and signal.getsignal(number) is usual[number]
    }
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
    if training.interrupted:
        completed = len(training.history)
        warn_user(
            f"training was interrupted in epoch {training.epoch}, after batch {training.batch}"
            f"{_of(training.batches)}; {completed} of {training.epochs} epochs are complete"
        )
