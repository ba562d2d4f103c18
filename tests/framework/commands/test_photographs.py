"""Photographs: read as they are shown, and brought to the size that the model takes."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from datasets import mnist
from framework import CategoricalCrossentropy, Dense, Flatten, Model, Scale, Softmax
from framework.__main__ import main
from framework.commands import pictures
from framework.commands.pictures import read_picture
from optimizers import Adam
from tests.framework.commands.test_pictures import MEASURED, ROOT, any_size, black, written
from tests.strategies import Array

ORIENTATION = 0x0112
# What the first row and the first column of the stored picture are when it is shown: EXIF 2.3,
# tag "Orientation". Each function stores what is to be shown.
STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda shown: shown,  # top, left
    2: lambda shown: shown[:, ::-1],  # top, right
    3: lambda shown: shown[::-1, ::-1],  # bottom, right
    4: lambda shown: shown[::-1],  # bottom, left
    5: lambda shown: shown.T,  # left, top
    6: lambda shown: shown[:, ::-1].T,  # right, top
    7: lambda shown: shown[::-1, ::-1].T,  # right, bottom
    8: lambda shown: shown[::-1].T,  # left, bottom
}
SHOWN = np.random.default_rng(1).integers(0, 256, size=(4, 5), dtype=np.uint8)


def photograph(path: Path, shown: Array, orientation: int, kind: str = "PNG") -> Path:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED[orientation](shown))
    options = {"lossless": True} if kind == "WEBP" else {}
    PIL.Image.fromarray(stored).save(path, kind, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_picture_is_read_as_it_is_shown(kind: str, orientation: int, tmp_path: Path) -> None:
    sizes = []
    path = photograph(tmp_path / "a", SHOWN, orientation, kind)
    read = read_picture(path, lambda *size: sizes.append(size))
    np.testing.assert_array_equal(read if read.ndim == 2 else read[..., 0], SHOWN)
    assert set(sizes) == {(4, 5)}


@pytest.mark.parametrize("orientation", STORED)
def test_a_jpeg_is_read_as_it_is_shown(orientation: int, tmp_path: Path) -> None:
    # Blocks of 8×8 of one grey are what JPEG keeps exactly.
    shown = np.kron(np.array([[40, 200, 90], [160, 10, 240]]), np.ones((8, 8))).astype(np.uint8)
    path = photograph(tmp_path / "a.jpg", shown, orientation, "JPEG")
    np.testing.assert_allclose(read_picture(path, any_size).astype(int), shown, atol=1)


def test_a_png_of_16_bits_is_turned_too(tmp_path: Path) -> None:
    path = photograph(tmp_path / "a.png", SHOWN.astype(np.uint16) * 257, 6)
    np.testing.assert_array_equal(read_picture(path, any_size), SHOWN)


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


@pytest.mark.parametrize(
    ("shown", "size", "expected"),
    [
        # 6×12 covers 2×2 when divided by 3; the middle 6 of 12 columns are cut out.
        (np.kron([[9, 10, 20, 9], [9, 30, 40, 9]], np.ones((3, 3))), (2, 2), [[10, 20], [30, 40]]),
        (np.kron([[9], [9], [50], [9], [9]], np.ones((4, 4))), (1, 1), [[50]]),
        (np.full((2, 3), 70), (5, 6), np.full((5, 6), 70)),  # a smaller one
    ],
)
def test_a_resized_picture_is_scaled_by_one_factor_and_cut_to_its_middle(
    shown: Array, size: tuple[int, int], expected: Any, tmp_path: Path
) -> None:
    # With the sharp edges of these blocks, the neighbours weigh in with up to a quarter.
    path = tmp_path / "a.png"
    PIL.Image.fromarray(np.asarray(shown).astype(np.uint8)).save(path)
    read = read_picture(path, any_size, size).astype(int)
    assert read.shape == size
    spread = np.ptp(np.asarray(shown))
    np.testing.assert_allclose(read, expected, atol=spread / 4)


def test_a_resized_picture_keeps_its_colours(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (40, 30), (200, 100, 50)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "a.png", any_size, (3, 3)), np.full((3, 3, 3), [200, 100, 50])
    )


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
    PIL.Image.fromarray(SHOWN).save(tmp_path / "a.png")
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
