"""Points of one's own from a table: numbers, and in the last column the class or the value."""

from __future__ import annotations

import csv

import numpy as np

from framework.data.table_columns import is_number
from framework.data.table_text import (
    decimal_commas,
    declared_separator,
    found_separator,
    opened_table,
    with_point,
)
from framework.playground.points import Points
from framework.utils.text import printable

LARGEST_FILE = 20 * 10**6  # bytes
MOST_CLASSES = 100
# Whole numbers in the last column are classes if there are no more different ones than this.
CLASSES_OF_NUMBERS = 20
SHOWN = 60  # characters of a value that does not fit


def read_points(content: bytes, target: str = "auto") -> Points:
    """Return the points of a table of text: see ``data.table_text`` for the forms that it can have.

    The first row is a heading if none of it is a number, the last column left out.

    Args:
        content: of the file.
        target: what the last column has: "class", "value", or "auto": values where all are
            numbers, but not few whole ones.

    Raises:
        ValueError: it is too large, or does not fit; the message names the line and the column.
    """
    if len(content) > LARGEST_FILE:
        raise ValueError(
            f"a table can have up to {LARGEST_FILE:,} bytes, received {len(content):,}"
        )
    rows = _rows(content)
    if not rows:
        raise ValueError("the table is empty: it needs a line for each point, such as 0.5,-1.2,red")
    first_line, first = rows[0]
    if len(first) < 2:
        raise ValueError(
            f"line {first_line} has one column: it needs the numbers of a point and, in the last "
            "column, its class or value"
        )
    heading = None if any(map(is_number, first[:-1])) else first
    rows = rows[heading is not None :]
    if not rows:
        raise ValueError("the table has a heading, but no points below it")
    X = np.array([_numbers(line, row, len(first)) for line, row in rows])
    names = [printable(name)[:SHOWN] for name in heading or ()]
    columns = tuple(names[:-1]) or tuple(f"column {i}" for i in range(1, len(first)))
    if len(first) == 3 and heading is None:
        columns = ("x", "y")
    return _with_targets(X, columns, [(line, row[-1].strip()) for line, row in rows], target)


def _with_targets(
    X: np.ndarray, columns: tuple[str, ...], last: list[tuple[int, str]], target: str
) -> Points:
    texts = [text for _, text in last]
    numeric = all(map(is_number, texts))
    if target == "auto":
        whole = numeric and all(float(text).is_integer() for text in texts)
        few = len(set(texts)) <= CLASSES_OF_NUMBERS
        target = "value" if numeric and not (whole and few) else "class"
    if target == "value":
        for line, text in last:
            if not is_number(text):
                raise ValueError(
                    f"line {line} has {text[:SHOWN]!r} in column {X.shape[1] + 1}, the last one: "
                    "that is no number, as the values of the other lines"
                )
        return Points(X, np.array([[float(text)] for text in texts]), columns, None)
    names = sorted(set(texts), key=lambda text: (float(text), text) if numeric else (0, text))
    if len(names) > MOST_CLASSES:
        raise ValueError(
            f"the last column has {len(names):,} different classes, at most {MOST_CLASSES} are "
            "possible: are they values?"
        )
    number_of = {name: number for number, name in enumerate(names)}
    y = np.array([number_of[text] for text in texts])
    return Points(X, y, columns, tuple(printable(name)[:SHOWN] for name in names))


def _rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, each with the number of its line."""
    with opened_table(content) as file:
        lines = list(file)
        declared = declared_separator(lines)
        above = 1 if declared else 0
        separator = declared or found_separator(lines)
        reader = csv.reader(lines[above:], delimiter=separator)
        try:
            rows = [
                (above + reader.line_num, row)
                for row in reader
                if any(cell.strip() for cell in row)
            ]
        except csv.Error as error:
            raise ValueError(f"line {above + reader.line_num} cannot be read: {error}") from None
    return rows if separator == "," else _with_points(rows, separator)


def _with_points(rows: list[tuple[int, list[str]]], separator: str) -> list[tuple[int, list[str]]]:
    """Return ``rows`` with decimal points where columns have decimal commas."""
    width = len(rows[0][1])
    full = [row for _, row in rows[1:] if len(row) == width]
    columns = {str(i): [row[i].strip() for row in full] for i in range(width)}
    commas = decimal_commas(columns, separator)
    return [
        (line, [with_point(x.strip()) if str(i) in commas else x for i, x in enumerate(row)])
        for line, row in rows
    ]


def _numbers(line: int, row: list[str], width: int) -> list[float]:
    if len(row) != width:
        raise ValueError(f"line {line} has {len(row)} columns, the first one {width}")
    for column, value in enumerate(row[:-1], 1):
        if not is_number(value):
            raise ValueError(
                f"line {line} has {value[:SHOWN]!r} in column {column}, which is no number"
            )
    return [float(value) for value in row[:-1]]
