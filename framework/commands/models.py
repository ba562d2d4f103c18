"""The commands ``predict``, ``export`` and ``summary`` for saved models."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from datasets.pictures import FORMATS
from framework import Model, Sigmoid, Softmax
from framework.commands.options import add_separator
from framework.commands.samples import read_samples
from framework.utils.classes import check_not_nan
from framework.utils.files import check_target, write_atomically
from framework.utils.text import printable
from optimizers.arrays import Array


def add(commands: Any) -> None:
    """Declare the three commands."""
    predictor = commands.add_parser(
        "predict",
        help="print the predictions of a saved model for a table, an array or an image",
        description="Print the class and the probability, or the values, that a saved model gives "
        "for each sample.",
    )
    predictor.set_defaults(command=predict)
    _add_model(predictor)
    predictor.add_argument(
        "data",
        help="samples as the rows of a table (.csv, .tsv), or along the first axis of an array "
        f"(.npy); or an image ({', '.join(FORMATS)})",
    )
    predictor.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row of a table is a heading (without it: if none of it is a "
        "number)",
    )
    add_separator(predictor)
    predictor.add_argument(
        "--output", metavar="FILE", help="write all probabilities to this file too, as CSV"
    )
    pictures = predictor.add_argument_group("images")
    pictures.add_argument(
        "--resize",
        action="store_true",
        help="bring the image to the size that the model takes: scaled without distorting it, "
        "until it covers that size, and the middle cut out",
    )
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
        help="print the operations and settings of a saved model",
        description="Print the operations and settings of a saved model.",
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
    names = "-" if model.class_names is None else ", ".join(map(printable, model.class_names))
    print(f"{'class_names':12} {names}")
    if model.table is not None:
        print(f"{'target':12} {printable(model.table.target)}")
        print(f"{'columns':12} {', '.join(printable(one.name) for one in model.table.columns)}")
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
    X, remark = read_samples(model, options)
    outputs = model.predict(X)
    check_not_nan(outputs, model.stored_arrays(), "sample", first=1)
    classes, names, values = _answers(model, outputs)
    if remark:
        print(remark, file=sys.stderr)
    for line in _lines(model, classes, names, values):
        print(line)
    if options.output is not None:
        write_atomically(options.output, _table(classes, names, values).encode())
    return 0


# Writing predictions


def _answers(model: Model, outputs: Array) -> tuple[Array | None, list[str], Array]:
    """Return the class of each sample (or None), the names of the columns, and their values."""
    values = outputs.reshape(len(outputs), -1)
    try:
        classes = model.classes_of(outputs)
    except ValueError:
        if model.table is not None and values.shape[1] == 1:
            return None, [model.table.target], values
        return None, [f"output {i + 1}" for i in range(values.shape[1])], values
    single = values.shape[1] == 1
    if single:  # the probability of "yes", or with ``Hinge`` any number
        is_probability = isinstance(model.output_activation, Sigmoid)
        values = np.hstack([1 - values if is_probability else -values, values])
    names = model.class_names or [str(i) for i in range(values.shape[1])]
    return classes if classes.ndim == 1 else None, names, values


def _lines(model: Model, classes: Array | None, names: list[str], values: Array) -> Iterator[str]:
    """Yield a heading, and a line for each sample."""
    names = list(map(printable, names))
    if classes is None:
        # A network computes in float64 where more digits tell its numbers apart.
        digits = 12 if values.dtype == np.float64 else 6
        widths = [max(len(name), digits + 4) for name in names]
        columns = zip(names, widths, strict=True)
        yield "  ".join(["sample", *(f"{name:>{width}}" for name, width in columns)])
        for number, row in enumerate(values, 1):
            columns = zip(row, widths, strict=True)
            yield "  ".join([f"{number:6}", *(f"{x:{width}.{digits}g}" for x, width in columns)])
        return
    width = max(map(len, [*names, "class"]))
    last = model.output_activation
    heading = "probability" if isinstance(last, (Softmax, Sigmoid)) else "output"
    yield f"sample  {'class':{width}}  {heading}"
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
