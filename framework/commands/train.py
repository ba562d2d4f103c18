"""The command ``train``: a network for a table of one's own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import framework
from framework import EarlyStopping, History, Model
from framework.commands.columns import read_columns
from framework.commands.options import (
    add_accelerated,
    add_option,
    add_save,
    add_separator,
    check_outputs,
    count,
    fraction,
    positive,
    seed,
    separator_of,
)
from framework.commands.table_networks import TargetUnit, errors_of, named, network, print_remarks
from framework.data.table_columns import (
    FILLS,
    Column,
    TableColumns,
    are_mostly_numbers,
    is_missing,
    is_number,
    learned_column,
    no_number,
)
from framework.data.validation_split import split_by_class
from framework.errors import file_errors
from framework.utils.text import printable
from optimizers.arrays import Array

# A column of texts with more different ones is taken for names or remarks.
MOST_CATEGORIES = 50
# A target of so many different whole numbers at most is taken for classes.
MOST_NUMBERED_CLASSES = 10


class Split(NamedTuple):
    """The rows to train on and those to validate on."""

    train: Array
    validate: Array


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train a network on a table: a column from the others",
        description="Train a network that predicts one column of a table from the others: its "
        "classes where it has texts or a few whole numbers, else its numbers. Columns of texts "
        "are categories. Part of the rows is set aside for validation.",
    )
    parser.set_defaults(command=train)
    parser.add_argument("data", help="the table: text (.csv, .tsv) or an array (.npy)")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--regression", action="store_true", help="the target has numbers, though they are few"
    )
    kind.add_argument(
        "--classification", action="store_true", help="the target has classes, though they are many"
    )
    table = parser.add_argument_group("table")
    for flag, text in (
        ("--categorical", "are categories, though they are numbers"),
        ("--drop", "are left out"),
    ):
        table.add_argument(
            flag, nargs="+", default=[], metavar="COLUMN", help=f"columns that {text}"
        )
    table.add_argument(
        "--fill",
        choices=FILLS,
        help="fill missing numbers with this of the "
        "others, and missing categories with the most frequent one",
    )
    add_separator(table)
    table.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row has the names (without it: if none is a number)",
    )
    add_option(
        table,
        "--validation",
        0.2,
        "share of the rows, and of each class, to validate on",
        type=fraction,
        metavar="SHARE",
    )
    network = parser.add_argument_group("network and training")
    add_option(network, "--hidden", [64, 32], "hidden sizes", type=count, nargs="*", metavar="N")
    add_option(
        network, "--dropout", 0.0, "share of hidden values dropped", type=fraction, metavar="RATE"
    )
    add_option(network, "--learning-rate", 0.003, "of Adam", type=positive, metavar="RATE")
    add_option(network, "--batch-size", 32, "rows for each update", type=count, metavar="N")
    add_option(network, "--epochs", 200, "times through the data, at most", type=count, metavar="N")
    add_option(
        network,
        "--patience",
        20,
        "epochs without a better validation loss before it stops",
        type=count,
        metavar="N",
    )
    network.add_argument("--balanced", action="store_true", help="all classes weigh the same")
    add_option(network, "--seed", 0, "decides everything random", type=seed, metavar="N")
    add_accelerated(network)
    network.add_argument("--quiet", action="store_true", help="show no progress bars")
    add_option(parser, "--output", "training.png", "the picture", metavar="FILE")
    add_save(parser)


def train(options: argparse.Namespace) -> int:
    """Train a network on a table, print how good it is on rows not trained on, and draw it."""
    check_outputs(options)
    if not options.validation:
        raise ValueError("--validation must be greater than 0: early stopping needs such rows")
    path = Path(options.data)
    cells, remarks, commas = read_columns(path, separator_of(options), options.header)
    for remark in remarks:
        print(printable(remark), file=sys.stderr)
    with file_errors(path):
        _check_names(cells, options)
        targets, names = _targets(cells[options.target], options)
        split = _split(targets, options)
        table = _learned(cells, commas, split, options)
        X = table.encode(cells)
    framework.seed(options.seed)
    unit = TargetUnit.of(targets[split.train]) if names is None else None
    learned = targets if unit is None else unit.standardized(targets)
    model = network(X[split.train], targets[split.train], names, options)
    _print_columns(table)
    print_remarks(X[split.train], table.features)
    kind, other = "numbers", "--classification if they are classes"
    if names is not None:
        kind, other = f"{len(names)} classes", "--regression if they are numbers"
    may_be_both = all(map(_is_whole, cells[options.target]))
    is_forced = options.regression or _are_classes(options)
    correction = f" ({other})" if may_be_both and not is_forced else ""
    print(
        f"Training {len(split.train):,} rows, {len(table.columns)} columns as {X.shape[1]} "
        f"features, for the {kind} of {printable(options.target)!r}{correction}"
    )
    model.summary()
    history = model.train(
        X[split.train],
        learned[split.train],
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=(X[split.validate], learned[split.validate]),
        class_weight="balanced" if options.balanced else None,
        callbacks=[EarlyStopping(patience=options.patience)],
        progress=not options.quiet,
    )
    if unit is not None:
        model = unit.returned_by(model, options)
    model.table = table
    validation = X[split.validate], targets[split.validate]
    print(f"validation, of {len(split.validate):,} rows not trained on:")
    if names is None:
        for name, value in errors_of(model, *validation).items():
            print(f"{name:10} {value:.4g}")
    else:
        found = model.evaluate(*validation)
        print(f"{'accuracy':10} {found.accuracy:.4f}")
        for name, value in found.metrics.items():
            print(f"{name:10} {value:.4f}")
    _draw(model, history, *validation, names, options.output)
    print(f"{'picture':10} {options.output}")
    if options.save is not None:
        model.save(options.save, class_names=names)
        print(f"{'model':10} {options.save}")
    return 0


def _print_columns(table: TableColumns) -> None:
    """Print which columns are numbers and which are categories, and how to correct it."""
    numbers = [repr(one.name) for one in table.columns if one.categories is None]
    categories = [
        f"{one.name!r} ({len(one.categories)})"
        for one in table.columns
        if one.categories is not None
    ]
    for kind, found, correction in (
        ("numbers", numbers, "--categorical if they are categories"),
        ("categories", categories, "they have texts that are no numbers, or --categorical"),
    ):
        if found:
            print(f"{kind:10} {named(found)} ({correction}; --drop leaves them out)")


def _check_names(cells: Mapping[str, Any], options: argparse.Namespace) -> None:
    for flag, names in (
        ("--target", [options.target]),
        ("--categorical", options.categorical),
        ("--drop", options.drop),
    ):
        for name in names:
            if name not in cells:
                raise ValueError(
                    f"{flag}: there is no column {name!r}, only {', '.join(map(repr, cells))}"
                )
    if options.regression and options.target in options.categorical:
        raise ValueError(f"--regression: {options.target!r} is --categorical too")
    if options.target in options.drop:
        raise ValueError(f"--drop: {options.target!r} is the target")


def _targets(cells: Sequence[str], options: argparse.Namespace) -> tuple[Array, list[str] | None]:
    """Return the targets, and the names of the classes, None for numbers."""
    for row, cell in enumerate(cells, 1):
        if is_missing(cell):
            raise ValueError(f"row {row}, column {options.target!r} is missing: it is the target")
    different = sorted(set(cells))
    are_numbers = all(map(is_number, different))
    if are_numbers:
        different.sort(key=float)
    few = all(map(_is_whole, different)) and len(different) <= MOST_NUMBERED_CLASSES
    are_classes = _are_classes(options)
    if not are_numbers and not are_classes:
        wrong = no_number(options.target, cells)
        if options.regression:
            raise ValueError(f"--regression: {wrong}")
        if are_mostly_numbers(cells):
            raise ValueError(f"{wrong}: mend it, or say --classification if these are classes")
    if options.regression or (are_numbers and not few and not are_classes):
        if options.balanced:
            raise ValueError(f"--balanced is for classes, but {options.target!r} has numbers")
        return np.array([float(cell) for cell in cells])[:, np.newaxis], None
    if len(different) < 2:
        raise ValueError(f"all rows have {different[0]!r} in {options.target!r}: nothing to learn")
    if len(different) > MOST_CATEGORIES and not are_classes:
        raise ValueError(
            f"the target {options.target!r} has {len(different)} different texts: if these are "
            "classes, say --classification"
        )
    place = {cell: number for number, cell in enumerate(different)}
    return np.array([place[cell] for cell in cells]), different


def _are_classes(options: argparse.Namespace) -> bool:
    """Whether the target has classes because the options say so."""
    return options.classification or options.target in options.categorical


def _is_whole(cell: str) -> bool:
    return is_number(cell) and float(cell).is_integer()


def _split(targets: Array, options: argparse.Namespace) -> Split:
    """Split the rows, with the same share of each class."""
    rows, share = len(targets), options.validation
    if rows < 4:
        raise ValueError(
            f"the table has too few rows, {rows}: there must be two to train on, and two to "
            "validate on"
        )
    classes = targets if targets.ndim == 1 else np.zeros(rows)
    generator = np.random.default_rng(options.seed)
    train, validate = split_by_class(classes, share, generator)
    for verb, found in (("train", train), ("validate", validate)):
        if len(found) < 2:
            raise ValueError(
                f"--validation {share:g} of {rows:,} rows leaves {len(found)} to {verb} on: there "
                "must be two"
            )
    return Split(np.sort(train), np.sort(validate))


def _learned(
    cells: Mapping[str, Sequence[str]],
    commas: frozenset[str],
    split: Split,
    options: argparse.Namespace,
) -> TableColumns:
    """Return how the columns become features."""
    columns: list[Column] = []
    for name, texts in cells.items():
        if name == options.target or name in options.drop:
            continue
        known = {text for text in texts if not is_missing(text)}
        is_category = name in options.categorical or not are_mostly_numbers(texts)
        if not is_category and (wrong := no_number(name, texts)):
            raise ValueError(
                f"{wrong}: mend it (leave it empty if it is missing, and say --fill {FILLS[0]}), "
                f"leave the column out with --drop {name}, or say --categorical {name}"
            )
        if is_category and name not in options.categorical and len(known) > MOST_CATEGORIES:
            raise ValueError(
                f"column {name!r} has {len(known)} different texts, such as {min(known)!r:.40}: "
                f"leave it out with --drop {name}, or say --categorical {name}"
            )
        if not known:
            raise ValueError(f"column {name!r} has no values: leave it out with --drop {name}")
        if options.fill is None:
            for row, text in enumerate(texts, 1):
                if is_missing(text):
                    raise ValueError(
                        f"row {row}, column {name!r} is missing: fill such values with --fill "
                        f"{FILLS[0]}, or leave the column out with --drop {name}"
                    )
        # Categories of all rows, so that the validation rows have no others.
        rows = range(len(texts)) if is_category else split.train.tolist()
        chosen = [texts[row] for row in rows]
        columns.append(learned_column(name, chosen, is_category, options.fill, name in commas))
    if not columns:
        raise ValueError("there is no column beside the target")
    return TableColumns(columns, options.target)


def _draw(
    model: Model, history: History, X: Array, y: Array, names: list[str] | None, output: str
) -> None:
    # A figure without pyplot needs no display and leaves the user's settings alone.
    from matplotlib.figure import Figure

    from framework import plots

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    if len(history):
        plots.learning_curves(history, left)
    if names is not None:
        plots.confusion_matrix(y, model.predict_classes(X), names, right)
    else:
        predicted = model.predict(X)
        ends = [float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))]
        right.plot(ends, ends, color="0.7", linewidth=1)
        right.plot(y[:, 0], predicted[:, 0], "o", markersize=4, alpha=0.6, color=plots.COLOURS[0])
        right.set(title="validation", xlabel="true", ylabel="predicted")
    figure.savefig(output, dpi=120)
