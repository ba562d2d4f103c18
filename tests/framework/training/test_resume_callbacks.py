"""Callbacks of a training that is resumed: their states, and the arguments that they changed."""

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    Dropout,
    EarlyStopping,
    Model,
    Residual,
    SavedFileError,
    Sequential,
    Softmax,
    Training,
)
from framework.saving import file_format
from framework.utils import rng
from optimizers import SGD, Adam
from tests.framework.training.checkpoints import (
    Halves,
    StopAt,
    X,
    ask,
    assert_same,
    classifier,
    ctrl_c,
    run,
    y,
)
from tests.strategies import Array


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("monitor", ["accuracy", "val_f1"])
@pytest.mark.parametrize("stop", [(2, 2), (4, 4), (5, 1)])
def test_early_stopping_is_resumed(
    stop: tuple[int, int], monitor: str, restore_best: bool, tmp_path: Path
) -> None:
    def stopping() -> EarlyStopping:
        return EarlyStopping(monitor, patience=2, restore_best=restore_best, min_delta=0.02)

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


def test_data_that_a_callback_changes_in_place_keep_their_fingerprint(tmp_path: Path) -> None:
    class Varies(Callback):
        def on_train_begin(self, training: Training) -> None:
            training.data.X[...] += 1

    path = tmp_path / "run"
    for epochs in (1, 2):
        data = X.astype(np.float32)
        options: dict[str, Any] = {"callbacks": [Varies(), Checkpoint(path)], "progress": False}
        history = classifier().train(data, y, epochs=epochs, resume_from=path, **options)
    assert len(history) == 2


def test_arguments_that_a_callback_changed_are_restored(tmp_path: Path) -> None:
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


class Changes(Callback):
    """Changes an argument of an operation inside another, after the second epoch."""

    def on_epoch_end(self, training: Training) -> None:
        inside = training.model.layers[1]
        inner = inside.layers[0] if isinstance(inside, Sequential) else inside.operations[0]
        if training.epoch == 2:
            inner.rate = 0.1


@pytest.mark.parametrize(
    "around", [lambda *inside: Sequential(inside), lambda *inside: Residual(inside)]
)
def test_so_they_are_for_operations_inside_a_container(
    around: Callable[..., Any], tmp_path: Path
) -> None:
    def nested() -> Model:
        framework.seed(5)
        model = Model([Dense(2, 6), around(Dropout(0.5), Dense(6, 6)), Dense(6, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
        model.finalize()
        return model

    path = tmp_path / "run"
    whole = nested()
    history = run(whole, callbacks=[Changes()])
    for again in (nested(), nested()):
        stopped = [Changes(), StopAt(4, 2, ask), Checkpoint(path)]
        run(again, callbacks=stopped, resume_from=path)
        resumed = run(again, callbacks=[Changes()], resume_from=path)
        assert_same(again, resumed, whole, history)


def test_a_learning_rate_that_a_callback_sets_at_the_beginning_is_not_set_again(
    tmp_path: Path,
) -> None:
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
def test_a_change_that_cannot_be_restored_is_refused(what: str, tmp_path: Path) -> None:
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


def item(*path: str, value: Any) -> Callable[[Any, Any], None]:
    def change(description: Any, arrays: Any) -> None:
        container = description["training"]["dict"]
        for name in path[:-1]:
            container = container[name]["dict"]
        container[path[-1]] = value

    return change


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
        description, arrays = file_format.read(path)
        item("callbacks", "EarlyStopping 0", "best", value="text")(description, arrays)
        path.write_bytes(file_format.encode(description, arrays))
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


def test_a_state_with_any_names_is_resumed(tmp_path: Path) -> None:
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
        ({1: "one"}, "state.state: .* cannot be saved: its keys must be strings"),
        ({"set": {1, 2}}, r"state.state.set: \{1, 2\} cannot be saved$"),
        (np.random.default_rng(0), "state.state: "),
        (ctrl_c, "it has 'ctrl_c'"),
    ],
)
def test_a_state_that_cannot_be_saved_is_refused_before_training(
    state: Any, message: str, tmp_path: Path
) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(TypeError, match=message) as raised:
        run(model, callbacks=[Checkpoint(tmp_path / "run"), Keeps(state)])
    assert "a checkpoint cannot hold the checkpoint_state of" in str(raised.value)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert os.listdir(tmp_path) == []
    run(model, epochs=1, callbacks=[Keeps(state)])  # which is nobody's concern
