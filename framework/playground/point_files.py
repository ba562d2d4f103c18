"""Points of one's own from a table: numbers, and in the last column the class or the value."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

import numpy as np

from framework.data.table_columns import is_number
from framework.playground.points import Points
from framework.utils.text import printable

LARGEST_FILE = 20 * 10**6  # bytes
MOST_CLASSES = 100
# Whole numbers in the last column are classes if there are no more different ones than this.
CLASSES_OF_NUMBERS = 20
SHOWN = 60  # characters of a value that does not fit


def read_points(content: bytes, target: str = "auto") -> Points:
    """Return the points of a table of text, separated by commas, semicolons or tabs.

    The first row is a heading if none of it is a number, the last column left out. The text is
    UTF-8, UTF-16 with its mark at the beginning, or else any encoding of one byte for a character.

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
    rows = list(_rows(content))
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


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its line."""
    text = _decoded(content)
    line = text.lstrip().partition("\n")[0]
    delimiter = next((sign for sign in (",", ";", "\t") if sign in line), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(value.strip() for value in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} cannot be read: {error}") from None


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _numbers(line: int, row: list[str], width: int) -> list[float]:
    if len(row) != width:
        raise ValueError(f"line {line} has {len(row)} columns, the first one {width}")
    for column, value in enumerate(row[:-1], 1):
        if not is_number(value):
            raise ValueError(
                f"line {line} has {value[:SHOWN]!r} in column {column}, which is no number"
            )
    return [float(value) for value in row[:-1]]
