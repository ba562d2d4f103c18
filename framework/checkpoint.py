"""Checkpoints: a training that can be killed at any moment and go on as if nothing had happened.

A checkpoint is the file of a saved model (see ``saving``) that also has a ``training``: what the
optimizer remembers, the states of the random generators, the history, the callbacks' states, and
by what the data and the batches can be known again. Where an epoch was interrupted, it has the
states of the generators at its beginning, and what its batches have added up to so far.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from framework import randomness
from framework.callbacks import Callback, is_better
from framework.checks import check_count, check_number
from framework.descriptions import Reader, Writer
from framework.files import check_target, give_second_name, remove_leftovers, write_atomically
from framework.history import History
from framework.mapped import release_pages
from framework.operation import Array
from framework.samples import Samples, Stream
from framework.saving import (
    PARTS,
    FilePath,
    content,
    described,
    errors_naming,
    read,
    set_learned,
    set_stored,
    stored,
)
from optimizers.optimizer import Optimizer, State

if TYPE_CHECKING:
    from framework.training import Training


class Checkpoint(Callback):
    """Writes the training to a file, from which ``Model.train(…, resume_from=path)`` goes on.

    ``path`` always holds the newest one, of the end of an epoch, or of where training was
    interrupted by Ctrl-C or another callback. Beside it, for ``run.safetensors``, stand
    ``run.epoch-7.safetensors`` and so on, the newest ``keep`` of them, the very newest included,
    and ``run.best.safetensors``. ``Model.load`` reads each of them as a model.

    A file appears complete or not at all: a kill or a full disk leaves the one before. What a
    killed process has left half written is deleted when the next training begins, so a path
    belongs to one training at a time. A checkpoint is written after all other callbacks.

    Args:
        path: the file.
        every: how many epochs lie between two checkpoints, at least 1.
        keep: how many to keep under the number of their epoch, at least 0.
        best: the list of ``History`` by which the best epoch is told: those with "accuracy" in
            their name should grow, all others shrink. None keeps no best; neither does a figure
            that the training does not record.

    Attributes:
        best_figure: the best figure so far; None before the first.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a
            model that cannot be saved, or an optimizer whose memory is not known.
        OSError: when training begins, if the folder does not exist or cannot be written to; at
            the end of an epoch, if the file cannot be written.
    """

    def __init__(
        self, path: FilePath, *, every: int = 1, keep: int = 3, best: str | None = "val_loss"
    ) -> None:
        self.path = Path(path)
        self.every = check_count("every", every)
        self.keep = check_count("keep", keep, minimum=0)
        if best is not None and best not in History.names():
            raise ValueError(f"best must be one of {', '.join(History.names())}, received {best!r}")
        self.best = best

    def on_train_begin(self, training: "Training") -> None:
        self.best_figure: float | None = None
        self._written = (0, 0)
        self._place = check_target(self.path)
        for path in (self._place, self._beside("best")):
            remove_leftovers(path)

    def on_epoch_end(self, training: "Training") -> None:
        is_best = self._is_best(training)
        is_due = training.epoch % self.every == 0
        if is_best or is_due:
            file = content_of(training)
        if is_best:
            # Before the newest: whoever is killed in between does this epoch again.
            write_atomically(self._beside("best"), file)
        if is_due:
            self._write(training, file)

    def on_train_end(self, training: "Training") -> None:
        if self._written != (training.epoch, training.batch):
            self._write(training, content_of(training))

    def checkpoint_state(self) -> dict[str, Any]:
        return {"best": self.best, "best_figure": self.best_figure}

    def resume(self, training: "Training", state: dict[str, Any]) -> None:
        if state["best"] == self.best and state["best_figure"] is not None:
            self.best_figure = float(state["best_figure"])

    def _is_best(self, training: "Training") -> bool:
        if self.best is None or self.best not in training.figures():
            return False
        figure = getattr(training.history, self.best)[-1]
        if not is_better(self.best, figure, self.best_figure):
            return False
        self.best_figure = figure
        return True

    def _write(self, training: "Training", file: bytes) -> None:
        write_atomically(self._place, file)
        self._written = (training.epoch, training.batch)
        if training.between_epochs and self.keep:
            give_second_name(self._place, self._beside(f"epoch-{training.epoch}"))
        newest = [epoch for epoch in self._kept() if epoch <= training.epoch][: self.keep]
        for epoch in self._kept():
            if epoch not in newest:
                self._beside(f"epoch-{epoch}").unlink(missing_ok=True)

    def _kept(self) -> list[int]:
        """The epochs that have a file of their own, the last first."""
        start, end = f"{self._place.stem}.epoch-", self._place.suffix
        numbers = [
            name[len(start) : len(name) - len(end)]
            for name in os.listdir(self._place.parent)
            if name.startswith(start) and name.endswith(end)
        ]
        return sorted((int(number) for number in numbers if number.isdecimal()), reverse=True)

    def _beside(self, label: str) -> Path:
        return self._place.with_name(f"{self._place.stem}.{label}{self._place.suffix}")


def prepare(training: "Training", resume_from: FilePath | None) -> "SavedTraining | None":
    """See that checkpoints can be written, and return the one to go on from, if there is one.

    Raises:
        TypeError, ValueError: the model cannot be saved, or the memory of its optimizer.
        OSError: a checkpoint cannot be written, or ``resume_from`` cannot be read.
        SavedFileError: ``resume_from`` does not fit this training.
    """
    checkpoints = [one for one in training.callbacks if isinstance(one, Checkpoint)]
    if not checkpoints and resume_from is None:
        return None
    optimizer = training.model.optimizer
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"a checkpoint needs an optimizer derived from optimizers.Optimizer, which shows what "
            f"it remembers; received {optimizer!r}"
        )
    described(training.model)
    for checkpoint in checkpoints:
        check_target(checkpoint.path)
    # Now, since callbacks may vary the data while they are trained on.
    training.data_marks = dict(_data_marks(training))
    if resume_from is None:
        return None
    own = {os.path.realpath(checkpoint.path) for checkpoint in checkpoints}
    if not os.path.exists(resume_from) and os.path.realpath(resume_from) in own:
        return None
    with errors_naming(resume_from):
        return SavedTraining(training, resume_from)


def content_of(training: "Training") -> bytes:
    """Return the file from which ``training`` can go on."""
    description, arrays = described(training.model)
    writer = Writer()
    saved = writer.write(_state(training), "training")
    return content({"model": description, "training": saved}, {**arrays, **writer.arrays})


def _state(training: "Training") -> dict[str, Any]:
    optimizer, history = training.model.optimizer, training.history
    interrupted = None
    if not training.between_epochs:
        interrupted = {"chance": training.chance, "sums": asdict(training.sums)}
    return {
        "epoch": training.epoch,
        "batch": training.batch,
        "interrupted": interrupted,
        "settings": _settings(training),
        "history": {name: np.array(getattr(history, name), float) for name in history.names()},
        "chance": randomness.states(),
        "iterations": optimizer.iterations,
        "memory": optimizer.state(training.model.parameters),
        "callbacks": {
            name: state
            for name, callback in _with_state(training)
            if (state := callback.checkpoint_state())
        },
    }


def _settings(training: "Training") -> dict[str, Any]:
    """What has to be the same in a training that goes on with another."""
    samples = training.samples
    settings: dict[str, Any] = {
        "number of ranks with data of their own (sharded=True)": training.shards,
        "batch_size": samples.batch_size,
    }
    if isinstance(samples, Samples):
        settings |= {"number of samples": len(samples.rows), "shuffle": samples.shuffle}
    return {**settings, **training.data_marks}


def _data_marks(training: "Training") -> Iterator[tuple[str, str]]:
    for source, of_what in (
        (training.samples, ""),
        (training.validation, " of the validation data"),
    ):
        for attribute in ("X", "y", "weights", "rows"):
            name = {"weights": "sample_weight"}.get(attribute, attribute) + of_what
            if isinstance(source, Stream):  # which may begin with another batch every time
                array = getattr(source.first.samples, attribute)
                yield name, "none" if array is None else f"{array.dtype} {array.shape}"
            else:
                array = getattr(source, attribute, None)
                yield name, "none" if array is None else _checksum(array)


def _checksum(array: Array, rows_at_once: int = 4096) -> str:
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    for start in range(0, len(array), rows_at_once):
        digest.update(array[start : start + rows_at_once].tobytes())
        release_pages(array)
    return digest.hexdigest()


def _with_state(training: "Training") -> list[tuple[str, Any]]:
    """The callbacks that a checkpoint keeps something of, by the names of their classes.

    Those of one class are told apart by their order.
    """
    names: list[str] = []
    found = []
    for callback in training.callbacks:
        if hasattr(callback, "checkpoint_state") and hasattr(callback, "resume"):
            name = type(callback).__name__
            found.append((f"{name} {names.count(name)}", callback))
            names.append(name)
    return found


class SavedTraining:
    """A training in a checkpoint, to go on with.

    Args:
        training: the one that is to go on, which it has to fit; nothing of it is changed yet.
        path: the file.

    Raises OSError, and errors of many kinds for a file that does not fit: see ``errors_naming``.
    """

    def __init__(self, training: "Training", path: FilePath) -> None:
        self.path = path
        description, self.arrays = read(path)
        if "training" not in description:
            raise ValueError("it has no training to go on with: Checkpoint writes such files")
        self.model = description["model"]
        self.state = Reader(self.arrays, {}).read(description["training"])
        _compare_models(training, self.model, self.arrays)
        for name, value in _settings(training).items():
            found = self.state["settings"][name]
            if found != value:
                shown = "" if isinstance(value, str) else f": {found!r} there, {value!r} here"
                raise ValueError(f"its training was with another {name}{shown}")
        self._check_state(training)

    def _check_state(self, training: "Training") -> None:
        state = self.state
        check_count("epoch", state["epoch"])
        check_count("iterations", state["iterations"], minimum=0)
        interrupted = state["interrupted"]
        batches = training.batches or state["batch"]
        if not 1 <= check_count("batch", state["batch"]) <= batches:
            raise ValueError(f"it ends after batch {state['batch']} of {batches}")
        if state["history"].keys() != set(History.names()):
            raise ValueError("its history is none")
        for figures in state["history"].values():
            if (
                len(figures) not in (0, state["epoch"] - bool(interrupted))
                or figures.dtype != float
            ):
                raise ValueError("its history does not have as many epochs as it should")
        randomness.check_states(state["chance"])
        if interrupted:
            randomness.check_states(interrupted["chance"])
            if interrupted["sums"].keys() != asdict(training.sums).keys():
                raise ValueError("it has no sums of the epoch that was interrupted")
            for name, number in interrupted["sums"].items():
                check_number(name, number)
        for name, memory in state["memory"].items():
            parameter = getattr(training.model.parameters, name, None)
            for array in memory.values():
                if parameter is not None and (
                    (array.shape, array.dtype) != (parameter.shape, parameter.dtype)
                ):
                    raise ValueError("what its optimizer remembers is not of this model")

    def restore(self, training: "Training") -> None:
        """Make ``training`` what it was. Raises SavedFileError if that does not work."""
        with errors_naming(self.path):
            state, model = self.state, training.model
            set_stored(stored(model), self.arrays)
            set_learned(model.accuracy, self.model["learned_by_accuracy"])
            optimizer = model.optimizer
            memory = optimizer.state(model.parameters)
            memory.clear()
            memory.update({name: State(arrays) for name, arrays in state["memory"].items()})
            optimizer.iterations = state["iterations"]
            optimizer.pre_update_params()
            training.epoch, training.batch = state["epoch"], state["batch"]
            for name, figures in state["history"].items():
                getattr(training.history, name)[:] = figures.tolist()
            if state["interrupted"]:
                training.chance = state["interrupted"]["chance"]
                training.sums = type(training.sums)(**state["interrupted"]["sums"])
            for name, callback in _with_state(training):
                if name in state["callbacks"]:
                    callback.resume(training, state["callbacks"][name])
            # Last, since callbacks may have drawn from them.
            randomness.set_states(state["chance"])


def _compare_models(training: "Training", saved: Any, arrays: dict[str, Array]) -> None:
    description, own_arrays = described(training.model)
    description = json.loads(json.dumps(description))
    for name in ("dtype", *PARTS):
        if saved[name] != description[name]:
            raise ValueError(
                f"its model has another {name}: {_text(saved[name])} there, "
                f"{_text(description[name])} here"
            )
    there, here = saved["operations"], description["operations"]
    if len(there) != len(here):
        raise ValueError(f"its model has {len(there)} operations, and this one {len(here)}")
    for position, (one, other) in enumerate(zip(there, here, strict=True), 1):
        if one != other:
            raise ValueError(
                f"operation {position} of its model is {_text(one)}, and here it is {_text(other)}"
            )
    for name in own_arrays.keys() - stored(training.model).keys():
        if not np.array_equal(own_arrays[name], arrays[name]):
            raise ValueError(f"its model has another array {name}")


def _text(value: Any) -> str:
    """A description in the words of Python."""
    if not isinstance(value, dict) or "class" not in value:
        return repr(value)
    arguments = ", ".join(f"{name}={_text(item)}" for name, item in value["arguments"].items())
    return f"{value['class'].rpartition('.')[2]}({arguments})"
