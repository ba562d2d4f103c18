import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import DataError, fashion_mnist, fetching, mnist
from tests.datasets.files import idx, mnist_files, random_images, write

CONTENTS = mnist_files(train=7, test=3)
LOADERS = pytest.mark.parametrize("load", [mnist, fashion_mnist])


@LOADERS
@pytest.mark.parametrize("gzipped", [True, False])
def test_images_and_labels_come_as_they_are_in_the_files(
    load: Any, gzipped: bool, tmp_path: Path
) -> None:
    contents = CONTENTS
    if not gzipped:
        contents = {
            name.removesuffix(".gz"): gzip.decompress(data) for name, data in CONTENTS.items()
        }
    (X_train, y_train), (X_test, y_test) = load(directory=write(tmp_path, contents))
    for X, y, seed, count in ((X_train, y_train, 1, 7), (X_test, y_test, 2, 3)):
        images, labels = random_images(count, seed)
        np.testing.assert_array_equal(X, images)
        np.testing.assert_array_equal(y, labels)
        assert X.dtype == np.uint8
        assert y.dtype == np.int64, "differences and sums of labels do not wrap around"
        assert X.flags.writeable


@LOADERS
def test_options_apply_to_training_and_test_images(load: Any, tmp_path: Path) -> None:
    folder = write(tmp_path, CONTENTS)
    (X_train, _), (X_test, _) = load(directory=folder)
    (A, _), (B, _) = load(directory=folder, flatten=True, scale=(-1, 1), dtype="float64")
    for converted, images in ((A, X_train), (B, X_test)):
        expected = images.reshape(len(images), 784) / 127.5 - 1
        np.testing.assert_allclose(converted, expected, atol=1e-12)
        assert converted.dtype == np.float64


def test_wrong_options_are_refused_before_any_file_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale must be finite and in ascending order"):
        mnist(directory=tmp_path / "nowhere", scale=(1, 0))


IMAGES, LABELS = random_images(7, 1)


@pytest.mark.parametrize(
    ("file", "damaged", "message"),
    [
        ("train-images-idx3-ubyte.gz", CONTENTS["train-images-idx3-ubyte.gz"][:-200], "too early"),
        ("train-images-idx3-ubyte.gz", b"<html>404</html>", "looks like a web page"),
        ("train-images-idx3-ubyte.gz", CONTENTS["train-labels-idx1-ubyte.gz"], "number 2051"),
        ("t10k-labels-idx1-ubyte.gz", CONTENTS["t10k-images-idx3-ubyte.gz"], "number 2049"),
        ("train-labels-idx1-ubyte.gz", idx(LABELS[:6]), "a label for each of the 7 images of"),
        ("train-labels-idx1-ubyte.gz", idx(LABELS + 10), "labels from 0 to 9, but number 0 is"),
        ("train-labels-idx1-ubyte.gz", b"", "it is empty"),
        ("t10k-labels-idx1-ubyte.gz", idx(np.zeros(10_001, np.uint8)), "at most 10,000 items"),
    ],
)
@LOADERS
def test_a_damaged_file_is_named_with_what_was_expected_and_how_to_fetch_it_again(
    load: Any, file: str, damaged: bytes, message: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, {**CONTENTS, file: damaged})
    with pytest.raises(DataError) as raised:
        load(directory=folder)
    text = str(raised.value)
    assert str(folder / file) in text
    assert "expected" in text
    assert message in text
    assert f"/{file}" in text.splitlines()[-1]
    assert text.splitlines()[-1].startswith("To fetch it again, replace it by http")


def test_without_a_directory_the_files_are_found_by_the_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mnist", CONTENTS)
    write(tmp_path / "fashion-mnist", mnist_files(train=5, test=2))
    monkeypatch.setenv("DINPUTS_DATA", str(tmp_path))
    assert len(mnist()[0][1]) == 7
    assert len(fashion_mnist()[0][1]) == 5


# The SHA-256 of what the published files unpack to.
UNPACKED = {
    "mnist": [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
}


@pytest.mark.data("mnist")
def test_the_real_mnist_is_read_to_the_last_byte() -> None:
    (X_train, y_train), (X_test, y_test) = mnist()
    read = [X_train, y_train.astype(np.uint8), X_test, y_test.astype(np.uint8)]
    digests = [hashlib.sha256(idx(array)).hexdigest() for array in read]
    assert digests == UNPACKED["mnist"]


@pytest.mark.data("fashion-mnist")
def test_the_real_fashion_mnist_has_as_many_of_each_class() -> None:
    (X_train, y_train), (X_test, y_test) = fashion_mnist(scale=(0, 1), flatten=True)
    assert X_train.shape == (60_000, 784)
    assert X_test.shape == (10_000, 784)
    np.testing.assert_array_equal(np.bincount(y_train), np.full(10, 6000))
    np.testing.assert_array_equal(np.bincount(y_test), np.full(10, 1000))
    # The mean and the standard deviation that many programs normalize these images by.
    assert X_train.mean() == pytest.approx(0.2860, abs=5e-5)
    assert X_train.std() == pytest.approx(0.3530, abs=5e-5)


def test_downloading_is_left_to_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DINPUTS_DATA", raising=False)
    folder = write(tmp_path, CONTENTS)
    monkeypatch.setattr(fetching, "_download", lambda data, file: folder / file)
    assert len(mnist()[1][0]) == 3
