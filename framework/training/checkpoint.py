"""Checkpoints: a training that can be killed at any moment and go on as if nothing had happened.

A checkpoint is the file of a saved model (see ``saving``) that also has a ``training``: what the
optimizer remembers, the states of the random generators, the history, the callbacks' states, and
by what the data and the batches can be known again. Where an epoch was interrupted, it has the
states of the generators at its beginning, and what its batches have added up to so far.
"""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from framework.checks import check_count, check_number
from framework.containers.supervised import Supervised
from framework.data.batches import Samples, Stream
from framework.operation import Array, describe
from framework.saving import model_file
from framework.saving.model_file import FilePath
from framework.saving.serialization import Reader, Writer
from framework.training.callbacks import Callback, is_better
from framework.training.history import History
from framework.training.snapshot import RestorePoint
from framework.utils import rng
from framework.utils.files import check_target, give_second_name, remove_leftovers, write_atomically
from framework.utils.memory_maps import release_pages
from optimizers.optimizer import Optimizer

if TYPE_CHECKING:
    from framework.training.loop import Training

# An object that keeps an argument in an attribute, the name of both, and its value.
Argument: TypeAlias = tuple[Any, str, Any]


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
            model or a callback's state that cannot be saved, an optimizer whose memory is not
            known, or another checkpoint that would share a file with this one.
        OSError: when training begins, if the folder does not exist or cannot be written to, or a
            file's name is too long; at the end of an epoch, if the file cannot be written.
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
        self.check_files(training.epochs)
        for path in (self._place, self._file("best")):
            remove_leftovers(path)

    def on_epoch_end(self, training: "Training") -> None:
        is_best = self._is_best(training)
        is_due = training.epoch % self.every == 0
        if is_best or is_due:
            file = content_of(training)
        if is_best:
            # Before the newest: whoever is killed in between does this epoch again.
            write_atomically(self._file("best"), file)
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

    def check_files(self, epochs: int) -> None:
        """Raise OSError if one of the files of a training of so many epochs cannot be written."""
        self._place = check_target(self.path)
        if self.best:
            check_target(self._file("best"))
        if self.keep:
            check_target(self._file(f"epoch-{epochs}"))

    def writes(self, path: FilePath) -> bool:
        """Whether ``path`` is one of the files that this checkpoint writes or deletes."""
        own, other = (Path(os.path.realpath(place)) for place in (self.path, path))
        best = r"\.best|" if self.best else ""
        pattern = rf"{re.escape(own.stem)}({best}\.epoch-\d+|){re.escape(own.suffix)}"
        return own.parent == other.parent and bool(re.fullmatch(pattern, other.name))

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
            give_second_name(self._place, self._file(f"epoch-{training.epoch}"))
        newest = [epoch for epoch in self._kept() if epoch <= training.epoch][: self.keep]
        for epoch in self._kept():
            if epoch not in newest:
                self._file(f"epoch-{epoch}").unlink(missing_ok=True)

    def _kept(self) -> list[int]:
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
    for checkpoint in checkpoints:
        checkpoint.check_files(training.epochs)
    for one, other in itertools.permutations(checkpoints, 2):
        if one.writes(other.path):
            raise ValueError(
                f"two checkpoints need files of their own, but the one at {one.path} also writes "
                f"{other.path}"
            )
    # Now, since callbacks may vary the data and the arguments of the model's parts.
    training.data_marks = dict(_data_marks(training))
    training.model_marks = _model_marks(training.model)
    if resume_from is None:
        return None
    own = {os.path.realpath(checkpoint.path) for checkpoint in checkpoints}
    if not os.path.exists(resume_from) and os.path.realpath(resume_from) in own:
        return None
    with model_file.errors_naming(resume_from):
        return SavedTraining(training, resume_from)


def check_callbacks(training: "Training") -> None:
    """See that a checkpoint can hold the state of each callback, which has begun by now.

    Raises TypeError, naming the callback; and whatever its ``checkpoint_state`` raises.
    """
    if not any(isinstance(callback, Checkpoint) for callback in training.callbacks):
        return
    for _, callback in _with_state(training):
        state = callback.checkpoint_state()
        writer = Writer()
        try:
            text = json.dumps(writer.write(state, "state"))
            Reader(writer.arrays, {}).read(json.loads(text))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"a checkpoint cannot hold what checkpoint_state of {describe(callback)} returns; "
                f"it can be None, numbers, texts, arrays, and lists and dictionaries of these: "
                f"{error}"
            ) from None


def content_of(training: "Training") -> bytes:
    """Return the file from which ``training`` can go on."""
    description, arrays = model_file.described(training.model)
    writer = Writer()
    saved = {
        "model": description,
        "began": training.model_marks,
        "training": writer.write(_state(training), "training"),
    }
    return model_file.content(saved, {**arrays, **writer.arrays})


def _state(training: "Training") -> dict[str, Any]:
    history = training.history
    interrupted = None
    if not training.between_epochs:
        interrupted = {"chance": training.chance, "sums": asdict(training.sums)}
    return {
        "epoch": training.epoch,
        "batch": training.batch,
        "interrupted": interrupted,
        "settings": _settings(training),
        "history": {name: np.array(getattr(history, name), float) for name in history.names()},
        "chance": rng.rng_state(),
        **model_file.remembered(training.model),
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
                yield name, "none" if array is None else _mark(array)


def _model_marks(model: Supervised) -> dict[str, Any]:
    """The description of ``model``, and by what the arrays in it can be known again."""
    description, arrays = model_file.described(model)
    names = arrays.keys() - model_file.stored(model).keys()
    marks = {name: _mark(arrays[name]) for name in sorted(names)}
    # As it comes back from a file, with lists for tuples.
    found: dict[str, Any] = json.loads(json.dumps({**description, "arrays": marks}))
    return found


def _mark(array: Array, rows_at_once: int = 4096) -> str:
    """By what ``array`` can be known again, read a few rows at a time."""
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    array = np.atleast_1d(array)
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
        description, self.arrays = model_file.read(path)
        if "training" not in description:
            raise ValueError("it has no training to go on with: Checkpoint writes such files")
        self.model, self.began = description["model"], description["began"]
        self.state = Reader(self.arrays, {}).read(description["training"])
        self._check_model(training)
        self._check_settings(training)
        self._check_state(training)

    def _check_settings(self, training: "Training") -> None:
        settings = _settings(training)
        if ("shuffle" in settings) != ("shuffle" in self.state["settings"]):
            there, here = "batches that were given", "the arrays X and y"
            if "shuffle" not in settings:
                there, here = here, there
            raise ValueError(f"its training was on {there}, and this one is on {here}")
        for name, value in settings.items():
            found = self.state["settings"][name]
            if found != value:
                shown = "" if isinstance(value, str) else f": {found!r} there, {value!r} here"
                raise ValueError(f"its training was with another {name}{shown}")

    def _check_model(self, training: "Training") -> None:
        """Compare the model with what it was as training began, or as it is in the file."""
        last = self._model_marks()
        if _difference(last, training.model_marks) is None:
            return
        if difference := _difference(self.began, training.model_marks):
            raise ValueError(difference)
        for name, mark in self.began["arrays"].items():
            if last["arrays"].get(name) != mark:
                raise ValueError(f"{name} was changed during its training; arrays are not set back")
        self._model(training)  # raises if it cannot be made

    def _model_marks(self) -> dict[str, Any]:
        """Those of the model in the file, as its training left it."""
        names = [name for name in self.arrays if not name.startswith(("layers.", "training."))]
        return {**self.model, "arrays": {name: _mark(self.arrays[name]) for name in names}}

    def _model(self, training: "Training") -> Supervised:
        """Return the model in the file, made of the same classes as that of ``training``."""

        writer = Writer()
        model_file.described(training.model, writer)
        return model_file.model_of(Supervised, self.model, Reader(self.arrays, writer.own))

    def _check_state(self, training: "Training") -> None:
        state = self.state
        check_count("epoch", state["epoch"])
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
        rng.check_rng_state(state["chance"])
        if interrupted:
            rng.check_rng_state(interrupted["chance"])
            if interrupted["sums"].keys() != asdict(training.sums).keys():
                raise ValueError("it has no sums of the epoch that was interrupted")
            for name, number in interrupted["sums"].items():
                check_number(name, number)
        if not isinstance(state["callbacks"], dict):
            raise ValueError("its states of callbacks are none")
        model_file.check_remembered(training.model, state)

    def restore(self, training: "Training") -> None:
        """Make ``training`` what it was.

        Raises SavedFileError if that does not work, and what the ``resume`` of a callback of the
        user's own raises. The model is as it was before then.
        """
        model = training.model
        before, chance = RestorePoint(model), rng.rng_state()
        before.take()
        arguments: list[Argument] = []
        learned = model_file.learned_by(model.accuracy)
        try:
            with model_file.errors_naming(self.path):
                self._restore_model(training, arguments)
                self._restore_progress(training)
            for name, callback in _with_state(training):
                if name in self.state["callbacks"]:
                    self._resume(callback, training, self.state["callbacks"][name])
        except BaseException:
            for owner, name, value in reversed(arguments):
                setattr(owner, name, value)
            model_file.set_learned(model.accuracy, learned)
            before.restore()
            rng.set_rng_state(chance)
            raise
        # Last, since callbacks may have drawn from them.
        rng.set_rng_state(self.state["chance"])

    def _restore_model(self, training: "Training", replaced: list[Argument]) -> None:
        state, model = self.state, training.model
        model_file.set_stored(model_file.stored(model), self.arrays)
        model_file.set_learned(model.accuracy, self.model["learned_by_accuracy"])
        self._set_arguments(training, replaced)
        model_file.set_remembered(model, state)

    def _set_arguments(self, training: "Training", replaced: list[Argument]) -> None:
        """Set what callbacks had changed, such as the learning rate, and note what it replaces."""
        last, here = self._model_marks(), _model_marks(training.model)
        if _difference(last, here) is None:
            return
        saved = self._model(training)
        owners = zip(training.model.layers, saved.layers, strict=True)
        descriptions = zip(self.model["operations"], here["operations"], strict=True)
        for (owner, source), (there, now) in zip(owners, descriptions, strict=True):
            _set_arguments(owner, source, there, now, replaced)
        for part in model_file.PARTS:
            if here[part] is not None:
                owner, source = getattr(training.model, part), getattr(saved, part)
                _set_arguments(owner, source, self.model[part], here[part], replaced)
        if difference := _difference(last, _model_marks(training.model)):
            raise ValueError(difference)

    def _restore_progress(self, training: "Training") -> None:
        state = self.state
        training.model_marks = self.began
        training.epoch, training.batch = state["epoch"], state["batch"]
        for name, figures in state["history"].items():
            getattr(training.history, name)[:] = figures.tolist()
        if state["interrupted"]:
            training.chance = state["interrupted"]["chance"]
            training.sums = type(training.sums)(**state["interrupted"]["sums"])
            training.went_on_at = (training.epoch, training.batch)

    def _resume(self, callback: Any, training: "Training", state: dict[str, Any]) -> None:
        # What a callback of the user's own raises comes out as it is: it knows its state best.
        if callback.resume.__module__.startswith("framework."):
            with model_file.errors_naming(self.path):
                callback.resume(training, state)
        else:
            callback.resume(training, state)


def _set_arguments(owner: Any, saved: Any, there: Any, here: Any, replaced: list[Argument]) -> None:
    """Give ``owner`` the arguments of ``saved`` in which their descriptions differ.

    Raises ValueError if it has to be of another class, or does not keep such an argument.
    """
    if there is None or there["class"] != here["class"]:
        raise ValueError(f"in place of {_text(here)}, it was trained with {_text(there)} at last")
    for name, argument in there["arguments"].items():
        now = here["arguments"].get(name)
        if argument == now:
            continue
        try:
            old, new = getattr(owner, name), getattr(saved, name)
            if _class_of(argument) == _class_of(now) is not None:
                _set_arguments(old, new, argument, now, replaced)
            else:
                setattr(owner, name, new)
                replaced.append((owner, name, old))
        except AttributeError as error:
            raise ValueError(
                f"{name} of {_text(here)} was {_text(argument)} at last, and cannot be set: {error}"
            ) from None


def _class_of(description: Any) -> Any:
    return description.get("class") if isinstance(description, dict) else None


def _difference(there: Any, here: Any) -> str | None:
    """In what two models, as ``_model_marks`` has them, differ; None if in nothing that counts."""
    for name in ("dtype", *model_file.PARTS):
        if there[name] != here[name]:
            return (
                f"its model has another {name}: {_text(there[name])} there, "
                f"{_text(here[name])} here"
            )
    operations, ours = there["operations"], here["operations"]
    if len(operations) != len(ours):
        return f"its model has {len(operations)} operations, and this one {len(ours)}"
    for position, (one, other) in enumerate(zip(operations, ours, strict=True), 1):
        if one != other:
            return (
                f"operation {position} of its model is {_text(one)}, and here it is {_text(other)}"
            )
    for name, mark in here["arrays"].items():
        if there["arrays"].get(name) != mark:
            return f"its model has another array {name}"
    return None


def _text(value: Any) -> str:
    """A description in the words of Python."""
    if not isinstance(value, dict) or "class" not in value:
        return repr(value)
    arguments = ", ".join(f"{name}={_text(item)}" for name, item in value["arguments"].items())
    return f"{value['class'].rpartition('.')[2]}({arguments})"
