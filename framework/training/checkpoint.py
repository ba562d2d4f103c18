"""Checkpoints: files from which a training goes on as if it had never stopped.

A checkpoint is the file of a saved model (see ``saving``) with two further entries:

    began       the fingerprint of the model when training began
    training    optimizer state, states of the random generators, history, states of the callbacks,
                and the fingerprints of the data

If an epoch was interrupted, ``training`` also has the states of the generators at its beginning,
and the sums over its batches so far. ``resume.py`` reads these files.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from framework.checks import check_count
from framework.metrics.metric import VALIDATION
from framework.operation import describe
from framework.saving import file_format, model_file, optimizer_state
from framework.saving.file_format import FilePath
from framework.saving.format_1 import BEST_VALUE, INITIAL, RNG_STATE, SUMS
from framework.saving.serialization import Deserializer, Serializer
from framework.training.epoch_sums import EpochSums
from framework.training.fingerprint import data_fingerprint, model_fingerprint, settings_of
from framework.training.history import History
from framework.training.monitoring import check_mode, chosen_mode, is_better, latest
from framework.training.state import Callback, Training
from framework.utils import rng
from framework.utils.deprecation import RenamedAttribute
from framework.utils.files import check_target, give_second_name, remove_leftovers, write_atomically
from optimizers.optimizer import Optimizer


class Checkpoint(Callback):
    """Writes the training to a file, from which ``Model.train(…, resume_from=path)`` goes on.

    ``path`` always holds the newest checkpoint: of the end of an epoch, or of the batch at which
    training was stopped by Ctrl-C or another callback. Beside ``run.safetensors`` stand
    ``run.epoch-7.safetensors`` and so on, the newest ``keep`` of them, including the very newest,
    and ``run.best.safetensors``. ``Model.load`` reads each of them as a model.

    A training that goes on from a checkpoint computes the same numbers, bit for bit, as one that
    never stopped. Model, data and arguments have to be the same; they are compared, except for
    ``transform`` and the content of batches that are given. A transform with random numbers of its
    own goes on with them if it has ``checkpoint_state`` and ``resume``, as a ``Callback`` and as
    those of ``framework.augmentation``. The model is compared with its state
    when training began; values that callbacks changed since then, such as
    ``optimizer.learning_rate``, are set again. On several processes, their number has to be the
    same if there is dropout or ``sharded`` data, and batch normalization ``synchronized`` if
    training stopped within an epoch.

    A file appears complete or not at all: after a kill or on a full disk, the one before is still
    there. Half-written files of a killed process are deleted when the next training begins, so a
    path belongs to one training at a time. A checkpoint is written after all other callbacks.

    Args:
        path: the file.
        every: write a checkpoint every so many epochs, at least 1.
        keep: how many to keep under the number of their epoch, at least 0.
        best: the metric that tells the best epoch: the name of a list of ``History``, such as
            "val_f1" for a metric of the model. With None, or if the training does not record the
            metric, no best epoch is kept.
        mode: "max" or "min", whether it should grow or shrink; None knows it for all metrics but
            those of your own, as in ``EarlyStopping``.

    Attributes:
        best_value: the best value so far; None before the first epoch.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a model
            or a callback's state that cannot be saved, an optimizer that is not derived from
            ``Optimizer``, or another checkpoint that would share a file with this one.
        OSError: when training begins, if the folder does not exist or cannot be written to, or a
            file's name is too long; at the end of an epoch, if the file cannot be written.
    """

    best_figure = RenamedAttribute("best_value")

    def __init__(
        self,
        path: FilePath,
        *,
        every: int = 1,
        keep: int = 3,
        best: str | None = "val_loss",
        mode: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.every = check_count("every", every)
        self.keep = check_count("keep", keep, minimum=0)
        self.best = best
        self.mode = check_mode(mode)

    def on_train_begin(self, training: Training) -> None:
        self.best_value: float | None = None
        self._mode = None if self.best is None else self._mode_of(self.best, training)
        self._written = (0, 0)
        self.check_files(training.epochs)
        for path in (self._place, self._file("best")):
            remove_leftovers(path)

    def on_epoch_end(self, training: Training) -> None:
        is_best = self._is_best(training)
        is_due = training.epoch % self.every == 0
        if is_best or is_due:
            content = content_of(training)
        if is_best:
            # Before the newest: a process that is killed in between repeats this epoch.
            write_atomically(self._file("best"), content)
        if is_due:
            self._write(training, content)

    def on_train_end(self, training: Training) -> None:
        if self._written != (training.epoch, training.batch):
            self._write(training, content_of(training))

    def checkpoint_state(self) -> dict[str, Any]:
        return {"best": self.best, BEST_VALUE: self.best_value}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        if state["best"] == self.best and state[BEST_VALUE] is not None:
            self.best_value = float(state[BEST_VALUE])

    def check_files(self, epochs: int) -> None:
        """Raise OSError if a file of a training of ``epochs`` epochs cannot be written."""
        self._place = check_target(self.path)
        if self.best:
            check_target(self._file("best"))
        if self.keep:
            check_target(self._file(f"epoch-{epochs}"))

    def writes(self, path: FilePath) -> bool:
        """Whether this checkpoint writes or deletes the file ``path``."""
        own, other = (Path(os.path.realpath(place)) for place in (self.path, path))
        best = r"\.best|" if self.best else ""
        pattern = rf"{re.escape(own.stem)}({best}\.epoch-\d+|){re.escape(own.suffix)}"
        return own.parent == other.parent and bool(re.fullmatch(pattern, other.name))

    def _mode_of(self, best: str, training: Training) -> str | None:
        """Return whether ``best`` should grow or shrink, None where it is not recorded.

        Raises ValueError for a name that no training of this model records.
        """
        if best in training.metrics():
            return chosen_mode(training, best, self.mode)
        metrics = training.model.metrics
        known = [*History.names(), *metrics, *(VALIDATION + name for name in metrics)]
        if best not in known:
            raise ValueError(f"best must be one of {', '.join(known)}, received {best!r}")
        return None

    def _is_best(self, training: Training) -> bool:
        if self.best is None or self._mode is None:
            return False
        value = latest(training.history, self.best)
        if not is_better(value, self.best_value, self._mode):
            return False
        self.best_value = value
        return True

    def _write(self, training: Training, content: bytes) -> None:
        write_atomically(self._place, content)
        self._written = (training.epoch, training.batch)
        if training.between_epochs and self.keep:
            give_second_name(self._place, self._file(f"epoch-{training.epoch}"))
        numbered = self._numbered_epochs()
        newest = [epoch for epoch in numbered if epoch <= training.epoch][: self.keep]
        for epoch in numbered:
            if epoch not in newest:
                self._file(f"epoch-{epoch}").unlink(missing_ok=True)

    def _numbered_epochs(self) -> list[int]:
        """The epochs that have a file of their own, the last first."""
        start, end = f"{self._place.stem}.epoch-", self._place.suffix
        numbers = [
            name[len(start) : len(name) - len(end)]
            for name in os.listdir(self._place.parent)
            if name.startswith(start) and name.endswith(end)
        ]
        return sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)

    def _file(self, label: str) -> Path:
        return self._place.with_name(f"{self._place.stem}.{label}{self._place.suffix}")


def prepare_checkpoints(training: Training, resume_from: FilePath | None) -> None:
    """Check that the checkpoints of ``training`` can be written, and take its fingerprints.

    This comes before ``on_train_begin``, in which callbacks may change the data and the arguments
    of the model's parts.

    Raises:
        TypeError, ValueError: the model or the optimizer's state cannot be saved.
        OSError: a checkpoint cannot be written.
    """
    checkpoints = checkpoints_of(training)
    if not checkpoints and resume_from is None:
        return
    optimizer = training.model.optimizer
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"a checkpoint needs an optimizer derived from optimizers.Optimizer, whose state it "
            f"can save; received {optimizer!r}"
        )
    for checkpoint in checkpoints:
        checkpoint.check_files(training.epochs)
    for one, other in itertools.permutations(checkpoints, 2):
        if one.writes(other.path):
            raise ValueError(
                f"two checkpoints need files of their own, but the one at {one.path} also writes "
                f"{other.path}"
            )
    training.data_fingerprint = data_fingerprint(training)
    training.model_fingerprint = model_fingerprint(training.model)


def is_checkpoint(callback: Callback) -> bool:
    """Whether ``callback`` writes checkpoints."""
    return isinstance(callback, Checkpoint)


def checkpoints_of(training: Training) -> list[Checkpoint]:
    """Return the checkpoints among the callbacks of ``training``."""
    return [callback for callback in training.callbacks if isinstance(callback, Checkpoint)]


def check_callback_states(training: Training) -> None:
    """Check that a checkpoint can hold the state of each callback, after ``on_train_begin``.

    Raises TypeError, naming the callback; and any error of its ``checkpoint_state``.
    """
    if not checkpoints_of(training):
        return
    for _, callback in callbacks_with_state(training):
        state = callback.checkpoint_state()
        serializer = Serializer()
        try:
            text = json.dumps(serializer.serialize(state, "state"))
            Deserializer(serializer.arrays, {}).deserialize(json.loads(text))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"a checkpoint cannot hold the checkpoint_state of {describe(callback)}; it can "
                f"hold None, numbers, texts, arrays, and lists and dictionaries of these: {error}"
            ) from None


def callbacks_with_state(training: Training) -> list[tuple[str, Any]]:
    """Return the callbacks that have a ``checkpoint_state``, named by class and order.

    A transform that has one is among them.
    """
    names: list[str] = []
    found = []
    for callback in (*training.callbacks, training.transform):
        if hasattr(callback, "checkpoint_state") and hasattr(callback, "resume"):
            name = type(callback).__name__
            found.append((f"{name} {names.count(name)}", callback))
            names.append(name)
    return found


def content_of(training: Training) -> bytes:
    """Return the content of the file from which ``training`` can be resumed."""
    model, arrays = model_file.serialize_model(training.model)
    serializer = Serializer()
    saved = {
        "model": model,
        INITIAL: training.model_fingerprint,
        "training": serializer.serialize(_state_of(training), "training"),
    }
    return file_format.encode(saved, {**arrays, **serializer.arrays})


def _state_of(training: Training) -> dict[str, Any]:
    history = training.history
    seen = training.weights_seen
    lists = {name: getattr(history, name) for name in history.names()} | history.metrics
    interrupted = None
    if not training.between_epochs:
        interrupted = {RNG_STATE: training.rng_state, "sums": _sums_to_save(training.sums)}
    return {
        "epoch": training.epoch,
        "batch": training.batch,
        "interrupted": interrupted,
        "settings": settings_of(training),
        "weights_seen": {"total": seen.total, "samples": seen.samples},
        "history": {name: np.array(values, float) for name, values in lists.items()},
        RNG_STATE: rng.rng_state(),
        **optimizer_state.optimizer_state(training.model),
        "callbacks": {
            name: state
            for name, callback in callbacks_with_state(training)
            if (state := callback.checkpoint_state())
        },
    }


def _sums_to_save(sums: EpochSums) -> dict[str, float]:
    return {saved: getattr(sums, name) for name, saved in SUMS.items()}
