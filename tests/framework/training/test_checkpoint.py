"""Checkpoints: a training that goes on is the training that never stopped."""

import contextlib
import copy
import os
import random
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    DivergenceError,
    Dropout,
    EarlyStopping,
    History,
    MeanSquaredError,
    Model,
    Operation,
    RegressionAccuracy,
    ReLU,
    SavedFileError,
    Softmax,
    Training,
)
from framework.saving import model_file
from framework.utils import rng
from optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, schedules
from tests.framework.test_saving import STRANGE, places
from tests.strategies import Array

chance = np.random.default_rng(0)
X = chance.normal(size=(50, 2))
y = (X[:, 0] * X[:, 1] > 0) + (X[:, 0] > 1)
WEIGHTS = chance.uniform(0.5, 2, size=50)
X_val = chance.normal(size=(20, 2))
y_val = (X_val[:, 0] * X_val[:, 1] > 0) + (X_val[:, 0] > 1)


class Jitter(Operation):
    """Draws from NumPy's global generator, as an operation of one's own may."""

    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.factors = np.random.normal(1, 0.1, inputs.shape) if training else 1.0
        self.output = inputs * self.factors
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues * self.factors
        return self.dinputs


def classifier(optimizer: Optimizer | None = None, *, width: int = 6) -> Model:
    framework.seed(5)
    np.random.seed(5)
    model = Model(
        [
            *(Dense(2, width, weight_regularizer_l2=0.01), BatchNormalization(width), ReLU()),
            *(Dropout(0.3), Jitter(), Dense(width, 3), Softmax()),
        ]
    )
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=copy.deepcopy(optimizer) or Adam(schedules.CosineDecay(0.05, steps=30)),
        accuracy=CategoricalAccuracy(),
    )
    model.finalize()
    return model


def run(model: Model, epochs: int = 6, **options: Any) -> History:
    usual: dict[str, Any] = {
        "batch_size": 16,
        "validation_data": (X_val, y_val),
        "sample_weight": WEIGHTS,
        "progress": False,
    }
    return model.train(X, y, epochs=epochs, **{**usual, **options})


def assert_same(model: Model, history: History, other: Model, other_history: History) -> None:
    for one, array in zip(model.stored_arrays(), other.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array, strict=True)
    for name in set(History.names()) - {"seconds"}:
        assert getattr(history, name) == getattr(other_history, name), name
    assert history.stopped == other_history.stopped
    assert len(history.seconds) == len(history)


class StopAt(Callback):
    def __init__(self, epoch: int, batch: int, how: Callable[[Training], None]) -> None:
        self.epoch, self.batch, self.how = epoch, batch, how

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == (self.epoch, self.batch):
            self.how(training)


class Killed(Exception):
    pass


def ctrl_c(training: Training) -> None:
    signal.raise_signal(signal.SIGINT)


def ask(training: Training) -> None:
    training.stop("enough for now")


def kill(training: Training) -> None:
    raise Killed


# Going on


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1, decay=0.01),
        SGD(0.1, momentum=0.9, nesterov=True, max_gradient_norm=1.0),
        Adagrad(0.1),
        RMSprop(0.01),
        Adam(schedules.LinearWarmup(10, then=0.02)),
        AdamW(0.01),
    ],
    ids=repr,
)
def test_what_is_trained_in_two_parts_is_the_same_as_in_one(
    optimizer: Optimizer, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = classifier(optimizer)
    history = run(whole)
    run(classifier(optimizer), epochs=2, callbacks=[Checkpoint(path)])
    framework.seed(99)
    np.random.seed(99)
    parts = classifier(optimizer)
    framework.seed(99)
    assert_same(parts, run(parts, resume_from=path), whole, history)


@pytest.mark.parametrize("how", [ctrl_c, ask, kill])
@pytest.mark.parametrize(("epoch", "batch"), [(1, 1), (2, 3), (3, 4), (6, 2)])
def test_a_training_that_was_interrupted_anywhere_goes_on_as_if_it_had_not_been(
    how: Any, epoch: int, batch: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    whole = classifier()
    history = run(whole)
    model = classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of Ctrl-C
        with contextlib.suppress(Killed):
            run(model, callbacks=[Checkpoint(path), StopAt(epoch, batch, how)])
    if how is kill and epoch == 1:
        assert os.listdir(tmp_path) == []
    model = classifier()
    resumed = run(model, resume_from=path, callbacks=[Checkpoint(path)])
    assert_same(model, resumed, whole, history)
    # And once more, from the end.
    model = classifier()
    assert_same(model, run(model, resume_from=path), whole, history)


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": False, "validation_data": None},
        {"batch_size": None},
        {"batch_size": 7, "validation_data": None, "validation_split": 0.3},
        {"sample_weight": None, "validation_data": (X_val, y_val, WEIGHTS[:20])},
    ],
    ids=repr,
)
def test_however_it_is_trained(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "run"
    whole = classifier()
    history = run(whole, **options)
    model = classifier()
    for epoch in (2, 4):
        stop = StopAt(epoch, 1, ask)
        checkpoint = Checkpoint(path, best="accuracy")
        run(model, callbacks=[stop, checkpoint], resume_from=path, **options)
        model = classifier()
    assert_same(model, run(model, resume_from=path, **options), whole, history)


class Loader:
    """Gives batches in an order that it draws, as data loaders do."""

    def __init__(self, size: int = 20) -> None:
        self.size = size

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        order = rng.generator().permutation(50)
        for start in range(0, 50, self.size):
            rows = order[start : start + self.size]
            yield X[rows], y[rows]


@pytest.mark.parametrize("stop", [(1, 2), (3, 1), (3, 3)])
def test_batches_that_come_from_elsewhere_go_on(stop: tuple[int, int], tmp_path: Path) -> None:
    def go(model: Model, **options: Any) -> History:
        validation = [(X_val[:10], y_val[:10]), (X_val[10:], y_val[10:])]
        data = iter_anew(validation)
        return model.train(Loader(), epochs=4, progress=False, validation_data=data, **options)

    path = tmp_path / "run"
    whole = classifier()
    history = go(whole)
    go(classifier(), callbacks=[StopAt(*stop, ask), Checkpoint(path)])
    model = classifier()
    framework.seed(77)  # so that the order which is drawn first is another
    assert_same(model, go(model, resume_from=path), whole, history)
    with pytest.raises(SavedFileError, match="with another batch_size: 20 there, 10 here"):
        classifier().train(Loader(10), epochs=4, progress=False, resume_from=path)


def iter_anew(batches: list[Any]) -> Any:
    class Again:
        def __iter__(self) -> Iterator[Any]:
            return iter(batches)

    return Again()


def test_arrays_and_batches_that_are_given_are_told_apart(tmp_path: Path) -> None:
    for name, data in (("stream", (Loader(),)), ("arrays", (X, y))):
        checkpoint = Checkpoint(tmp_path / name)
        classifier().train(*data, progress=False, callbacks=[checkpoint])
    for name, data, there, here in (
        ("stream", (X, y), "batches that were given", "the arrays X and y"),
        ("arrays", (Loader(),), "the arrays X and y", "batches that were given"),
    ):
        with pytest.raises(SavedFileError, match=f"was on {there}, and this one is on {here}"):
            classifier().train(*data, epochs=2, progress=False, resume_from=tmp_path / name)


@pytest.mark.parametrize("where", [(1, 2), (2, 3), (2, 4)])
def test_batches_that_are_given_go_on_with_the_next(where: tuple[int, int], tmp_path: Path) -> None:
    class Loader:
        def __iter__(self) -> Iterator[Any]:
            for start in range(0, 50, 16):
                rows = slice(start, start + 16)
                yield X[rows], y[rows], WEIGHTS[rows]

    def in_batches(model: Model, epochs: int, **options: Any) -> History:
        return model.train(
            Loader(), epochs=epochs, validation_data=Loader(), progress=False, **options
        )

    reference = classifier()
    expected = in_batches(reference, 3)
    path = tmp_path / "run"
    in_batches(classifier(), 3, callbacks=[StopAt(*where, ask), Checkpoint(path)])
    model = classifier()
    history = in_batches(model, 3, resume_from=path)
    assert_same(model, history, reference, expected)


def test_what_an_accuracy_has_learned_and_memory_mapped_data_go_on(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")

    def regressor() -> Model:
        framework.seed(1)
        model = Model([Dense(2, 4), ReLU(), Dense(4, 1)], dtype="float64")
        model.set(loss=MeanSquaredError(), optimizer=Adam(0.01), accuracy=RegressionAccuracy())
        model.finalize()
        return model

    options: dict[str, Any] = {"progress": False, "batch_size": 16}
    whole = regressor()
    history = whole.train(X, X[:, 0], epochs=4, **options)
    model = regressor()
    checkpoint = Checkpoint(tmp_path / "run")
    model.train(mapped, X[:, 0], epochs=2, callbacks=[checkpoint], **options)
    model = regressor()
    resumed = model.train(mapped, X[:, 0], epochs=4, resume_from=tmp_path / "run", **options)
    assert_same(model, resumed, whole, history)
    assert model.accuracy.current_precision == whole.accuracy.current_precision


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("stop", [(2, 2), (4, 4), (5, 1)])
def test_early_stopping_goes_on_too(
    stop: tuple[int, int], restore_best: bool, tmp_path: Path
) -> None:
    def stopping() -> EarlyStopping:
        return EarlyStopping("accuracy", patience=2, restore_best=restore_best, min_delta=0.02)

    path = tmp_path / "run"
    whole = classifier()
    history = run(whole, epochs=60, callbacks=[stopping()])
    model = classifier()
    assert 5 < len(history) < 60
    run(model, epochs=60, callbacks=[stopping(), StopAt(*stop, ask), Checkpoint(path)])
    for _ in range(2):  # the second time, there is nothing left to do
        model = classifier()
        resumed = run(model, epochs=60, callbacks=[Checkpoint(path), stopping()], resume_from=path)
        assert_same(model, resumed, whole, history)


def test_early_stopping_that_was_changed_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first = [EarlyStopping(restore_best=False), Checkpoint(path, best="val_accuracy")]
    run(classifier(), epochs=3, callbacks=first)
    same = EarlyStopping(restore_best=False)
    history = run(classifier(), epochs=4, resume_from=path, callbacks=[same])
    assert same.best == min(history.val_loss)
    for changed in (EarlyStopping(), EarlyStopping("loss", restore_best=False)):
        run(classifier(), epochs=4, resume_from=path, callbacks=[changed])
        assert changed.best_epoch == 4
    checkpoint = Checkpoint(tmp_path / "other")
    run(classifier(), epochs=4, resume_from=path, callbacks=[checkpoint])
    assert checkpoint.best_value == history.val_loss[-1]


def test_a_checkpoint_has_the_epoch_as_all_other_callbacks_leave_it(tmp_path: Path) -> None:
    class Draws(Callback):
        def on_epoch_end(self, training: Training) -> None:
            rng.generator().random(3)
            training.history.val_loss[-1] += 1

    path = tmp_path / "run"
    whole = classifier()
    history = run(whole, callbacks=[Draws()])
    model = classifier()
    run(model, epochs=3, callbacks=[Checkpoint(path), Draws()])
    model = classifier()
    assert_same(model, run(model, callbacks=[Draws()], resume_from=path), whole, history)


def test_data_that_a_callback_varies_are_known_again(tmp_path: Path) -> None:
    class Varies(Callback):
        def on_train_begin(self, training: Training) -> None:
            training.data.X[...] += 1

    path = tmp_path / "run"
    for epochs in (1, 2):
        data = X.astype(np.float32)
        options: dict[str, Any] = {"callbacks": [Varies(), Checkpoint(path)], "progress": False}
        history = classifier().train(data, y, epochs=epochs, resume_from=path, **options)
    assert len(history) == 2


class Halves(Callback):
    """Changes arguments of the model's parts, each in another epoch."""

    def on_epoch_end(self, training: Training) -> None:
        model = training.model
        if training.epoch == 1:
            model.optimizer.learning_rate.initial *= 0.5
        elif training.epoch == 3:
            model.optimizer.learning_rate = 0.01
            model.layers[3].rate = 0.1
        elif training.epoch == 5:
            model.layers[0].weight_regularizer_l2 = 0.0


def test_arguments_that_a_callback_changes_are_changed_after_going_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    whole = classifier()
    history = run(whole, epochs=8, callbacks=[Halves()])
    assert history.learning_rate[4] == 0.01
    for stop in ((2, 2), (4, 1), (5, 3), (6, 4)):
        model = classifier()
        callbacks = [Halves(), StopAt(*stop, ask), Checkpoint(path)]
        run(model, epochs=8, callbacks=callbacks, resume_from=path)
    for again in (classifier(), model):  # the same object goes on too
        resumed = run(again, epochs=8, callbacks=[Halves()], resume_from=path)
        assert_same(again, resumed, whole, history)


def test_a_rate_that_is_set_anew_as_training_begins_does_not_come_back(tmp_path: Path) -> None:
    class WarmsUp(Callback):
        def on_train_begin(self, training: Training) -> None:
            training.model.optimizer.learning_rate = 0.001

        def on_epoch_end(self, training: Training) -> None:
            training.model.optimizer.learning_rate = 0.02

    path = tmp_path / "run"
    whole = classifier(Adam(0.02))
    history = run(whole, callbacks=[WarmsUp()])
    run(classifier(Adam(0.02)), epochs=3, callbacks=[WarmsUp(), Checkpoint(path)])
    model = classifier(Adam(0.02))
    resumed = run(model, callbacks=[WarmsUp()], resume_from=path)
    assert_same(model, resumed, whole, history)


class Weighted(CategoricalCrossentropy):
    def __init__(self, factors: Array) -> None:
        super().__init__()
        self.factors = factors


@pytest.mark.parametrize("what", ["an array", "another optimizer"])
def test_what_cannot_be_set_again_is_said(what: str, tmp_path: Path) -> None:
    class Changes(Callback):
        def on_epoch_end(self, training: Training) -> None:
            if what == "an array":
                training.model.loss.factors[0] += 1
            else:
                training.model.set(optimizer=SGD(0.1))

    def made() -> Model:
        model = classifier()
        model.set(loss=Weighted(np.ones(3)))
        model.finalize()
        return model

    path = tmp_path / "run"
    run(made(), epochs=2, callbacks=[Changes(), Checkpoint(path)])
    model = made()
    before = model.parameters.weights.copy()
    message = {"an array": "loss.factors was changed", "another optimizer": "in place of Adam"}
    with pytest.raises(SavedFileError, match=message[what]):
        run(model, resume_from=path)
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize("ours", [True, False])
def test_a_callback_whose_state_does_not_fit_leaves_the_model_as_it_was(
    ours: bool, tmp_path: Path
) -> None:
    class Own(Callback):
        def checkpoint_state(self) -> dict[str, Any]:
            return {"number": 1}

        def resume(self, training: Training, state: dict[str, Any]) -> None:
            raise LookupError("not the number that I know")

    path = tmp_path / "run"
    callback: Callback = EarlyStopping() if ours else Own()
    run(classifier(), epochs=2, callbacks=[Halves(), callback, Checkpoint(path)])
    if ours:
        description, arrays = model_file.read(path)
        item("callbacks", "EarlyStopping 0", "best", value="text")(description, arrays)
        path.write_bytes(model_file.content(description, arrays))
    model = classifier()
    run(model, epochs=1)  # so that the optimizer remembers something
    memory = copy.deepcopy(model.optimizer.state(model.parameters))
    before = [array.copy() for array in model.stored_arrays()]
    described, state = repr(model.optimizer), rng.rng_state()["ours"]
    error = SavedFileError if ours else LookupError
    with pytest.raises(error, match="text" if ours else "not the number that I know"):
        run(model, resume_from=path, callbacks=[callback])
    for one, array in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array)
    assert (repr(model.optimizer), model.optimizer.iterations) == (described, 4)
    np.testing.assert_equal(model.optimizer.state(model.parameters), memory)
    assert rng.rng_state()["ours"] == state


def test_after_going_on_within_an_epoch_a_divergence_says_what_was_restored(
    tmp_path: Path,
) -> None:
    def spoil(training: Training) -> None:
        training.model.layers[0].weights[...] = np.nan

    path = tmp_path / "run"
    stopped = classifier()
    run(stopped, callbacks=[StopAt(2, 2, ask), Checkpoint(path)])
    model = classifier()
    with pytest.raises(DivergenceError, match="from after batch 2, of the checkpoint, were rest"):
        run(model, resume_from=path, callbacks=[StopAt(2, 3, spoil)])
    np.testing.assert_array_equal(model.parameters.weights, stopped.parameters.weights)
    with pytest.raises(DivergenceError, match="of the last completed epoch were restored"):
        run(classifier(), resume_from=path, callbacks=[StopAt(3, 3, spoil)])


class Keeps(Callback):
    """Has a state that it is given."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def on_train_begin(self, training: Training) -> None:
        self.begun = True

    def checkpoint_state(self) -> dict[str, Any]:
        return {"state": self.state} if self.begun else {}

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        self.state = state["state"]


def test_a_state_of_any_names_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    state = {"a.b": np.ones(2), "a": {"b": np.zeros(3), "b+": np.full(1, 7)}, "a.b+": np.full(4, 5)}
    run(classifier(), epochs=1, callbacks=[Keeps(state), Checkpoint(path)])
    callback = Keeps(None)
    run(classifier(), epochs=2, callbacks=[callback], resume_from=path)
    np.testing.assert_equal(callback.state, state)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.longdouble(1), "state.state: .* cannot be saved: make it a float"),
        (np.ones(2, dtype=np.longdouble), "an array of .* cannot be saved: convert it first"),
        (np.ones(2, dtype=complex), "an array of complex128 cannot be saved"),
        ({1: "one"}, "state.state: .* cannot be saved: its keys must be texts"),
        ({"set": {1, 2}}, r"state.state.set: \{1, 2\} cannot be saved$"),
        (chance, "state.state: "),
        (ctrl_c, "it has 'ctrl_c'"),
    ],
)
def test_a_state_that_cannot_be_saved_is_told_before_training(
    state: Any, message: str, tmp_path: Path
) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(TypeError, match=message) as raised:
        run(model, callbacks=[Checkpoint(tmp_path / "run"), Keeps(state)])
    assert "a checkpoint cannot hold what checkpoint_state of" in str(raised.value)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert os.listdir(tmp_path) == []
    run(model, epochs=1, callbacks=[Keeps(state)])  # which is nobody's concern


class Accelerating(Optimizer):
    """Keeps a number in its state."""

    def update(self, parameter: Array, gradient: Array, state: Any) -> None:
        speed = state.get("speed", np.array([1.0]))
        state["speed"] = speed * 1.1
        parameter -= self.current_learning_rate * speed[0] * gradient


def test_an_optimizer_that_keeps_one_element_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run"
    whole = classifier(Accelerating(0.01))
    history = run(whole)
    run(classifier(Accelerating(0.01)), epochs=2, callbacks=[Checkpoint(path)])
    model = classifier(Accelerating(0.01))
    assert_same(model, run(model, resume_from=path), whole, history)


# Files


def test_the_newest_the_kept_and_the_best_stand_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "run.epoch-two.safetensors").touch()
    (tmp_path / "run.epoch-77.safetensors").touch()  # of an earlier training
    model = classifier()
    path = tmp_path / "run.safetensors"
    history = run(model, epochs=9, callbacks=[Checkpoint(path, every=2, keep=2)])
    names = ["run.best", "run.epoch-8", "run.epoch-9", "run.epoch-two", "run"]
    assert sorted(os.listdir(tmp_path)) == [f"{name}.safetensors" for name in names]
    np.testing.assert_array_equal(
        Model.load(path, custom_operations=[Jitter]).predict(X_val), model.predict(X_val)
    )
    best = Model.load(tmp_path / "run.best.safetensors", custom_operations=[Jitter])
    assert best.evaluate(X_val, y_val)[0] == pytest.approx(min(history.val_loss), rel=1e-5)
    eighth = classifier()
    run(eighth, epochs=8, resume_from=tmp_path / "run.epoch-8.safetensors")
    again = classifier()
    run(again, epochs=8)
    np.testing.assert_array_equal(eighth.parameters.weights, again.parameters.weights)


@pytest.mark.parametrize("best", [None, "val_loss"])
def test_without_a_figure_there_is_no_best_and_keep_may_be_nothing(
    best: str | None, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path / "run", keep=0, best=best)
    run(classifier(), epochs=2, validation_data=None, callbacks=[checkpoint])
    assert os.listdir(tmp_path) == ["run"]


def test_the_best_epoch_is_still_known_after_going_on(tmp_path: Path) -> None:
    for epochs in (3, 8):
        checkpoint = Checkpoint(tmp_path / "run", best="val_accuracy")
        options = {"resume_from": tmp_path / "run", "callbacks": [checkpoint]}
        history = run(classifier(), epochs=epochs, **options)
    assert checkpoint.best_value == max(history.val_accuracy)
    model = classifier()
    model.load_parameters(tmp_path / "run.best")
    assert model.evaluate(X_val, y_val)[1] == pytest.approx(max(history.val_accuracy))


def test_where_there_are_no_hard_links_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    run(classifier(), epochs=3, callbacks=[Checkpoint(tmp_path / "run", keep=2, best=None)])
    assert sorted(os.listdir(tmp_path)) == ["run", "run.epoch-2", "run.epoch-3"]
    assert (tmp_path / "run").read_bytes() == (tmp_path / "run.epoch-3").read_bytes()


def test_a_link_stays_a_link_and_all_files_stand_beside_its_target(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "far" / "target.safetensors")
    run(classifier(), epochs=1, callbacks=[Checkpoint(tmp_path / "run")])
    names = ["target.best", "target.epoch-1", "target"]
    assert sorted(os.listdir(tmp_path / "far")) == [f"{name}.safetensors" for name in names]
    assert (tmp_path / "run").is_symlink()
    assert len(run(classifier(), epochs=2, resume_from=tmp_path / "run")) == 2


def test_what_killed_processes_have_left_is_cleaned_up_and_nothing_else(tmp_path: Path) -> None:
    left = [".run.0123456789abcdef", ".run.best.fedcba9876543210"]
    others = [".run.notes", ".running.0123456789abcdef", "run.0123456789abcdef"]
    for name in left + others:
        (tmp_path / name).write_bytes(b"half")
    run(classifier(), epochs=1, callbacks=[Checkpoint(tmp_path / "run", keep=0, best=None)])
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "run"])


def test_a_folder_that_is_not_there_is_said_before_training(tmp_path: Path) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    for path, error in (
        (tmp_path / "no" / "run", FileNotFoundError),
        (tmp_path, IsADirectoryError),
    ):
        with pytest.raises(error):
            run(model, callbacks=[Checkpoint(path)])
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize(("length", "fits"), [(255, False), (238, False), (225, True)])
def test_a_name_that_is_too_long_is_said_before_training(
    length: int, fits: bool, tmp_path: Path
) -> None:
    callbacks = [Checkpoint(tmp_path / ("a" * length))]
    model = classifier()
    before = model.parameters.weights.copy()
    if fits:
        run(model, epochs=9, callbacks=callbacks)
        assert len(os.listdir(tmp_path)) == 5
        return
    with pytest.raises(OSError, match="too long, with what is added while it is written"):
        run(model, epochs=9, callbacks=callbacks)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("one", "other", "best", "fits"),
    [
        ("run.st", "run.st", None, False),
        ("run.st", "link.st", None, False),
        ("run.st", "run.best.st", "loss", False),
        ("run.st", "run.best.st", None, True),
        ("run.best.st", "run.st", "loss", False),
        ("run.st", "run.epoch-3.st", None, False),
        ("run.st", "run.epoch-x.st", None, True),
        ("run.st", "runs.st", "loss", True),
        ("run.st", "folder/run.st", "loss", True),
    ],
)
def test_checkpoints_that_would_share_a_file_are_refused(
    one: str, other: str, best: str | None, fits: bool, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.st").symlink_to(tmp_path / "run.st")
    callbacks = [Checkpoint(tmp_path / name, best=best) for name in (one, other)]
    if fits:
        assert len(run(classifier(), epochs=1, callbacks=callbacks)) == 1
        return
    with pytest.raises(ValueError, match="two checkpoints need files of their own"):
        run(classifier(), epochs=1, callbacks=callbacks)
    assert sorted(os.listdir(tmp_path)) == ["folder", "link.st"]


def test_arguments_out_of_range_are_refused(tmp_path: Path) -> None:
    for options, message in (
        ({"every": 0}, "every must be at least 1"),
        ({"keep": -1}, "keep must be at least 0"),
        ({"best": "loos"}, "best must be one of loss, .* received 'loos'"),
    ):
        with pytest.raises(ValueError, match=message):
            Checkpoint(tmp_path / "run", **options)  # type: ignore[arg-type]


def test_a_model_that_cannot_be_saved_is_refused_before_training(tmp_path: Path) -> None:
    model = classifier(Adam(lambda iterations: 0.1))
    with pytest.raises(TypeError, match="optimizer.learning_rate: .* has no name: use def"):
        run(model, callbacks=[Checkpoint(tmp_path / "run")])

    class Plain:
        def pre_update_params(self) -> None: ...
        def update_params(self, layer: Any) -> None: ...
        def post_update_params(self) -> None: ...

    model.set(optimizer=Plain())
    with pytest.raises(TypeError, match="needs an optimizer derived from optimizers.Optimizer"):
        run(model, callbacks=[Checkpoint(tmp_path / "run")])
    assert os.listdir(tmp_path) == []


# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for one checkpoint, and not for two."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def wide() -> Model:
    return classifier(Adam(0.01), width=3000)  # a checkpoint of some 250 kB


def test_a_full_disk_leaves_the_checkpoint_before(small_disk: Path) -> None:
    path = small_disk / "run"
    checkpoint = Checkpoint(path, keep=0, best=None)
    with pytest.raises(OSError, match="No space left"):
        run(wide(), callbacks=[checkpoint])
    assert os.listdir(small_disk) == ["run"]
    whole = wide()
    history = run(whole, epochs=2)
    model = wide()
    assert_same(model, run(model, epochs=2, resume_from=path), whole, history)


def test_a_file_that_cannot_be_written_to_the_end_leaves_the_checkpoint_before(
    tmp_path: Path,
) -> None:
    class Fills(Callback):
        def on_epoch_end(self, training: Training) -> None:
            if training.epoch == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(OSError, match="File too large"):
            run(classifier(), callbacks=[Fills(), Checkpoint(tmp_path / "run", keep=0)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(os.listdir(tmp_path)) == ["run", "run.best"]
    whole = classifier()
    history = run(whole, epochs=2)
    model = classifier()
    assert_same(model, run(model, epochs=2, resume_from=tmp_path / "run"), whole, history)


# What does not fit


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 20}, "another batch_size: 16 there, 20 here"),
        ({"shuffle": False}, "another shuffle: True there, False here"),
        ({"sample_weight": None}, "another sample_weight$"),
        ({"sample_weight": WEIGHTS[::-1]}, "another sample_weight$"),
        ({"validation_data": None}, "another X of the validation data"),
        ({"validation_data": (X_val, 2 - y_val)}, "another y of the validation data"),
        ({"validation_data": None, "validation_split": 0.5}, "another number of samples: 50 th"),
        ({"model": classifier(width=7)}, r"operation 1 of its model is Dense\(n_inputs=2, n_neuro"),
        ({"model": classifier(Adam(0.3))}, r"another optimizer: Adam\(learning_rate=CosineDecay\("),
        ({"model": classifier(SGD(0.3))}, r"another optimizer: .* there, SGD\(.* here"),
        ({"X": X + 1}, "its training was with another X$"),
        ({"y": y[::-1]}, "its training was with another y$"),
    ],
)
def test_another_training_is_refused_and_nothing_changes(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=2, callbacks=[Checkpoint(path)])
    options = {"batch_size": 16, "validation_data": (X_val, y_val), "sample_weight": WEIGHTS}
    options |= {"model": classifier(), "X": X, "y": y, **change}
    model, data, targets = (options.pop(name) for name in ("model", "X", "y"))
    before = [array.copy() for array in model.stored_arrays()]
    state = rng.rng_state()["ours"]
    with pytest.raises(SavedFileError, match=message) as raised:
        model.train(data, targets, epochs=4, resume_from=path, progress=False, **options)
    assert str(raised.value).startswith(f"{path}: ")
    assert rng.rng_state()["ours"] == state
    for one, array in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array)


def test_a_model_of_other_operations_is_refused(tmp_path: Path) -> None:
    run(classifier(), epochs=1, callbacks=[Checkpoint(tmp_path / "run")])
    model = classifier()
    model.layers.pop(3)
    model.finalize()
    with pytest.raises(SavedFileError, match="its model has 7 operations, and this one 6"):
        run(model, resume_from=tmp_path / "run")


def test_a_file_that_is_missing_is_a_start_only_for_who_is_going_to_write_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError):
        run(classifier(), resume_from=tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        other = Checkpoint(tmp_path / "other")
        run(classifier(), resume_from=tmp_path / "run", callbacks=[other])
    (tmp_path / "link").symlink_to(tmp_path)
    callbacks = [Checkpoint(tmp_path / "run")]
    model = classifier()
    history = run(model, epochs=2, resume_from=tmp_path / "link" / "run", callbacks=callbacks)
    assert len(history) == 2


def test_a_saved_model_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    classifier().save(tmp_path / "model")
    with pytest.raises(SavedFileError, match="no training to go on with"):
        run(classifier(), resume_from=tmp_path / "model")


def item(*path: str, value: Any) -> Callable[[Any, Any], None]:
    def change(description: Any, arrays: Any) -> None:
        container = description["training"]["dict"]
        for name in path[:-1]:
            container = container[name]["dict"]
        container[path[-1]] = value

    return change


def array(name: str, values: Any) -> Callable[[Any, Any], None]:
    return lambda description, arrays: arrays.update({f"training.{name}": np.asarray(values)})


@pytest.mark.parametrize(
    "change",
    [
        lambda d, a: d.update(training=None),
        lambda d, a: d.update(training={"class": "os.system", "arguments": {}}),
        item("epoch", value=0),
        item("epoch", value=10**12),
        item("batch", value=5),
        item("batch", value=0),
        item("interrupted", value={"dict": {}}),
        item("interrupted", value=None),
        item("interrupted", "sums", value={"dict": {}}),
        item("interrupted", "sums", "amount", value=float("nan")),
        item("interrupted", "chance", value=5),
        item("settings", value={"dict": {}}),
        item("history", value={"dict": {}}),
        item("history", "stopped", value="text"),
        item("iterations", value=-1),
        item("current_learning_rate", value="0.1"),
        item("chance", "ours", "state", "state", value=2**200),
        item("chance", "ours", "bit_generator", value="MT19937"),
        item("chance", "numpys", "state", "pos", value=10**6),
        item("chance", "numpys", "state", "pos", value=-1),
        item("memory", "weights", value=5),
        item("callbacks", value={"dict": {"EarlyStopping 0": {"dict": {}}}}),
        item("callbacks", "EarlyStopping 0", "best", value="text"),
        item("callbacks", "EarlyStopping 0", "best_epoch", value=-1),
        item("callbacks", "EarlyStopping 0", "parameters", value=[]),
        item("callbacks", "Checkpoint 0", "best_figure", value=[1]),
        array("history.loss", np.ones(7)),
        array("history.loss", np.ones(2, dtype=np.float32)),
        array("memory.weights.cache", np.ones(3, dtype=np.float32)),
        item("memory", "weights", "cache", value=5),
        array("chance.numpys.state.key", np.ones(3, dtype=np.uint32)),
    ],
)
def test_a_hostile_checkpoint_is_refused(
    change: Callable[[Any, Any], None], tmp_path: Path
) -> None:
    path = tmp_path / "run"
    callbacks = [StopAt(3, 2, ask), EarlyStopping(patience=5), Checkpoint(path)]
    run(classifier(), callbacks=callbacks)
    description, arrays = model_file.read(path)
    change(description, arrays)
    path.write_bytes(model_file.content(description, arrays))
    with pytest.raises(SavedFileError, match=str(path)):
        run(classifier(), resume_from=path, callbacks=callbacks[1:])


def test_an_error_about_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=1, callbacks=[Checkpoint(path)])
    description, arrays = model_file.read(path)
    del description["training"]["dict"]["epoch"]
    path.write_bytes(model_file.content(description, arrays))
    message = r"run: it does not hold what it should \(KeyError: 'epoch'\)$"
    with pytest.raises(SavedFileError, match=message):
        run(classifier(), resume_from=path)


def test_scrambled_checkpoints_give_one_kind_of_error_or_another_training(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), callbacks=[StopAt(2, 2, ask), EarlyStopping(), Checkpoint(path)])
    description, arrays = model_file.read(path)
    outcomes = set()
    for _ in range(150):
        scrambled = copy.deepcopy(description)
        found = places(scrambled["training"])
        container, key = found[chance.integers(len(found))]
        container[key] = copy.deepcopy(STRANGE[chance.integers(len(STRANGE))])
        path.write_bytes(model_file.content(scrambled, arrays))
        try:
            run(classifier(), epochs=3, resume_from=path, callbacks=[EarlyStopping()])
            outcomes.add("another training")
        except SavedFileError:
            outcomes.add("refused")
    assert outcomes == {"refused", "another training"}


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=1, callbacks=[Checkpoint(path, keep=0)])
    content = path.read_bytes()
    for length in range(0, len(content), 512):
        path.write_bytes(content[:length])
        with pytest.raises(SavedFileError):
            run(classifier(), resume_from=path)
    for position in range(0, len(content), 397):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]
        )
        with pytest.raises(SavedFileError):
            run(classifier(), resume_from=path)


# Killed processes

SCRIPT = """
import sys
import numpy as np
from framework import *
from optimizers import Adam

seed(3)
chance = np.random.default_rng(0)
X = chance.normal(size=(96, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = Model([Dense(2, 16), BatchNormalization(16), ReLU(), Dropout(0.2), Dense(16, 2), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01), accuracy=CategoricalAccuracy())
model.finalize()
checkpoint = Checkpoint("run.safetensors", keep=2)
options = {} if "at once" in sys.argv else {
    "callbacks": [checkpoint], "resume_from": "run.safetensors"
}
print("begin", flush=True)
history = model.train(
    X, y, epochs=1500, batch_size=32, validation_split=0.25, progress=False, **options
)
np.savez(sys.argv[1], *model.get_parameters()[0], *model.get_parameters()[1],
         *model.get_parameters()[2], history.loss, history.val_loss, history.accuracy)
"""


def test_thirty_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, *arguments]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )

    path = tmp_path / "run.safetensors"
    moments = random.Random(0)
    kills, epochs = 0, [0]
    while kills < 30:
        with start("killed") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begin\n"
            try:
                process.wait(moments.uniform(0.0, 0.2))
                path.unlink()  # it came to its end, so it begins again
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        for file in tmp_path.glob("run*"):
            Model.load(file)
        if path.exists():
            epochs.append(len(model_file.read(path)[1]["training.history.loss"]))
    assert max(epochs) > 10
    for arguments in (["resumed"], ["whole", "at once"]):
        with start(*arguments) as process:
            assert process.wait() == 0
    resumed, whole = (np.load(tmp_path / f"{name}.npz") for name in ("resumed", "whole"))
    assert len(whole.files) == 11
    for name in whole.files:
        np.testing.assert_array_equal(resumed[name], whole[name], strict=True)
    names = ["run", "run.best", "run.epoch-1499", "run.epoch-1500"]
    files = {name for name in os.listdir(tmp_path) if "run" in name}
    assert files == {f"{name}.safetensors" for name in names}
