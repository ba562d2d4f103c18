"""The loop that trains a model: epochs, their batches, and the step of each batch."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from framework.containers.last_pass import last_pass_kept
from framework.containers.supervised import Supervised
from framework.containers.update import update_parameters
from framework.data.batches import ArrayBatches, Batch, Batches
from framework.data.micro_batches import (
    has_independent_samples,
    micro_batch_size,
    warn_of_whole_batches,
)
from framework.errors import BatchError, DivergenceError
from framework.losses.loss import Loss
from framework.training.arguments import TrainingArguments
from framework.training.checkpoint import (
    check_callback_states,
    is_checkpoint,
    prepare_checkpoints,
)
from framework.training.divergence import check_parameters, loss_diverged
from framework.training.epoch_sums import EpochSums
from framework.training.evaluation import EvaluationPass, means_of, metrics_of
from framework.training.history import History
from framework.training.interrupts import stopping_on
from framework.training.last_batch import LastBatch
from framework.training.obstacles import warn_if_unchanged, warn_of_obstacles
from framework.training.progress import Reporter
from framework.training.resume import SavedTraining, saved_training
from framework.training.setup import set_up
from framework.training.snapshot import Snapshot
from framework.training.state import Callback, Training
from framework.training.step import forward_and_backward
from framework.utils import rng
from framework.utils.threads import single_thread, suitable_threads
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names


def train_alone(model: Supervised, arguments: TrainingArguments) -> History:
    """Train ``model`` in this process: see ``Model.train``."""
    training = set_up(model, arguments)
    prepare_checkpoints(training, arguments.resume_from)
    saved = saved_training(training, arguments.resume_from)
    loop = Loop(training, Reporter(training, arguments.progress, arguments.print_every))
    loop.begin(saved)
    loop.run()
    return training.history


class Loop:
    """Goes through the epochs of a training, their batches, and the step of each batch.

    A training on several processes (``training.distributed``) overrides five methods:

        batches    the batches of an epoch
        step       one step: gradient, update, and the sums of the epoch
        stopped    whether training was stopped
        sync       brings the processes' results together after the batches of an epoch
        record     adds the metrics of the epoch to the history
    """

    signals: tuple[signal.Signals, ...] = (signal.SIGINT,)
    # Whether compiled code may take whole steps.
    compiles = True

    def __init__(self, training: Training, reporter: Reporter) -> None:
        self.training, self.model, self.history = training, training.model, training.history
        self.data, self.callbacks = training.data, training.callbacks
        self.reporter = reporter
        sample = self.data.sample
        passes = self.model.leaf_passes(sample)
        self.micro_batch_size = self._micro_batch_size(sample, [one.output for one in passes])
        warn_of_obstacles(training, passes)
        self.last_batch = LastBatch(self.model)
        self.watched = False

    def begin(self, saved: SavedTraining | None) -> None:
        """Let the callbacks begin, and go on from ``saved`` if there is one."""
        for callback in self.callbacks:
            callback.on_train_begin(self.training)
        check_callback_states(self.training)
        if saved is not None:
            saved.restore(self.training)

    def run(self) -> None:
        """Train to the last epoch, or until training is stopped."""
        training = self.training
        self.model.optimizer_has_trained = True
        epochs_before = len(self.history)
        snapshot = Snapshot(self.model)
        parameters = [
            getattr(layer, name)
            for layer in self.model.trained_layers
            for name in parameter_names(layer)
        ]
        at_once = min(self.data.batch_size, self.micro_batch_size or self.data.batch_size)
        trainer = self._trainer(self.data)
        divided = trainer is not None and trainer.parts(self.data.batch_size) > 1
        with (
            # The threads of BLAS, which validation would wake, disturb those of the steps.
            single_thread() if divided else suitable_threads(parameters, at_once),
            nullcontext() if trainer is None else trainer.telling(self.reporter.say),
            stopping_on(self.signals, training),
            # An overflow on the way to an infinite loss is reported once, as DivergenceError.
            np.errstate(over="ignore", invalid="ignore"),
        ):
            try:
                while len(self.history) < training.epochs and not self.stopped():
                    snapshot.take()
                    try:
                        self._run_epoch()
                    except (DivergenceError, BatchError):
                        snapshot.restore()
                        raise
                    if len(self.history) == epochs_before + 1:
                        warn_if_unchanged(training, snapshot.parameters)
            finally:
                self.reporter.close()
        # Checkpoints first: other callbacks may change the model at the end.
        for callback in sorted(self.callbacks, key=is_checkpoint, reverse=True):
            callback.on_train_end(training)
        if not math.isnan(training.batch_loss):
            with suitable_threads(parameters, at_once):
                self.last_batch.complete()
        self.reporter.finish()

    # The methods that a training on several processes overrides

    def batches(self, skip: int = 0) -> Iterator[Batch]:
        """Return the batches of an epoch, without the first ``skip``.

        Where steps are compiled and no callback looks at single batches, several are put together.
        """
        if isinstance(self.data, ArrayBatches):
            trainer = self._trainer(self.data)
            one_by_one = trainer is None or self.watched
            together = 1 if one_by_one else trainer.steps_at_once(self.data)
            return self.data.epoch(together, skip)
        batches = self.data.epoch()
        for _ in range(skip):
            next(batches, None)
        return batches

    def step(self, batch: Batch) -> None:
        """Take the step of ``batch``; or several, where several batches were put together."""
        trainer = self._trainer(batch.source)
        if trainer is None:
            for one in batch.steps():
                self._plain_step(one)
        else:
            self._compiled_steps(trainer, batch)

    def stopped(self) -> bool:
        """Whether training was stopped, by a callback or by Ctrl-C."""
        return bool(self.history.stopped)

    def sync(self) -> None:
        """Nothing to bring together: a single process has everything."""

    def record(self, started: float) -> None:
        """Add the metrics of the epoch that began at ``started`` to the history."""
        check_parameters(self.training)
        source = self.training.evaluated
        evaluated = None
        if source is not None:
            with last_pass_kept(self.model):
                evaluated = EvaluationPass(self.model, source.epoch())
        self.add_to_history(started, evaluated)

    # Epochs

    def _run_epoch(self) -> None:
        training = self.training
        started = time.perf_counter()
        self.watched = self._batches_are_watched()
        batches = self._begin_epoch() if training.between_epochs else self._continue_epoch()
        self.reporter.begin_epoch()
        self.last_batch.release()
        for batch in batches:
            self.step(batch)
            if self.watched:
                self.last_batch.keep()
            self.reporter.show(training.sums)
            for callback in self.callbacks:
                callback.on_batch_end(training)
            if self.stopped() and training.batch != training.batches:
                self._keep_last_batch()
                self.sync()
                return  # the epoch is not complete, so it has no metrics
        training.batches = training.batch
        self._keep_last_batch()
        self.sync()
        self.record(started)
        self.reporter.end_epoch()
        for callback in self.callbacks:
            callback.on_epoch_end(training)

    def _keep_last_batch(self) -> None:
        """Keep the pass of the last step, before callbacks that follow make other passes."""
        if self.callbacks and not self.watched:
            self.last_batch.keep()

    def _begin_epoch(self) -> Iterator[Batch]:
        training = self.training
        training.epoch, training.batch = training.epoch + 1, 0
        training.sums = EpochSums()
        if self.callbacks:
            training.rng_state = rng.rng_state()
        return self.batches()

    def _continue_epoch(self) -> Iterator[Batch]:
        """Return the remaining batches of the epoch in which training was interrupted."""
        training, now = self.training, rng.rng_state()
        transform: Any = training.transform
        has_state = hasattr(transform, "checkpoint_state") and hasattr(transform, "resume")
        state = transform.checkpoint_state() if has_state else None
        rng.set_rng_state(training.rng_state)
        batches = self.batches(skip=training.batch)
        rng.set_rng_state(now)
        if has_state:  # batches that are given were drawn for, as they were skipped
            transform.resume(training, state)
        return batches

    def add_to_history(self, started: float, evaluated: EvaluationPass | None) -> None:
        """Append the means of the epoch, and of the data that it was evaluated on."""
        model, history, sums = self.model, self.history, self.training.sums
        history.data_loss.append(sums.data_loss / sums.total_weight)
        history.regularization_loss.append(sums.penalties / sums.total_weight)
        history.loss.append(history.data_loss[-1] + history.regularization_loss[-1])
        history.learning_rate.append(self.training.learning_rate)
        if model.accuracy is not None:
            history.accuracy.append(sums.correct / sums.total_weight)
        if evaluated is not None:
            if self.training.validation is not None:
                val_loss, val_accuracy = means_of(model, evaluated.sums)
                history.val_loss.append(val_loss)
                if val_accuracy is not None:
                    history.val_accuracy.append(val_accuracy)
            for name, value in metrics_of(model, evaluated.results).items():
                history.metrics[self.training.metric_column(name)].append(value)
        history.seconds.append(time.perf_counter() - started)

    # Steps

    def _plain_step(self, batch: Batch) -> None:
        training = self.training
        training.batch += 1
        penalties = self.model.regularization_loss()
        total, samples = batch.total_weight, len(batch)
        scale = total / (samples * self.mean_weight(total, samples))
        data_loss, accuracy = forward_and_backward(
            self.model,
            batch,
            self.micro_batch_size,
            check_loss=lambda data_loss: self.check_loss(scale * data_loss, penalties),
            scale=scale,
        )
        self.before_update(training.batch)
        update_parameters(self.model)
        training.batch_accuracy = accuracy
        training.sums.add(batch.total_weight, data_loss, penalties, accuracy)

    def mean_weight(self, total_weight: float, samples: int) -> float:
        """Return the mean weight of all training samples: see ``sample_weights``.

        Of a stream it is that of the samples so far, those of the present batch, of
        ``total_weight``, included.
        """
        if isinstance(self.data, ArrayBatches):
            return self.data.mean_weight
        self.training.weights_seen.add(total_weight, samples)
        return self.training.weights_seen.mean

    def before_update(self, batch: int) -> None:
        """Prepare for the end of training after the update of ``batch``, where it may end."""
        is_last = self.training.batches in (batch, None)
        if is_last or self.watched or self.history.stopped:
            self.last_batch.before_update()

    def _compiled_steps(self, trainer: Any, batches: Batch) -> None:
        """Take the steps of all ``batches`` in one compiled call: see ``Trainer.take_steps``."""
        training, size = self.training, batches.source.batch_size
        steps = math.ceil(len(batches) / size)
        # Ctrl-C may end the training after any call, and a call of many steps takes that long.
        before_last = self.last_batch.before_update
        if steps == 1:
            before_last = partial(self.before_update, training.batch + 1)
        mean_weight = self.mean_weight(batches.total_weight, len(batches))
        metrics = trainer.take_steps(batches, mean_weight, before_last)
        training.batch += len(metrics)
        total_weights = batches.total_weights()[: len(metrics)]
        samples = min(size, len(batches) - (len(metrics) - 1) * size)  # of the last step
        data_loss, penalties, training.batch_accuracy = metrics[-1].tolist()
        self.check_loss(data_loss * total_weights[-1] / (samples * mean_weight), penalties)
        training.sums.add_all(total_weights, metrics)

    def check_loss(self, data_loss: float, penalties: float) -> None:
        """Note the loss of the batch; raise DivergenceError if it is not finite."""
        training = self.training
        training.batch_data_loss, training.batch_loss = data_loss, data_loss + penalties
        if not math.isfinite(training.batch_loss):
            raise loss_diverged(training)

    def _trainer(self, source: Batches) -> Any:
        """Return the object that takes compiled steps with batches of ``source``, or None.

        It is looked up each time, since a callback may have set another loss or optimizer.
        """
        if not self.compiles:
            return None
        divided = self.micro_batch_size is not None and source.batch_size > self.micro_batch_size
        return None if divided else self.model.trainer

    def _batches_are_watched(self) -> bool:
        # Also by a function that was set on the object, not on its class.
        methods = (callback.on_batch_end for callback in self.callbacks)
        return any(getattr(m, "__func__", m) is not Callback.on_batch_end for m in methods)

    def _micro_batch_size(self, sample: Array, outputs: list[Array]) -> int | None:
        """Return how many samples run through the model at once; None for whole batches."""
        operations = self.model.leaves()
        if all(map(has_independent_samples, operations)) and isinstance(self.model.loss, Loss):
            return micro_batch_size(outputs, sample)
        warn_of_whole_batches(operations, outputs, sample, self.data.batch_size)
        return None
