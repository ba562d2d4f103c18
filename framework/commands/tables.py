"""Tables of numbers in text files: rows of values between commas, semicolons or tabs."""

from __future__ import annotations

import array
import csv
import warnings
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import DTypeLike

from framework.data.table_columns import is_number
from framework.data.table_text import (
    decimal_commas,
    declared_separator,
    found_separator,
    opened_table,
    with_point,
)
from framework.errors import file_errors
from framework.utils.text import printable
from optimizers.arrays import Array

SHOWN = 60  # characters of the first row, and of a value that is no number


def read_table(
    path: Path,
    delimiter: str | None = None,
    has_heading: bool | None = None,
    dtype: DTypeLike = np.float64,
) -> tuple[Array, str]:
    """Return the numbers of a table, ``(rows, columns)``, and a remark.

    See ``data.table_text`` for the encodings of the text, and for decimal commas.

    Args:
        path: the file.
        delimiter: the character between two values; None finds it out.
        has_heading: whether the first row has the names of the columns. With None it has if none
            of it is a number, and the remark says which it was taken for.
        dtype: of the result, unless a number is too large for it: then it is float64.

    Raises:
        OSError: the file cannot be read.
        FileError: it has no rows, rows of different lengths, or values that are not numbers.
    """
    with file_errors(path), opened_table(path) as file:
        declared = declared_separator(file)
        above = 1 if declared else 0
        delimiter = delimiter or declared or found_separator(_lines(file, 0))
        reader = csv.reader(_lines(file, above), delimiter=delimiter)
        first = next(filter(None, reader), None)
        if first is None:
            raise ValueError("it has no rows of numbers")
        remark = ""
        if has_heading is None:
            has_heading = not any(is_number(cell.replace(",", ".")) for cell in first)
            remark = _remark(path, delimiter.join(first), has_heading)
        above += reader.line_num if has_heading else 0
        table = _parse(_lines(file, above), delimiter, dtype)
        if table is None:
            table = _parse_row_by_row(_lines(file, above), above, delimiter)
        return table, remark


def _lines(file: TextIO, above: int) -> TextIO:
    """Return ``file`` at the first line after so many."""
    file.seek(0)
    for _ in range(above):
        file.readline()
    return file


def _parse(lines: TextIO, delimiter: str, dtype: DTypeLike) -> Array | None:
    """Return the numbers of all ``lines``; None if there are none, or not all are finite."""
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("ignore")  # that there are no rows
        try:
            table: Array = np.loadtxt(
                lines, dtype, comments=None, delimiter=delimiter, quotechar='"', ndmin=2
            )
        except ValueError:
            return None
    return table if table.size and np.isfinite(table).all() else None


def _parse_row_by_row(lines: TextIO, above: int, delimiter: str) -> Array:
    """Return the numbers of all ``lines``, as Python reads numbers, or with decimal commas.

    Raises ValueError that names the line and the value where this is impossible.
    """
    values, width = array.array("d"), 0
    reader = csv.reader(lines, delimiter=delimiter)
    for row in filter(None, reader):
        number = above + reader.line_num
        width = width or len(row)
        if len(row) != width:
            raise ValueError(f"line {number} has {len(row)} values, others have {width}")
        for column, value in enumerate(row, 1):
            if not is_number(value):
                if delimiter != "," and "," in value:
                    return _parse_decimal_commas(_lines(lines, above), above, delimiter)
                raise _no_number(number, value, column)
        values.extend(map(float, row))
    if not values:
        raise ValueError("it has no rows of numbers below its heading")
    return np.frombuffer(values).reshape(-1, width)


def _parse_decimal_commas(lines: TextIO, above: int, delimiter: str) -> Array:
    """Return the numbers of all ``lines``, of which some have decimal commas. Raises as above."""
    reader = csv.reader(lines, delimiter=delimiter)
    rows = [(above + reader.line_num, row) for row in filter(None, reader)]
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise ValueError(f"line {number} has {len(row)} values, others have {width}")
        for column, value in enumerate(row, 1):
            if not (is_number(value) or is_number(with_point(value.strip()))):
                raise _no_number(number, value, column)
    columns = {str(i): [row[i].strip() for _, row in rows] for i in range(width)}
    for name in decimal_commas(columns, delimiter):
        columns[name] = [with_point(value) for value in columns[name]]
    for column, values in enumerate(columns.values(), 1):
        for (number, _), value in zip(rows, values, strict=True):
            if not is_number(value):
                raise _no_number(number, value, column)
    return np.array([list(map(float, values)) for values in columns.values()]).T


def _no_number(line: int, value: str, column: int) -> ValueError:
    return ValueError(f"line {line} has {value[:SHOWN]!r}, which is no number, in column {column}")


def _remark(path: Path, first: str, is_heading: bool) -> str:
    kind, option = ("a heading", "--no-header") if is_heading else ("data", "--header")
    shown = printable(first if len(first) <= SHOWN else f"{first[:SHOWN]}…")
    return f"{path}: the first row was taken for {kind}: {shown} ({option} if it is not)"
