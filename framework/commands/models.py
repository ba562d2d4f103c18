"""The commands ``predict``, ``export`` and ``summary`` for saved models."""

from __future__ import annotations

import argparse
import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from framework import Model, Scale, Sigmoid, Softmax
from framework.commands.pictures import FORMATS, read_picture
from framework.containers.container import is_trained
from framework.utils.classes import check_not_nan
from framework.utils.files import check_target, write_atomically
from optimizers.arrays import Array

# The weights of red, green and blue in the brightness of a pixel: ITU-R BT.601.
BRIGHTNESS = (0.299, 0.587, 0.114)


def add(commands: Any) -> None:
    """Declare the three commands."""
    predictor = commands.add_parser(
        "predict",
        help="say what a saved model makes of a table, an array or an image",
        description="Print the class and the probability, or the values, that a saved model gives "
        "for each sample.",
    )
    predictor.set_defaults(command=predict)
    _add_model(predictor)
    predictor.add_argument(
        "data",
        help="samples as the rows of a table (.csv, with or without a heading, which can also "
        "be 0, 1, 2, … or 1, 2, 3, …), or along the first axis of an array (.npy); or an "
        f"image ({', '.join(FORMATS)})",
    )
    predictor.add_argument(
        "--output", metavar="FILE", help="write all probabilities to this file too, as CSV"
    )
    pictures = predictor.add_argument_group("images")
    pictures.add_argument(
        "--scale",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="the range over which black to white was spread when the model was trained; not "
        "needed for a model that begins with Scale, as those do that the commands here save",
    )
    pictures.add_argument(
        "--invert",
        action="store_true",
        help="swap dark and light: the digits of MNIST are light on dark ground",
    )

    exporter = commands.add_parser(
        "export",
        help="turn a saved model into an ONNX file, which other programs run",
        description="Turn a saved model into an ONNX file, which other programs run.",
    )
    exporter.set_defaults(command=export)
    _add_model(exporter)
    exporter.add_argument("output", metavar="output.onnx", help="the ONNX file")

    teller = commands.add_parser(
        "summary",
        help="print what a saved model is made of",
        description="Print what a saved model is made of.",
    )
    teller.set_defaults(command=summary)
    _add_model(teller)


def _add_model(parser: Any) -> None:
    parser.add_argument("model", help="the file, as --save, Model.save or a Checkpoint writes it")


def summary(options: argparse.Namespace) -> int:
    """Print the operations and the settings of a saved model."""
    model = Model.load(options.model)
    model.summary()
    for name in ("loss", "optimizer", "accuracy", "dtype", "input_shape"):
        value = getattr(model, name)
        print(f"{name:12} {'-' if value is None else value}")
    print(
        f"{'class_names':12} {'-' if model.class_names is None else ', '.join(model.class_names)}"
    )
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a saved model as an ONNX file."""
    check_target(options.output)
    Model.load(options.model).export_onnx(options.output)
    print(f"ONNX file {options.output}")
    return 0


def predict(options: argparse.Namespace) -> int:
    """Print the predictions of a saved model."""
    if options.output is not None:
        check_target(options.output)
    model = Model.load(options.model)
    X = _samples(model, options)
    outputs = model.predict(X)
    check_not_nan(outputs, model.stored_arrays(), "sample", first=1)
    classes, names, values = _answers(model, outputs)
    for line in _lines(model, classes, names, values):
        print(line)
    if options.output is not None:
        write_atomically(options.output, _table(classes, names, values).encode())
    return 0


# Reading samples


def _samples(model: Model, options: argparse.Namespace) -> Array:
    path = Path(options.data)
    reader = {".csv": _from_csv, ".npy": _from_npy}.get(path.suffix.lower())
    if reader is None:
        return _from_image(path, model, options.scale, options.invert)
    if options.scale is not None or options.invert:
        raise ValueError(f"--scale and --invert are for images, not for {path}")
    samples = reader(path)
    if samples.shape == model.input_shape or samples.ndim == 1:
        samples = samples[np.newaxis]
    return samples


def _from_csv(path: Path) -> Array:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    if lines and _is_heading(*(row for _, row in lines)):
        lines = lines[1:]
    if not lines:
        raise ValueError(f"{path} has no rows of numbers")
    width = len(lines[0][1])
    for number, row in lines:
        if len(row) != width:
            raise ValueError(f"{path}: line {number} has {len(row)} values, others have {width}")
        for value in row:
            if not _is_number(value):
                raise ValueError(f"{path}: line {number} has {value!r}, which is no number")
    return np.array([[float(value) for value in row] for _, row in lines])


def _is_heading(first: list[str], *others: list[str]) -> bool:
    """Whether the first row of a table has names of the columns, or numbers from 0 or 1 on.

    The numbers of one or two columns are a heading only if other rows have other than whole
    numbers.
    """
    if not any(map(_is_number, first)):
        return True
    numbers = [[str(i) for i in range(start, start + len(first))] for start in (0, 1)]
    if first not in numbers or not others:
        return False
    return len(first) > 2 or not any(all(map(str.isdecimal, row)) for row in others)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _from_npy(path: Path) -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or no array of numbers: {error}") from None
    return array


def _from_image(path: Path, model: Model, scale: Any, invert: bool) -> Array:
    """Read an image as one sample, in the shape and the range that ``model`` takes."""
    expected = model.input_shape
    if expected is None:
        raise ValueError("the model does not tell what shape its samples have, so no image fits")

    def check_size(height: int, width: int) -> None:
        if expected not in _shapes(height, width):
            raise ValueError(
                f"{path} is {height}×{width} pixels, but the model takes samples of shape "
                f"{expected}: bring the image to that size first"
            )

    pixels = _fitted(read_picture(path, check_size), expected)
    if invert:
        pixels = 255 - pixels
    before = _before_parameters(model)
    if scale is not None:
        if any(isinstance(layer, Scale) for layer in before):
            raise ValueError("the model scales images itself: leave out --scale")
        low, high = scale
        return pixels[np.newaxis] * ((high - low) / 255) + low
    if not any(isinstance(layer, Scale) for layer in before):
        raise ValueError(
            "the model does not begin with Scale, so it does not tell how images are scaled: say "
            "over which range black to white was spread, such as --scale 0 1"
        )
    return pixels[np.newaxis]


def _shapes(height: int, width: int) -> list[tuple[int, ...]]:
    """The shapes of samples that an image can take, grey ones before coloured ones."""
    size = height * width
    return [(height, width), (height, width, 1), (size,), (height, width, 3), (3 * size,)]


def _fitted(pixels: Array, expected: tuple[int, ...]) -> Array:
    """Return an image in the shape ``expected``, one of ``_shapes``, grey or coloured as that."""
    if expected in _shapes(*pixels.shape[:2])[:3]:
        grey = pixels if pixels.ndim == 2 else np.rint(pixels @ BRIGHTNESS).astype(np.uint8)
        return grey.reshape(expected)
    coloured = pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)
    return coloured.reshape(expected)


def _before_parameters(model: Model) -> list[Any]:
    trained = [i for i, layer in enumerate(model.layers) if is_trained(layer)]
    return model.layers[: trained[0]] if trained else model.layers


# Writing predictions


def _answers(model: Model, outputs: Array) -> tuple[Array | None, list[str], Array]:
    """Return the class of each sample (or None), the names of the columns, and their values."""
    values = outputs.reshape(len(outputs), -1)
    try:
        classes = model.classes_of(outputs)
    except ValueError:
        return None, [f"output {i + 1}" for i in range(values.shape[1])], values
    single = values.shape[1] == 1
    if single:  # the probability of "yes"
        values = np.hstack([1 - values, values])
    names = model.class_names or [str(i) for i in range(values.shape[1])]
    return classes if classes.ndim == 1 else None, names, values


def _lines(model: Model, classes: Array | None, names: list[str], values: Array) -> Iterator[str]:
    """Yield a heading, and a line for each sample."""
    if classes is None:
        widths = [max(len(name), 10) for name in names]
        columns = zip(names, widths, strict=True)
        yield "  ".join(["sample", *(f"{name:>{width}}" for name, width in columns)])
        for number, row in enumerate(values, 1):
            columns = zip(row, widths, strict=True)
            yield "  ".join([f"{number:6}", *(f"{x:{width}.6g}" for x, width in columns)])
        return
    width = max(map(len, [*names, "class"]))
    last = model.operations_of_predict[-1]
    what = "probability" if isinstance(last, (Softmax, Sigmoid)) else "output"
    yield f"sample  {'class':{width}}  {what}"
    for number, (label, row) in enumerate(zip(classes, values, strict=True), 1):
        yield f"{number:6}  {names[label]:{width}}  {row[label]:.4f}"


def _table(classes: Array | None, names: list[str], values: Array) -> str:
    """Return the classes and all outputs as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if classes is None:
        writer.writerow(names)
        writer.writerows(values.tolist())
    else:
        writer.writerow(["class", *names])
        for label, row in zip(classes, values.tolist(), strict=True):
            writer.writerow([names[label], *row])
    return file.getvalue()
