"""What can be done with a saved model on the command line."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import framework
from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    Flatten,
    Hinge,
    MeanSquaredError,
    Model,
    ReLU,
    Scale,
    Sigmoid,
    Softmax,
)
from framework.__main__ import main
from optimizers import Adam
from tests.strategies import Array

X = np.random.default_rng(0).normal(size=(7, 2))


def saved(path: Path, *operations: Any, names: list[str] | None = None, **parts: Any) -> Model:
    model = Model(operations)
    model.set(**parts)
    model.finalize()
    model.save(path / "it.safetensors", class_names=names)
    return model


def run(path: Path, command: str, *arguments: Any) -> int:
    return main([command, str(path / "it.safetensors"), *map(str, arguments)])


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def as_csv(path: Path, rows: Array, heading: str = "") -> Path:
    lines = [heading] * bool(heading) + [",".join(map(repr, map(float, row))) for row in rows]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("kind", ["csv", "csv with a heading", "npy"])
def test_classes_and_probabilities_of_many_samples(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["red", "green", 'the "blue", one']
    model = saved(tmp_path, Dense(2, 3), Softmax(), names=names)
    if kind == "npy":
        data = tmp_path / "data.npy"
        np.save(data, X)
    else:
        data = as_csv(tmp_path / "data.CSV", X, "x 1,x 2" if "heading" in kind else "")
    output = tmp_path / "out.csv"
    assert run(tmp_path, "predict", data, "--output", output) == 0
    probabilities, classes = model.predict(X), model.predict_classes(X)
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["sample", "class", "probability"]
    assert len(lines) == 7
    for number, line in enumerate(lines):
        first, *label, probability = line.split()
        assert int(first) == number + 1
        assert " ".join(label) == names[classes[number]]
        assert float(probability) == pytest.approx(probabilities[number].max(), abs=1e-4)
    first_row, *rows = table(output)
    assert first_row == ["class", *names]
    assert [row[0] for row in rows] == [names[label] for label in classes]
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], dtype=float), probabilities)


def test_the_separator_of_a_table_is_found_out_or_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = saved(tmp_path, Dense(2, 1)), tmp_path / "data.csv"
    data.write_text("1,5;2\n-0,5;3\n")
    for options in ((), ("--separator", ";")):
        assert run(tmp_path, "predict", data, *options, "--output", tmp_path / "out.csv") == 0
        rows = np.array(table(tmp_path / "out.csv")[1:], float)
        np.testing.assert_allclose(rows, model.predict([[1.5, 2], [-0.5, 3]]), rtol=1e-6)
    assert run(tmp_path, "predict", data, "--separator", "tab") == 1
    np.save(tmp_path / "data.npy", X)
    assert run(tmp_path, "predict", tmp_path / "data.npy", "--separator", ";") == 1
    assert "--header and --separator are for tables" in capsys.readouterr().err


def test_a_single_output_of_hinge_says_no_or_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = saved(tmp_path, Dense(2, 1), names=["no", "yes"], loss=Hinge())
    np.save(tmp_path / "data.npy", X)
    assert run(tmp_path, "predict", tmp_path / "data.npy") == 0
    values = model.predict(X)[:, 0]
    for line, value in zip(capsys.readouterr().out.splitlines()[1:], values, strict=True):
        assert line.split()[1:] == ["yes" if value > 0 else "no", f"{abs(value):.4f}"]


def test_a_single_output_says_no_or_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = saved(tmp_path, Dense(2, 1), Sigmoid(), names=["no", "yes"], loss=BinaryCrossentropy())
    np.save(tmp_path / "data.npy", X)
    run(tmp_path, "predict", tmp_path / "data.npy", "--output", tmp_path / "out.csv")
    yes = model.predict(X)[:, 0]
    for line, expected in zip(capsys.readouterr().out.splitlines()[1:], yes, strict=True):
        _, label, probability = line.split()
        assert label == ("yes" if expected > 0.5 else "no")
        assert float(probability) == pytest.approx(max(expected, 1 - expected), abs=1e-4)
    heading, *rows = table(tmp_path / "out.csv")
    assert heading == ["class", "no", "yes"]
    np.testing.assert_allclose([float(row[2]) for row in rows], yes)


@pytest.mark.parametrize(
    ("operations", "heading"),
    [
        ([Dense(2, 2)], ["output 1", "output 2"]),
        ([Dense(2, 3), Sigmoid()], ["0", "1", "2"]),  # each may be there or not
    ],
)
def test_where_there_is_no_one_class_the_values_are_printed(
    operations: list[Any],
    heading: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = saved(tmp_path, *operations, loss=MeanSquaredError())
    np.save(tmp_path / "data.npy", X)
    assert run(tmp_path, "predict", tmp_path / "data.npy", "--output", tmp_path / "out.csv") == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.split() == " ".join(["sample", *heading]).split()
    printed = np.array([line.split()[1:] for line in lines], dtype=float)
    np.testing.assert_allclose(printed, model.predict(X), rtol=1e-5)
    assert table(tmp_path / "out.csv")[0] == heading


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("0,1\n0.5,0.25\n2,1.5\n", [[0, 1], [0.5, 0.25], [2, 1.5]]),
        ("1,2\n0.5,0.25\n", [[1, 2], [0.5, 0.25]]),
        ("0,1\n1,1\n", [[0, 1], [1, 1]]),
        ("0,1\n", [[0, 1]]),
        ("1,0\n0.5,0.25\n", [[1, 0], [0.5, 0.25]]),
        ("0,1,2\n5,6,7\n", [[0, 1, 2], [5, 6, 7]]),
        ("1,2,3\n5,6,7\n", [[1, 2, 3], [5, 6, 7]]),
        ("0.0,1.0,2.0\n5,6,7\n", [[0, 1, 2], [5, 6, 7]]),
    ],
)
def test_a_first_row_of_numbers_is_data(
    content: str, rows: list[list[float]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = saved(tmp_path, Dense(len(rows[0]), 3), Softmax())
    assert run(tmp_path, "predict", text(tmp_path, "a.csv", content)) == 0
    printed = capsys.readouterr().out.splitlines()[1:]
    expected = model.predict(np.array(rows)).max(axis=1)
    assert [float(line.split()[-1]) for line in printed] == pytest.approx(expected, abs=1e-4)


def test_one_sample_needs_no_axis_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path, Dense(2, 3), Softmax())
    np.save(tmp_path / "data.npy", X[0])
    assert run(tmp_path, "predict", tmp_path / "data.npy") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


# Images


def for_images(path: Path, *shape: int, scaled: bool = True) -> Model:
    """A saved model that has seen images of this shape, bytes or scaled before."""
    before = [Scale(2 / 255, -1)] if scaled else []
    model = Model([*before, Flatten(), Dense(int(np.prod(shape)), 3), Softmax()])
    model.finalize()
    model.predict(np.zeros((1, *shape)))
    model.save(path / "it.safetensors")
    return model


def probability(printed: str) -> float:
    return float(printed.split()[-1])


GREY = np.random.default_rng(1).integers(0, 256, size=(4, 5), dtype=np.uint8)
COLOURED = np.random.default_rng(2).integers(0, 256, size=(4, 5, 3), dtype=np.uint8)
BRIGHTNESS = COLOURED.astype(float) @ [0.299, 0.587, 0.114]


def write_image(path: Path, pixels: Array) -> Path:
    from PIL import Image

    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("shape", "pixels", "expected"),
    [
        ((4, 5), GREY, GREY),
        ((20,), GREY, GREY),
        ((4, 5, 1), GREY, GREY),
        ((4, 5, 3), COLOURED, COLOURED),
        ((60,), COLOURED, COLOURED),
        ((4, 5), COLOURED, np.rint(BRIGHTNESS)),
        ((4, 5, 3), GREY, np.repeat(GREY[..., np.newaxis], 3, axis=2)),
        ((4, 5, 3), np.dstack([COLOURED, np.full((4, 5), 255, np.uint8)]), COLOURED),
    ],
)
@pytest.mark.parametrize("kind", ["png", "bmp"])
@pytest.mark.parametrize("invert", [False, True])
def test_an_image_is_brought_into_the_form_that_the_model_takes(
    shape: tuple[int, ...],
    pixels: Array,
    expected: Array,
    kind: str,
    invert: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = for_images(tmp_path, *shape)
    path = write_image(tmp_path / f"image.{kind}", pixels)
    assert run(tmp_path, "predict", path, *["--invert"] * invert) == 0
    seen = (255 - expected.astype(int) if invert else expected).reshape(1, *shape)
    probabilities = model.predict(seen)
    printed = capsys.readouterr().out
    assert probability(printed) == pytest.approx(probabilities.max(), abs=1e-4)
    assert printed.splitlines()[1].split()[1] == str(probabilities.argmax())


def test_a_model_that_does_not_scale_images_is_told_how_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = for_images(tmp_path, 4, 5, scaled=False)
    path = write_image(tmp_path / "image.png", GREY)
    assert run(tmp_path, "predict", path) == 1
    assert "say over which range black to white was spread" in capsys.readouterr().err
    assert run(tmp_path, "predict", path, "--scale", "-1", "1") == 0
    expected = model.predict(GREY[np.newaxis] / 127.5 - 1).max()
    assert probability(capsys.readouterr().out) == pytest.approx(expected, abs=1e-4)


# What does not fit


def transparent(path: Path) -> Path:
    return write_image(path / "image.png", np.dstack([COLOURED, np.full((4, 5), 9, np.uint8)]))


def deep(path: Path, dtype: type) -> Path:
    PIL.Image.fromarray(GREY.astype(dtype)).save(path / "a.tif")
    return path / "a.tif"


def cut_off(path: Path, name: str) -> Path:
    PIL.Image.fromarray(GREY).save(path / name)
    (path / name).write_bytes((path / name).read_bytes()[:-40])
    return path / name


def text(path: Path, name: str, content: str) -> Path:
    (path / name).write_text(content)
    return path / name


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda p: write_image(p / "a.png", GREY[:3]), [], "3×5 pixels, but .* shape (4, 5)"),
        (transparent, [], "has transparent parts"),
        (lambda p: write_image(p / "a.png", GREY), ["--scale", "0", "1"], "leave out --scale"),
        (lambda p: text(p, "a.png", "no image"), [], "is damaged, or no image"),
        (lambda p: text(p, "a.jpg", "no image"), [], "cannot identify image file"),
        (lambda p: deep(p, np.uint16), [], "a.tif has more than 8 bits for a colour"),
        (lambda p: deep(p, np.int32), [], "a.tif has more than 8 bits for a colour"),
        (lambda p: deep(p, np.float32), [], "a.tif has more than 8 bits for a colour"),
        (lambda p: cut_off(p, "a.jpg"), [], "a.jpg: it is damaged, or no image"),
        (lambda p: cut_off(p, "a.png"), [], "a.png: it is damaged, or no image"),
        (lambda p: text(p, "a.csv", ""), [], "has no rows of numbers"),
        (lambda p: text(p, "a.csv", "a,b\n"), [], "has no rows of numbers"),
        (lambda p: text(p, "a.csv", "a,b\n1,2\n3\n"), [], "line 3 has 1 values, others have 2"),
        (lambda p: text(p, "a.csv", "1,2\n3,x\n"), [], "line 2 has 'x', which is no number"),
        (lambda p: text(p, "a.csv", "1,2\n3,nan\n"), [], "line 2 has 'nan', which is no number"),
        (lambda p: text(p, "a.csv", "1,2,3\n"), [], "expects inputs"),
        (lambda p: text(p, "a.csv", "1,2\n"), ["--invert"], "are for images, not for"),
        (lambda p: text(p, "a.npy", "no array"), [], "is damaged, or no array of numbers"),
        (lambda p: text(p, "a.npy", ""), [], "is damaged, or no array of numbers"),
        (lambda p: p / "nothing.csv", [], "No such file"),
        (lambda p: p / "nothing.png", [], "No such file"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(
    make: Any, options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for_images(tmp_path, 4, 5)
    assert run(tmp_path, "predict", make(tmp_path), *options) == 1
    captured = capsys.readouterr()
    for part in message.split(".*"):
        assert part in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_an_array_of_objects_is_not_unpickled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path, Dense(2, 3), Softmax())
    np.save(tmp_path / "data.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert run(tmp_path, "predict", tmp_path / "data.npy") == 1
    assert "is damaged, or no array of numbers" in capsys.readouterr().err


def test_an_image_for_a_model_that_has_seen_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path, Scale(1 / 255), Flatten(), Dense(20, 3), Softmax())
    assert run(tmp_path, "predict", write_image(tmp_path / "a.png", GREY)) == 1
    assert "the shape of the model's samples is not known" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "export"])
def test_where_nothing_can_be_written_nothing_is_read(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "no" / "out"
    arguments = [missing] if command == "export" else ["data.csv", "--output", missing]
    assert run(tmp_path, command, *arguments) == 1
    assert f"the folder {tmp_path}/no does not exist" in capsys.readouterr().err


def test_a_file_that_is_no_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text(tmp_path, "it.safetensors", "nothing")
    for arguments in (["predict", "a.csv"], ["export", tmp_path / "a.onnx"], ["summary"]):
        assert run(tmp_path, *arguments) == 1
        assert f"error: {tmp_path}/it.safetensors: " in capsys.readouterr().err


# The other two


def test_export_writes_what_the_model_computes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: nothing can be exported")
    model = saved(tmp_path, Dense(2, 3), ReLU(), Dense(3, 3), Softmax(), names=["a", "b", "c"])
    assert run(tmp_path, "export", tmp_path / "it.onnx") == 0
    assert capsys.readouterr().out == f"ONNX file {tmp_path}/it.onnx\n"
    read = Model.from_onnx(tmp_path / "it.onnx")
    np.testing.assert_allclose(read.predict(X), model.predict(X), rtol=1e-6)
    assert read.class_names == ["a", "b", "c"]


def test_summary_tells_what_a_checkpoint_is_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    framework.seed(0)
    model = Model([Dense(2, 8), ReLU(), Dense(8, 2), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    model.finalize()
    model.class_names = ["no", "yes"]
    checkpoint = Checkpoint(tmp_path / "it.safetensors")
    model.train(X, X[:, 0] > 0, callbacks=[checkpoint], progress=False)
    assert run(tmp_path, "summary") == 0
    printed = capsys.readouterr().out
    model.summary()
    assert printed.startswith(capsys.readouterr().out)
    for line in (
        "loss         CategoricalCrossentropy()",
        "optimizer    Adam(learning_rate=0.01)",
        "accuracy     -",
        "dtype        float32",
        "input_shape  (2,)",
        "class_names  no, yes",
    ):
        assert line in printed.splitlines()
