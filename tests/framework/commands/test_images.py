"""The commands on small data of the right form."""

import gzip
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from datasets import class_names
from framework import Model
from framework.__main__ import main
from framework.commands.images import LOADERS
from framework.commands.networks import NETWORKS
from tests.datasets.files import archive, cifar_members, idx, mnist_files, write


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for folder in ("mnist", "fashion-mnist"):
        write(root / folder, mnist_files(train=300, test=60))
    packed = gzip.compress(archive(cifar_members(per_batch=60)))
    write(root / "cifar-10", {"cifar-10-binary-sample.tar.gz": packed})
    return root


@pytest.mark.parametrize("name", LOADERS)
def test_a_network_is_trained_and_drawn(
    name: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    options = ["--directory", str(data), "--epochs", "2", "--output", str(picture)]
    assert main([name, *options]) == 0
    captured = capsys.readouterr()
    assert f"Training on 300 images of {name}:" in captured.out
    assert "epoch 2/2" in captured.err, "a progress bar"
    (line,) = [line for line in captured.out.splitlines() if line.startswith("test accuracy")]
    assert 0 <= float(line.split()[2]) <= 1
    assert "(60 images not trained on)" in line
    assert captured.out.endswith(f"picture       {picture}\n")
    height, width, _ = matplotlib.image.imread(picture).shape
    assert (height, width) == (650, 2000)


def test_the_seed_decides_everything_and_the_network_can_be_chosen(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--network", "sigmoid", "--epochs", "1", "--seed", "1", "--quiet"]
    output = str(tmp_path / "a.png")
    printed = []
    for _ in range(2):
        main(["mnist", "--directory", str(data), *options, "--output", output])
        captured = capsys.readouterr()
        assert captured.err == ""
        printed.append(captured.out)
    assert printed[0] == printed[1]
    assert "Sigmoid()" in printed[0]


def test_the_printed_accuracy_is_that_of_the_test_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Images that are all the same are taken for one class, that of most labels.
    contents = mnist_files(train=200, test=50)
    for prefix, count, labels in (("train", 200, [3]), ("t10k", 50, [3, 3, 3, 3, 7])):
        images = np.zeros((count, 28, 28), dtype=np.uint8)
        contents[f"{prefix}-images-idx3-ubyte.gz"] = gzip.compress(idx(images))
        array = np.resize(np.array(labels, dtype=np.uint8), count)
        contents[f"{prefix}-labels-idx1-ubyte.gz"] = gzip.compress(idx(array))
    folder = write(tmp_path / "mnist", contents)
    options = ["--directory", str(folder), "--quiet", "--output", str(tmp_path / "a.png")]
    assert main(["mnist", *options]) == 0
    assert "test accuracy 0.8000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("mnist", "sigmoid"),
        ("fashion-mnist", "book"),
        ("cifar10", "relu"),
        ("mnist", "cnn"),
        ("fashion-mnist", "cnn"),
        ("cifar10", "cnn"),
    ],
)
def test_the_saved_model_takes_the_images_as_they_come(
    name: str, network: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.safetensors"
    options = ["--directory", str(data), "--epochs", "1", "--quiet", "--network", network]
    output = str(tmp_path / "a.png")
    assert main([name, *options, "--output", output, "--save", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(f"model         {path}\n")
    (line,) = [line for line in printed.splitlines() if line.startswith("test accuracy")]
    model = Model.load(path)
    _, (images, labels) = LOADERS[name](directory=data, scale=None)
    accuracy = (model.predict_classes(images) == labels).mean()
    assert float(line.split()[2]) == pytest.approx(accuracy, abs=1e-4)
    assert model.class_names == class_names(LOADERS[name].__name__)
    assert model.input_shape == images.shape[1:]
    image = images[0] if images.ndim == 4 else np.repeat(images[0, ..., np.newaxis], 3, axis=2)
    matplotlib.image.imsave(tmp_path / "image.png", image)
    assert main(["predict", str(path), str(tmp_path / "image.png")]) == 0
    expected = model.class_names[model.predict_classes(images[:1])[0]]
    assert capsys.readouterr().out.splitlines()[1].split()[1] == expected


def test_a_place_where_no_model_can_be_saved_is_said_before_the_data_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "no" / "model.safetensors")
    output = str(tmp_path / "a.png")
    arguments = ["mnist", "--directory", str(tmp_path), "--output", output, "--save", missing]
    assert main(arguments) == 1
    assert f"the folder {tmp_path}/no does not exist" in capsys.readouterr().err


def test_missing_data_are_said_in_the_usual_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "a.png")
    assert main(["mnist", "--directory", str(tmp_path), "--output", output]) == 1
    assert "has no files of mnist" in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_said_before_the_data_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "no" / "a.png")
    assert main(["mnist", "--directory", str(tmp_path), "--output", missing]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("name", LOADERS)
def test_help_describes_every_network(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([name, "--help"])
    assert done.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    for key, network in NETWORKS[name].items():
        assert f"{key}: {network.about}" in printed
    assert ("ten times as long" in printed) == (name == "cifar10")
