"""Goes on with the training in a checkpoint: reads the file, compares, restores."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from framework.checks import check_count, check_non_negative, check_number, check_positive
from framework.containers.container import Container
from framework.containers.supervised import Supervised
from framework.data.sample_weights import WeightsSeen
from framework.saving import file_format, model_file, optimizer_state
from framework.saving.file_format import FilePath
from framework.saving.format_1 import ACCURACY_STATE, INITIAL, RNG_STATE, SUMS
from framework.saving.optimizer_state import LARGEST_COUNT
from framework.saving.serialization import Deserializer, Serializer
from framework.training.checkpoint import callbacks_with_state, checkpoints_of
from framework.training.epoch_sums import EpochSums
from framework.training.fingerprint import (
    as_text,
    check_settings,
    difference,
    model_fingerprint,
    saved_model_fingerprint,
)
from framework.training.history import History
from framework.training.snapshot import Snapshot
from framework.training.state import Training
from framework.utils import rng

# An object that keeps an argument in an attribute, the attribute's name, and its value.
Argument: TypeAlias = tuple[Any, str, Any]

# The lists of a history that have a number for every epoch of every model.
ALWAYS_MEASURED = ("loss", "data_loss", "regularization_loss", "learning_rate", "seconds")


def saved_training(training: Training, resume_from: FilePath | None) -> SavedTraining | None:
    """Return the checkpoint that ``training`` resumes from, or None if it begins anew.

    It begins anew if there is no such file yet, but one of its checkpoints will write it.

    Raises:
        OSError: the file cannot be read.
        SavedFileError: it is damaged, or of another training.
    """
    if resume_from is None:
        return None
    own = {os.path.realpath(checkpoint.path) for checkpoint in checkpoints_of(training)}
    if not os.path.exists(resume_from) and os.path.realpath(resume_from) in own:
        return None
    with file_format.saved_file_errors(resume_from):
        return SavedTraining(training, resume_from)


class SavedTraining:
    """The training in a checkpoint.

    Args:
        training: the training that is to be resumed, which must fit; it is not changed yet.
        path: the file.

    Attributes:
        model: the serialized model, as training left it.
        initial: the fingerprint of the model when training began.
        arrays, state: the arrays of the file, and the state of the training.

    Raises OSError, and errors of many types for a file that does not fit: use it inside
    ``saved_file_errors``.
    """

    def __init__(self, training: Training, path: FilePath) -> None:
        self.path = path
        contents, self.arrays = file_format.read(path)
        if "training" not in contents:
            raise ValueError("it has no training to go on with: Checkpoint writes such files")
        self.model, self.initial = contents["model"], contents[INITIAL]
        self.state = Deserializer(self.arrays, {}).deserialize(contents["training"])
        self._check_model(training)
        check_settings(self.state["settings"], training)
        self._check_state(training)

    def restore(self, training: Training) -> None:
        """Restore ``training`` to the state in the checkpoint.

        Raises SavedFileError if that fails, and any error of a user callback's ``resume``. The
        model is as it was before then.
        """
        model = training.model
        before, rng_state = Snapshot(model), rng.rng_state()
        before.take()
        replaced: list[Argument] = []
        accuracy_state = optimizer_state.accuracy_state(model.accuracy)
        try:
            with file_format.saved_file_errors(self.path):
                self._restore_model(training, replaced)
                self._restore_progress(training)
            for name, callback in callbacks_with_state(training):
                if name in self.state["callbacks"]:
                    self._resume(callback, training, self.state["callbacks"][name])
        except BaseException:
            for owner, name, value in reversed(replaced):
                setattr(owner, name, value)
            optimizer_state.set_accuracy_state(model.accuracy, accuracy_state)
            before.restore()
            rng.set_rng_state(rng_state)
            raise
        # Last, since callbacks may have drawn random numbers.
        rng.set_rng_state(self.state[RNG_STATE])

    # Checks

    def _check_model(self, training: Training) -> None:
        """Raise ValueError unless the model is as it is in the file, or as training began."""
        last = saved_model_fingerprint(self.model, self.arrays)
        if difference(last, training.model_fingerprint) is None:
            return
        if found := difference(self.initial, training.model_fingerprint):
            raise ValueError(found)
        for name, fingerprint in self.initial["arrays"].items():
            if last["arrays"].get(name) != fingerprint:
                raise ValueError(f"{name} was changed during its training; arrays are not set back")
        self._model(training)  # raises if it cannot be made

    def _model(self, training: Training) -> Supervised:
        """Return the model in the file, made of the same classes as that of ``training``."""
        serializer = Serializer()
        model_file.serialize_model(training.model, serializer)
        return model_file.deserialize_model(
            Supervised,
            self.model,
            Deserializer(self.arrays, serializer.custom),
            training.model.metrics,
        )

    def _check_state(self, training: Training) -> None:
        state = self.state
        check_count("epoch", state["epoch"])
        interrupted = state["interrupted"]
        batches = training.batches or LARGEST_COUNT
        if not 1 <= check_count("batch", state["batch"]) <= batches:
            raise ValueError(f"it ends after batch {state['batch']} of {batches}")
        metrics = [training.metric_column(name) for name in training.model.metrics]
        if state["history"].keys() != {*History.names(), *metrics}:
            raise ValueError("the history is not valid")
        epochs = state["epoch"] - bool(interrupted)
        for name, values in state["history"].items():
            lengths = [epochs] if name in (*ALWAYS_MEASURED, *metrics) else [0, epochs]
            if values.shape not in [(length,) for length in lengths] or values.dtype != float:
                raise ValueError(f"the history does not have {epochs} epochs")
        self.weights_seen = _weights_seen(state)
        rng.check_rng_state(state[RNG_STATE])
        if interrupted:
            rng.check_rng_state(interrupted[RNG_STATE])
            if interrupted["sums"].keys() != set(SUMS.values()):
                raise ValueError("it has no sums of the epoch that was interrupted")
            for name, number in interrupted["sums"].items():
                check_number(name, number)
            check_positive("total_weight", interrupted["sums"][SUMS["total_weight"]])
        if not isinstance(state["callbacks"], dict):
            raise ValueError("the states of the callbacks are not valid")
        optimizer_state.check_optimizer_state(training.model, state)

    # Restoring

    def _restore_model(self, training: Training, replaced: list[Argument]) -> None:
        state, model = self.state, training.model
        model_file.load_state_dict(model_file.state_dict(model), self.arrays)
        optimizer_state.set_accuracy_state(model.accuracy, self.model[ACCURACY_STATE])
        self._set_arguments(training, replaced)
        optimizer_state.set_optimizer_state(model, state)

    def _set_arguments(self, training: Training, replaced: list[Argument]) -> None:
        """Set arguments that callbacks had changed, such as the learning rate.

        The old arguments are appended to ``replaced``.
        """
        last = saved_model_fingerprint(self.model, self.arrays)
        current = model_fingerprint(training.model)
        if difference(last, current) is None:
            return
        saved = self._model(training)
        owners = zip(training.model.layers, saved.layers, strict=True)
        operations = zip(self.model["operations"], current["operations"], strict=True)
        for (owner, source), (there, here) in zip(owners, operations, strict=True):
            _set_arguments(owner, source, there, here, replaced)
        for part in model_file.PARTS:
            if current[part] is not None:
                owner, source = getattr(training.model, part), getattr(saved, part)
                _set_arguments(owner, source, self.model[part], current[part], replaced)
        if found := difference(last, model_fingerprint(training.model)):
            raise ValueError(found)

    def _restore_progress(self, training: Training) -> None:
        state = self.state
        training.model_fingerprint = self.initial
        training.epoch, training.batch = state["epoch"], state["batch"]
        training.weights_seen = self.weights_seen
        for name, values in state["history"].items():
            getattr(training.history, name)[:] = values.tolist()
        if interrupted := state["interrupted"]:
            training.rng_state = interrupted[RNG_STATE]
            sums = interrupted["sums"]
            training.sums = EpochSums(**{name: sums[saved] for name, saved in SUMS.items()})
            training.resumed_at = (training.epoch, training.batch)

    def _resume(self, callback: Any, training: Training, state: dict[str, Any]) -> None:
        # An error of a user's callback is passed on as it is: it knows its state best.
        if callback.resume.__module__.startswith("framework."):
            with file_format.saved_file_errors(self.path):
                callback.resume(training, state)
        else:
            callback.resume(training, state)


def _weights_seen(state: dict[str, Any]) -> WeightsSeen:
    # Files of version 0.1.0 have none.
    saved = state.get("weights_seen", {"total": 0.0, "samples": 0})
    return WeightsSeen(
        check_non_negative("total", saved["total"]),
        check_count("samples", saved["samples"], minimum=0),
    )


def _set_arguments(owner: Any, saved: Any, there: Any, here: Any, replaced: list[Argument]) -> None:
    """Give ``owner`` the arguments of ``saved`` where their serialized forms differ.

    Raises ValueError if it had to be of another class, or has no attribute of such a name.
    """
    if there is None or there["class"] != here["class"]:
        raise ValueError(f"its training ended with {as_text(there)} in place of {as_text(here)}")
    for name, argument in there["arguments"].items():
        current = here["arguments"].get(name)
        if argument == current:
            continue
        try:
            old, new = _argument(owner, name), _argument(saved, name)
            if _class_of(argument) == _class_of(current) is not None:
                _set_arguments(old, new, argument, current, replaced)
            elif isinstance(owner, Container) and _are_objects(argument, current):
                for each in zip(old, new, argument, current, strict=True):
                    _set_arguments(*each, replaced)
            else:
                setattr(owner, name, new)
                replaced.append((owner, name, old))
        except AttributeError as error:
            raise ValueError(
                f"its training ended with {name}={as_text(argument)} of {as_text(here)}, which "
                f"cannot be set: {error}"
            ) from None


def _argument(owner: Any, name: str) -> Any:
    """Return a constructor argument; of a container, with the very operations that it has."""
    return owner.configuration()[name] if isinstance(owner, Container) else getattr(owner, name)


def _are_objects(argument: Any, current: Any) -> bool:
    """Whether both are lists of as many serialized objects, such as a container's operations."""
    if not isinstance(argument, list) or not isinstance(current, list):
        return False
    return len(argument) == len(current) and all(map(_class_of, [*argument, *current]))


def _class_of(serialized: Any) -> Any:
    return serialized.get("class") if isinstance(serialized, dict) else None
