"""``decision_boundary_video``."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import framework
from framework import (
    Callback,
    Dense,
    EarlyStopping,
    Linear,
    MeanSquaredError,
    Model,
    Training,
    plots,
)
from framework.plots.boundaries import SYMBOLS
from optimizers import SGD, Adam
from tests.framework.plots.support import Data


def test_a_gif_shows_the_boundary_before_while_and_after_it_learns(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.gif"
    history = plots.decision_boundary_video(
        model, *spiral, path, epochs=5, every=2, fps=4, resolution=10, progress=False
    )
    assert len(history) == 5
    with Image.open(path) as video:
        assert video.n_frames == 4  # before, after epochs 2 and 4, and at the end
        assert video.info["duration"] == 250
        first = np.asarray(video.convert("RGB"))
        video.seek(3)
        assert (first != np.asarray(video.convert("RGB"))).any()


def test_a_page_has_one_picture_for_each_position_of_its_slider(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.html"
    plots.decision_boundary_video(
        model, *spiral, path, epochs=3, fps=5, resolution=10, progress=False
    )
    page = path.read_text()
    assert len(re.findall(r"frames\[\d+\] = \"data:image/png;base64", page)) == 4
    assert 'type="range"' in page
    assert os.listdir(tmp_path) == ["spiral.html"]


def test_a_page_loads_nothing_from_elsewhere_and_has_text_on_its_buttons(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.HTML"
    plots.decision_boundary_video(
        model, *spiral, path, epochs=1, resolution=5, callbacks=None, progress=False
    )
    page = path.read_text(encoding="utf-8")
    assert "https://" not in page
    assert "http://" not in page
    assert "<link" not in page
    buttons = dict(re.findall(r'<button title="([^"]*)"[^>]*>(.*?)</button>', page, re.DOTALL))
    assert buttons == SYMBOLS


def test_a_video_that_cannot_be_written_leaves_the_old_file(
    model: Model, spiral: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError("no space left")

    path = tmp_path / "v.gif"
    path.write_text("old")
    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        plots.decision_boundary_video(model, *spiral, path, epochs=1, resolution=5, progress=False)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["v.gif"]


def test_a_video_trains_the_model_as_train_does(model: Model, spiral: Data, tmp_path: Path) -> None:
    X, y = spiral
    start = model.get_parameters()
    framework.seed(1)
    model.train(X, y, epochs=3, batch_size=16, progress=False)
    expected = model.parameters.weights.copy()

    model.set_parameters(start)
    model.set(optimizer=Adam(0.02))
    framework.seed(1)
    plots.decision_boundary_video(
        model, X, y, tmp_path / "v.gif", epochs=3, resolution=5, batch_size=16, progress=False
    )
    np.testing.assert_array_equal(model.parameters.weights, expected)


def test_the_last_picture_is_of_the_parameters_that_early_stopping_went_back_to(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    model.set(optimizer=SGD(learning_rate=20.0))  # jumps about, so that some epoch is worse
    stopping = EarlyStopping("loss", patience=1)
    epochs: list[Any] = []

    class Recorder(Callback):
        def on_epoch_end(self, training: Training) -> None:
            epochs.append(training.model.get_parameters())

    plots.decision_boundary_video(
        model,
        *spiral,
        tmp_path / "v.gif",
        epochs=50,
        resolution=5,
        callbacks=[stopping, Recorder()],
        progress=False,
    )
    assert stopping.reason
    assert 0 < stopping.best_epoch < len(epochs)
    best = epochs[stopping.best_epoch - 1]
    for one, other in zip(best, model.get_parameters(), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    with Image.open(tmp_path / "v.gif") as video:
        assert video.n_frames == 1 + len(epochs) + 1  # before, each epoch, and the best again


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("v.mp4", {}, ValueError, r"must end with .gif or .html, received '.mp4'"),
        ("v", {}, ValueError, r"must end with .gif or .html"),
        ("missing/v.gif", {}, OSError, r"cannot be written"),
        ("v.gif", {"every": 0}, ValueError, r"every must be at least 1"),
        ("v.gif", {"fps": 0}, ValueError, r"fps must be at least 1"),
        ("v.gif", {"resolution": 0}, ValueError, r"resolution must be at least 1"),
        ("v.gif", {"resolution": 2.5}, TypeError, r"resolution must be a whole number"),
        ("v.gif", {"epochs": 0}, ValueError, r"epochs must be at least 1"),
    ],
)
def test_a_video_that_cannot_be_made_is_refused_before_training(
    model: Model,
    spiral: Data,
    tmp_path: Path,
    name: str,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        plots.decision_boundary_video(
            model, *spiral, tmp_path / name, **{"resolution": 5, **options}
        )
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert not list(tmp_path.iterdir())


def test_a_model_without_classes_is_refused_before_training(tmp_path: Path) -> None:
    model = Model([Dense(2, 1), Linear()])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.raises(ValueError, match=r"predict_classes needs Softmax\(\) or Sigmoid\(\) last"):
        plots.decision_boundary_video(model, np.zeros((4, 2)), np.zeros(4), tmp_path / "v.gif")
    assert not list(tmp_path.iterdir())


def test_a_training_that_fails_leaves_no_video(model: Model, spiral: Data, tmp_path: Path) -> None:
    model.set(optimizer=SGD(learning_rate=1e38))
    with pytest.raises(FloatingPointError):
        plots.decision_boundary_video(
            model, *spiral, tmp_path / "v.html", epochs=9, resolution=5, progress=False
        )
    assert not list(tmp_path.iterdir())
