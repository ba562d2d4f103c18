"""A training that is taken in slices: a batch, an epoch, or as much as a moment allows."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from framework.data.arguments import DataArguments
from framework.data.batches import ArrayBatches, Batch
from framework.errors import DivergenceError
from framework.model import Model
from framework.training.arguments import TrainingArguments
from framework.training.epoch_sums import EpochSums
from framework.training.history import History
from framework.training.loop import Loop
from framework.training.progress import Reporter
from framework.training.setup import set_up
from framework.training.snapshot import Snapshot
from framework.training.state import Training
from framework.utils import rng
from optimizers.arrays import Array

# Of small batches, as many are computed in one compiled call as take about this long.
SECONDS_OF_CALL = 0.01
FIRST_CALL = 8


@dataclass(frozen=True)
class Moment:
    """All that a training needs to go on from a moment, to the same numbers.

    Attributes:
        epoch: the epochs that are complete.
        batch: the batches of the next one that were trained on already.
        steps: the updates so far.
    """

    epoch: int
    batch: int
    steps: int
    snapshot: Snapshot
    learning_rate: Any
    generator: dict[str, Any]
    rng_state: dict[str, Any]
    sums: EpochSums

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        arrays = [copied for _, copied in self.snapshot.arrays]
        arrays += [array for state in self.snapshot.states.values() for array in state.values()]
        return sum(array.nbytes for array in arrays)


class Run:
    """The training of one model on one set of points.

    Random numbers come from ``generator``, so that several runs do not disturb each other, and one
    that is taken in other slices comes to the same numbers.

    Args:
        model: finalized, with loss and optimizer.
        data: ``(X, y)`` to train on.
        validation: ``(X, y)`` to measure after each epoch, or None.
        batch_size: samples of an update.

    Attributes:
        history: the metrics of the epochs so far.
        completed: the end of the last complete epoch, or the beginning.
        on_epoch_end: called after each epoch.
    """

    def __init__(
        self,
        model: Model,
        data: tuple[Array, Array],
        validation: tuple[Array, Array] | None,
        batch_size: int,
        generator: np.random.Generator,
    ) -> None:
        arguments = TrainingArguments(
            data=DataArguments(
                X=data[0],
                y=data[1],
                batch_size=batch_size,
                sample_weight=None,
                class_weight=None,
                validation_data=validation,
                validation_split=0.0,
                shuffle=True,
                transform=None,
            ),
            epochs=10**9,
            callbacks=(),
            progress=False,
            print_every=None,
            resume_from=None,
            communicator=None,
            sharded=False,
        )
        self.model, self.generator = model, generator
        self._next_rate: Any = None
        with rng.use_generator(generator):
            self.training = set_up(model, arguments)
            self._loop = _SlicedLoop(self.training, self._end_epoch)
        self.completed = self.moment()
        self.on_epoch_end: Callable[[], None] = lambda: None

    @property
    def history(self) -> History:
        return self.training.history

    @property
    def epoch(self) -> int:
        """How many epochs are complete."""
        return len(self.history)

    @property
    def batch(self) -> int:
        """How many batches of the next epoch were trained on already."""
        return 0 if self.training.between_epochs else self.training.batch

    @property
    def batches(self) -> int:
        """How many batches an epoch has."""
        return self._batches.batches_per_epoch

    @property
    def steps(self) -> int:
        """How many updates there were."""
        return self.epoch * self.batches + self.batch

    def advance(
        self,
        *,
        seconds: float = math.inf,
        epochs: float = math.inf,
        batches: float = math.inf,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train until one of the limits is reached, or ``interrupted`` returns True.

        Raises DivergenceError if the loss becomes NaN or infinite. The training is then where it
        was after the last complete epoch.
        """
        self._loop.limit(seconds, epochs, batches, interrupted)
        try:
            with rng.use_generator(self.generator):
                self._loop.run()
        except DivergenceError:
            self.go_to(self.completed)
            raise

    def set_learning_rate(self, rate: float) -> None:
        """Use another learning rate from the next epoch on."""
        if self.training.between_epochs:
            self.model.optimizer.learning_rate = rate
            self.model.optimizer.pre_update_params()
            self.completed = replace(self.completed, learning_rate=rate)
        else:
            self._next_rate = rate

    def moment(self) -> Moment:
        """Return this moment of the training."""
        snapshot = Snapshot(self.model)
        snapshot.take()
        return Moment(
            epoch=self.epoch,
            batch=self.batch,
            steps=self.steps,
            snapshot=snapshot,
            learning_rate=getattr(self.model.optimizer, "learning_rate", None),
            generator=dict(self.generator.bit_generator.state),
            rng_state=self.training.rng_state,
            sums=copy.copy(self.training.sums),
        )

    def go_to(self, moment: Moment, history: History | None = None) -> None:
        """Bring model, optimizer and random numbers to a moment, and forget what came after it.

        ``history`` has the metrics up to that moment, where it is not an earlier one.
        """
        if moment.learning_rate is not None:
            self.model.optimizer.learning_rate = moment.learning_rate
        moment.snapshot.restore()
        # The arrays of a snapshot become those of the optimizer, which writes into them.
        moment.snapshot.take()
        self._next_rate = None
        self.generator.bit_generator.state = moment.generator
        training = self.training
        training.rng_state, training.sums = moment.rng_state, copy.copy(moment.sums)
        training.epoch = moment.epoch + (moment.batch > 0)
        training.batch = moment.batch or (self.batches if moment.epoch else 0)
        _take_epochs(training.history, history or training.history, moment.epoch)
        if not moment.batch:
            self.completed = moment

    def next_batch(self) -> tuple[Array, Array]:
        """Return the samples that the next update is going to be computed from."""
        rows = self.next_rows()
        X, y, _ = self._batches.take(rows)
        return X, y

    def next_rows(self) -> Array:
        """Return their places among the samples."""
        with rng.use_generator(self.generator), rng.preserve_rng():
            if not self.training.between_epochs:
                self.generator.bit_generator.state = self.training.rng_state["ours"]
            return next(self._batches.epoch(skip=self.batch)).rows

    @property
    def _batches(self) -> ArrayBatches:
        assert isinstance(self.training.data, ArrayBatches)  # given arrays, it is
        return self.training.data

    def _end_epoch(self) -> None:
        if self._next_rate is not None:
            self.model.optimizer.learning_rate, self._next_rate = self._next_rate, None
        self.completed = self.moment()
        self.on_epoch_end()


class _SlicedLoop(Loop):
    """A loop that stops at its limits, in the middle of an epoch too, and can be run again."""

    signals = ()

    def __init__(self, training: Training, on_epoch_end: Any) -> None:
        super().__init__(training, Reporter(training, progress=False, print_every=None))
        self.on_epoch_end = on_epoch_end
        self.together = FIRST_CALL
        self.limit(0, 0, 0, lambda: True)

    def limit(
        self, seconds: float, epochs: float, batches: float, interrupted: Callable[[], bool]
    ) -> None:
        """Set the limits of the next run."""
        self.deadline = time.perf_counter() + seconds
        self.epochs_left, self.batches_left = epochs, batches
        self.interrupted = interrupted

    def stopped(self) -> bool:
        used_up = self.epochs_left <= 0 or self.batches_left <= 0
        return used_up or time.perf_counter() >= self.deadline or self.interrupted()

    def batches(self, skip: int = 0) -> Iterator[Batch]:
        assert isinstance(self.data, ArrayBatches)
        if not skip:  # an epoch begins, to which one can come back
            self.training.rng_state = rng.rng_state()
        trainer = self._trainer(self.data)
        together = 1
        if trainer is not None:
            together = int(min(trainer.steps_at_once(self.data), self.together, self.batches_left))
        return self.data.epoch(max(1, together), skip)

    def step(self, batch: Batch) -> None:
        before, started = self.training.batch, time.perf_counter()
        super().step(batch)
        taken = self.training.batch - before
        self.batches_left -= taken
        seconds = max(time.perf_counter() - started, 1e-6)
        self.together = int(np.clip(taken * SECONDS_OF_CALL / seconds, 1, 4 * self.together))

    def record(self, started: float) -> None:
        super().record(started)
        self.epochs_left -= 1
        self.on_epoch_end()


def _take_epochs(history: History, source: History, epochs: int) -> None:
    """Give ``history`` the metrics of the first epochs of ``source``, in the lists that it has."""
    for one in fields(history):
        values = getattr(history, one.name)
        if isinstance(values, list):
            values[:] = getattr(source, one.name)[:epochs]
    for name, values in history.metrics.items():
        values[:] = source.metrics[name][:epochs]
