"""A training that is resumed from a checkpoint equals the training that never stopped."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
import optimizers
from framework import (
    Checkpoint,
    Dense,
    DivergenceError,
    History,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    ReLU,
    SavedFileError,
    Training,
)
from framework.utils import rng
from framework.utils.exports import exported
from optimizers import SGD, Adam, Optimizer, schedules
from tests.framework.training.checkpoints import (
    WEIGHTS,
    Killed,
    StopAt,
    X,
    X_val,
    ask,
    assert_same,
    classifier,
    ctrl_c,
    kill,
    run,
    y,
    y_val,
)
from tests.strategies import Array


@pytest.mark.parametrize(
    "optimizer",
    [
        *(cls(0.02, decay=0.01) for cls in exported(optimizers, Optimizer).values()),
        SGD(0.1, momentum=0.9, nesterov=True, max_gradient_norm=1.0),
        Adam(schedules.LinearWarmup(10, then=0.02)),
    ],
    ids=repr,
)
def test_training_in_two_parts_equals_training_in_one(optimizer: Optimizer, tmp_path: Path) -> None:
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
def test_a_training_interrupted_anywhere_is_resumed_as_if_it_had_never_stopped(
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
def test_resuming_works_with_any_way_of_training(options: dict[str, Any], tmp_path: Path) -> None:
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
def test_a_loader_that_draws_its_order_is_resumed(stop: tuple[int, int], tmp_path: Path) -> None:
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
def test_a_loader_is_resumed_with_the_next_batch(where: tuple[int, int], tmp_path: Path) -> None:
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


def test_the_state_of_an_accuracy_and_memory_mapped_data_are_resumed(tmp_path: Path) -> None:
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


class Accelerating(Optimizer):
    """Keeps a number in its state."""

    def update(self, parameter: Array, gradient: Array, state: Any) -> None:
        speed = state.get("speed", np.array([1.0]))
        state["speed"] = speed * 1.1
        parameter -= self.current_learning_rate * speed[0] * gradient


def test_an_optimizer_that_keeps_one_element_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    whole = classifier(Accelerating(0.01))
    history = run(whole)
    run(classifier(Accelerating(0.01)), epochs=2, callbacks=[Checkpoint(path)])
    model = classifier(Accelerating(0.01))
    assert_same(model, run(model, resume_from=path), whole, history)


def test_a_divergence_in_the_resumed_epoch_restores_the_checkpoint(
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
