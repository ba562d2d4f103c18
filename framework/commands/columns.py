"""Tables whose columns have names: CSV in any usual form, and arrays."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from framework.commands.tables import opened_table
from framework.data.table_columns import is_missing, is_number
from framework.errors import file_errors

SEPARATORS = (",", ";", "\t", "|")
# Lines that are looked at to find out the separator.
LOOKED_AT = 20
DECIMAL_COMMA = re.compile(r"[+-]?\d+(\.\d{3})*,\d+")


def read_columns(
    path: Path, separator: str | None = None, has_heading: bool | None = None
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the texts of each column of a table, by its name, and remarks on how it was read.

    A file ``.npy`` has an array of numbers, ``(rows, columns)``, or one with named fields. Another
    is text: see ``read_table`` for its encodings. Columns without a heading are called by their
    numbers, from 1. A first column without a name is an index, and left out. Where the separator is
    no comma, 1.234,5 is a number with a decimal comma.

    Args:
        separator: between two values; None finds it out.
        has_heading: whether the first row has the names; None takes it for one if none of it is a
            number.

    Raises:
        OSError: the file cannot be read.
        FileError: it has no rows, rows of different lengths, or two columns of one name.
    """
    with file_errors(path):
        if path.suffix.lower() == ".npy":
            return _from_array(path), []
        with opened_table(path) as file:
            lines = file.read().splitlines(keepends=True)
        separator = separator or _separator(lines)
        reader = csv.reader(lines, delimiter=separator)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
        if not rows:
            raise ValueError("it has no rows")
        remarks = []
        first = [cell.strip() for cell in rows[0][1]]
        if has_heading is None:
            has_heading = not any(is_number(cell.replace(",", ".")) for cell in first)
            if not has_heading:
                remarks.append(f"{path}: the first row was taken for data (--header if it is not)")
        if has_heading:
            rows = rows[1:]
        names = first if has_heading else [str(number) for number in range(1, len(first) + 1)]
        if not rows:
            raise ValueError("it has no rows below its heading")
        for number, row in rows:
            if len(row) != len(names):
                raise ValueError(f"line {number} has {len(row)} values, others have {len(names)}")
        if repeated := [name for name in names if names.count(name) > 1 and name]:
            raise ValueError(f"it has two columns of the name {repeated[0]!r}")
        columns = [[row[i].strip() for _, row in rows] for i in range(len(names))]
        if separator != ",":
            columns = _with_points(columns)
        if not names[0] and len(names) > 1:
            names, columns = names[1:], columns[1:]
            remarks.append(f"{path}: the first column, which has no name, was taken for an index")
        if "" in names:
            raise ValueError(f"column {names.index('') + 1} has no name")
        return dict(zip(names, columns, strict=True)), remarks


def _separator(lines: list[str]) -> str:
    """Return the separator that divides the first lines into the most values, all into as many."""

    def width(separator: str) -> int:
        widths = {len(row) for row in csv.reader(lines[:LOOKED_AT], delimiter=separator) if row}
        return widths.pop() if len(widths) == 1 else 0

    return max(SEPARATORS, key=width)


def _with_points(columns: list[list[str]]) -> list[list[str]]:
    """Return the columns with decimal points, if some of their numbers have decimal commas."""
    if not any(DECIMAL_COMMA.fullmatch(cell) for column in columns for cell in column):
        return columns
    found = []
    for column in columns:
        points = [cell.replace(".", "").replace(",", ".") for cell in column]
        is_numeric = all(is_number(point) or is_missing(point) for point in points)
        found.append(points if is_numeric else column)
    return found


def _from_array(path: Path) -> dict[str, list[str]]:
    array = np.load(path, allow_pickle=False)
    names = array.dtype.names
    if names is not None:
        return {name: [str(value) for value in array[name].tolist()] for name in names}
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise ValueError(
            f"expected an array of numbers, (rows, columns), received {array.dtype} {array.shape}"
        )
    numbers = array.astype(np.float64)
    return {str(i + 1): [repr(x) for x in column] for i, column in enumerate(numbers.T.tolist())}
