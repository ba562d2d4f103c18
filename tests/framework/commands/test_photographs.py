"""Photographs: read as they are shown, and brought to the size that the model takes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from datasets import mnist, pictures
from framework import CategoricalCrossentropy, Dense, Flatten, Model, Scale, Softmax
from framework.__main__ import main
from optimizers import Adam
from tests.datasets.picture_files import GREY, STORED, photograph, written
from tests.framework.commands.test_pictures import MEASURED, ROOT, black
from tests.strategies import Array


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Array, Array]:
    """The file of a model that knows MNIST's digits, the first ten of the test and its answers."""
    (X, y), (X_test, _) = mnist()
    model = Model([Scale(1 / 255), Flatten(), Dense(784, 10), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.003))
    model.finalize()
    model.train(X[:10_000], y[:10_000], epochs=3, batch_size=64, progress=False)
    path = tmp_path_factory.mktemp("digits") / "it.safetensors"
    model.save(path)
    return path, X_test[:10], model.predict_classes(X_test[:10])


def predicted(model: Path, picture: Path, capsys: pytest.CaptureFixture[str], *options: str) -> int:
    assert main(["predict", str(model), str(picture), *options]) == 0
    return int(capsys.readouterr().out.splitlines()[1].split()[1])


@pytest.mark.data("mnist")
@pytest.mark.parametrize("orientation", STORED)
def test_digits_that_are_stored_in_any_way_are_recognized(
    orientation: int, digits: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, X, expected = digits
    labels = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.count_nonzero(expected == labels) >= 8
    for digit, answer in zip(X, expected, strict=True):
        path = photograph(tmp_path / "a.png", digit, orientation)
        assert predicted(model, path, capsys) == answer


@pytest.mark.data("mnist")
@pytest.mark.parametrize(("orientation", "kind"), [(1, "PNG"), (6, "PNG"), (8, "JPEG")])
def test_photographs_of_digits_are_recognized_once_resized(
    orientation: int, kind: str, digits: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, X, expected = digits
    for digit, answer in zip(X, expected, strict=True):
        large = np.kron(digit, np.ones((20, 20), np.uint8))
        broad = np.pad(large, ((0, 0), (150, 150)))  # the digit is in the middle of a landscape
        path = photograph(tmp_path / "a", broad, orientation, kind)
        assert predicted(model, path, capsys, "--resize") == answer


def model_of(path: Path, *shape: int) -> Path:
    model = Model([Scale(1 / 255), Flatten()])
    model.finalize()
    model.predict(np.zeros((1, *shape)))
    model.save(path / "it.safetensors")
    return path / "it.safetensors"


@pytest.mark.parametrize(
    "shape", [(3, 3), (3, 3, 1), (3, 3, 3), (9,), (27,)], ids=lambda shape: str(shape)
)
def test_a_larger_picture_is_offered_to_be_resized_and_then_is(
    shape: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of(tmp_path, *shape)
    PIL.Image.new("L", (50, 40), 204).save(tmp_path / "a.png")
    assert main(["predict", str(model), str(tmp_path / "a.png")]) == 1
    assert "40×50 pixels, but the model takes samples of shape" in (
        error := capsys.readouterr().err
    )
    assert "let --resize do it" in error
    assert main(["predict", str(model), str(tmp_path / "a.png"), "--resize"]) == 0
    values = capsys.readouterr().out.splitlines()[1].split()[1:]
    np.testing.assert_allclose(np.array(values, float), np.full(np.prod(shape), 0.8))


def test_a_model_whose_samples_are_no_images_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    model = model_of(tmp_path, 7)
    assert main(["predict", str(model), str(tmp_path / "a.png"), "--resize"]) == 1
    assert re.search(r"does not know to which size: .* shape \(7,\)", capsys.readouterr().err)


def test_too_many_pixels_are_refused_before_any_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.png", black(20, 30))
    PIL.Image.new("L", (64, 64)).save(tmp_path / "a.jpg", progressive=True)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 599)
    monkeypatch.delattr("PIL.ImageFile.ImageFile.load")
    model = model_of(tmp_path, 3, 3)
    for name, size in ((path, "20×30"), (tmp_path / "a.jpg", "64×64")):
        assert main(["predict", str(model), str(name), "--resize"]) == 1
        assert f"is {size} pixels: expected at most 599 in all" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc for its memory")
def test_a_large_photograph_takes_the_memory_of_a_small_one(tmp_path: Path) -> None:
    # 108 million pixels, as the largest of today's phones take them: 324 million bytes decoded.
    PIL.Image.new("RGB", (12000, 9000), (200, 100, 50)).save(tmp_path / "a.jpg")
    model = model_of(tmp_path, 28, 28)
    program = [sys.executable, "-W", "ignore", "-c", MEASURED, str(model), tmp_path / "a.jpg"]
    result = subprocess.run(
        [*program, "--resize"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, megabytes = map(int, result.stdout.splitlines()[-1].split())
    assert status == 0
    assert megabytes < 60
