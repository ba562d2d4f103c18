"""The files of checkpoints: their names and places, and disks on which they cannot be written."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    Callback,
    Checkpoint,
    Model,
    Training,
    metrics,
)
from optimizers import Adam
from tests.framework.training.checkpoints import Jitter, X_val, assert_same, classifier, run, y_val


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
def test_without_the_metric_there_is_no_best_and_keep_may_be_0(
    best: str | None, tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path / "run", keep=0, best=best)
    run(classifier(), epochs=2, validation_data=None, callbacks=[checkpoint])
    assert os.listdir(tmp_path) == ["run"]


def test_the_best_epoch_is_known_after_resuming(tmp_path: Path) -> None:
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


def test_leftovers_of_killed_processes_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    left = [".run.0123456789abcdef", ".run.best.fedcba9876543210"]
    others = [".run.notes", ".running.0123456789abcdef", "run.0123456789abcdef"]
    for name in left + others:
        (tmp_path / name).write_bytes(b"half")
    run(classifier(), epochs=1, callbacks=[Checkpoint(tmp_path / "run", keep=0, best=None)])
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "run"])


def test_a_missing_folder_is_refused_before_training(tmp_path: Path) -> None:
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
def test_a_name_that_is_too_long_is_refused_before_training(
    length: int, fits: bool, tmp_path: Path
) -> None:
    callbacks = [Checkpoint(tmp_path / ("a" * length))]
    model = classifier()
    before = model.parameters.weights.copy()
    if fits:
        run(model, epochs=9, callbacks=callbacks)
        assert len(os.listdir(tmp_path)) == 5
        return
    with pytest.raises(OSError, match="too long, with the characters added for the temporary file"):
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
        ({"mode": "best"}, "mode must be 'min', 'max' or None, received 'best'"),
    ):
        with pytest.raises(ValueError, match=message):
            Checkpoint(tmp_path / "run", **options)  # type: ignore[arg-type]


def test_a_best_metric_that_no_training_records_is_refused_before_the_first_epoch(
    tmp_path: Path,
) -> None:
    model = classifier()
    before = model.get_parameters()
    model.set(metrics={"f1": metrics.f1})
    with pytest.raises(ValueError, match=r"best must be one of loss, .* f1, val_f1, received 'f2'"):
        run(model, callbacks=[Checkpoint(tmp_path / "run", best="f2")])
    assert os.listdir(tmp_path) == []
    for ours, old in zip(model.get_parameters(), before, strict=True):
        for one, other in zip(ours, old, strict=True):
            np.testing.assert_array_equal(one, other)


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
