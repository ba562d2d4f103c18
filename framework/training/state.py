"""The state of a running training, and the callbacks that see it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from framework.containers.supervised import Supervised
from framework.data.batches import Batches
from framework.data.checks import Transform
from framework.data.sample_weights import WeightsSeen
from framework.metrics.metric import VALIDATION
from framework.training.epoch_sums import EpochSums
from framework.training.history import History
from framework.utils import rng
from framework.utils.deprecation import RenamedAttribute
from framework.utils.warnings import warn_user


class Callback:
    """Base class of callbacks: write the methods you need. Each receives the running ``Training``.

    It has ``model``, ``history``, ``epoch`` and ``batch`` (from 1), ``epochs``, ``batches`` and
    the last ``batch_loss``; ``training.stop("why")`` ends training after the current batch.
    """

    def on_train_begin(self, training: Training) -> None:
        """Before the first epoch."""

    def on_batch_end(self, training: Training) -> None:
        """After each update."""

    def on_epoch_end(self, training: Training) -> None:
        """After each epoch; its metrics are the last in ``training.history``."""

    def on_train_end(self, training: Training) -> None:
        """After the last epoch, also if training was stopped early."""

    def checkpoint_state(self) -> dict[str, Any]:
        """Return the state of this callback for a checkpoint, by name; by default, none.

        The values can be None, numbers, texts, arrays, and lists and dictionaries of these, with
        texts as keys. Training also asks for the state right after ``on_train_begin``, to see
        whether a checkpoint can hold it.
        """
        return {}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        """Restore the state that ``checkpoint_state`` returned. Called after ``on_train_begin``.

        The parameters and the history are those of the checkpoint by then. An error here ends the
        training before it goes on, and leaves the model as it was.
        """


class Training:
    """A training in progress, as callbacks see it.

    Attributes:
        model, history: the model, and the record of its training so far.
        epoch, epochs: the current epoch, from 1, and how many are planned.
        batch, batches: the current batch, from 1, and how many make an epoch; None where that is
            not known before the end of the first.
        batch_loss: the loss of the last batch, penalties included.
        batch_data_loss, batch_accuracy: its loss without them, and its accuracy if measured.
        interrupted: whether Ctrl-C was pressed.
        data: where the batches come from.
        validation: those that each epoch is validated on, or None.
        evaluated: those that outputs are computed for after each epoch: of ``validation`` or, for
            metrics without it, of ``data``; or None.
        callbacks: all of them, in the order in which they are called.
        transform: the transform of the data, or None.
        sums: the sums over the batches of the current epoch.
        weights_seen: the weights of all batches so far, where batches are given.
        rng_state: the states of the random generators at the beginning of the current epoch.
        data_fingerprint, model_fingerprint: identify the data and the model as they were when
            training began, for checkpoints; empty without checkpoints.
        resumed_at: the epoch and the batch after which training was resumed, if that was in the
            middle of an epoch, or None.
        rank, ranks: the number of this process, from 0, and how many processes train together: 0
            of 1, unless ``train`` was given a communicator. Callbacks run on every rank; one that
            writes a file should do so on rank 0.
        shards: into how many parts the data are divided, one for each rank: 1 unless ``sharded``.
    """

    rank, ranks = 0, 1
    shards = 1

    samples = RenamedAttribute("data")
    chance = RenamedAttribute("rng_state")
    data_marks = RenamedAttribute("data_fingerprint")
    model_marks = RenamedAttribute("model_fingerprint")
    went_on_at = RenamedAttribute("resumed_at")

    def __init__(
        self,
        model: Supervised,
        epochs: int,
        data: Batches,
        validation: Batches | None,
        callbacks: Sequence[Callback],
        evaluated: Batches | None = None,
        transform: Transform | None = None,
    ) -> None:
        self.model: Any = model
        self.epoch, self.epochs = 0, epochs
        self.batch, self.batches = 0, data.batches_per_epoch
        self.batch_loss = self.batch_data_loss = self.batch_accuracy = math.nan
        self.interrupted = False
        self.data, self.validation, self.evaluated = data, validation, evaluated
        self.history = History(metrics={self.metric_column(name): [] for name in model.metrics})
        self.callbacks, self.transform = callbacks, transform
        self.sums = EpochSums()
        self.weights_seen = WeightsSeen()
        # NumPy takes long to tell its state, which only callbacks look at.
        self.rng_state = rng.rng_state() if callbacks else {}
        self.data_fingerprint: dict[str, str] = {}
        self.model_fingerprint: dict[str, Any] = {}
        self.resumed_at: tuple[int, int] | None = None

    def stop(self, reason: str) -> None:
        """End training after the current batch; ``reason`` is kept in ``history.stopped``."""
        self.history.stopped = reason or "a callback asked for it"

    @property
    def between_epochs(self) -> bool:
        """Whether the current epoch is complete, or none has begun."""
        return len(self.history) == self.epoch

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last update; NaN if the optimizer has none."""
        return float(getattr(self.model.optimizer, "current_learning_rate", math.nan))

    def metrics(self) -> list[str]:
        """The names of the lists of ``history`` that this training fills."""
        missing = set()
        if self.model.accuracy is None:
            missing |= {"accuracy", "val_accuracy"}
        if self.validation is None:
            missing |= {"val_loss", "val_accuracy"}
        names = [name for name in History.names() if name not in missing]
        return names + list(map(self.metric_column, self.model.metrics))

    def metric_column(self, metric: str) -> str:
        """The name in ``history`` of a metric of the model: ``val_f1`` where it is validated."""
        return metric if self.validation is None else VALIDATION + metric

    def figures(self) -> list[str]:
        """Deprecated name of ``metrics``."""
        warn_user("Training.figures() was renamed: use metrics()", DeprecationWarning)
        return self.metrics()
