"""Tables whose columns have names: CSV in any usual form, and arrays."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from framework.data.table_columns import TableColumns, is_number
from framework.data.table_text import (
    decimal_commas,
    declared_separator,
    found_separator,
    opened_table,
    with_point,
)
from framework.errors import file_errors
from optimizers.arrays import Array

LARGEST_WHOLE = 2**53  # up to which float64 has all whole numbers


class NamedColumns(NamedTuple):
    """A table that was read.

    Attributes:
        cells: the texts of each column, by its name; numbers have decimal points.
        remarks: on how it was read.
        decimal_commas: the names of the columns whose numbers had decimal commas.
    """

    cells: dict[str, list[str]]
    remarks: list[str]
    decimal_commas: frozenset[str] = frozenset()


def read_columns(
    path: Path,
    separator: str | None = None,
    has_heading: bool | None = None,
    learned: TableColumns | None = None,
) -> NamedColumns:
    """Return the columns of a table.

    A file ``.npy`` has an array of numbers, ``(rows, columns)``, or one with named fields. Another
    is text: see ``data.table_text`` for its encodings, and for decimal commas. Columns without a
    heading are called by their numbers, from 1. A first column without a name is an index, and left
    out; so is a last one with neither name nor values, as behind a separator that ends all lines.
    An array's columns of whole numbers are read as a text file has them, "1" and not "1.0".

    Args:
        separator: between two values; None finds it out.
        has_heading: whether the first row has the names; None takes it for one if none of it is a
            number.
        learned: how the columns of the training data were read.

    Raises:
        OSError: the file cannot be read.
        FileError: it has no rows, rows of different lengths, or two columns of one name.
    """
    with file_errors(path):
        if path.suffix.lower() == ".npy":
            return NamedColumns(_from_array(path), [])
        with opened_table(path) as file:
            lines = list(file)
        declared = declared_separator(lines)
        above = 1 if declared else 0
        separator = separator or declared or found_separator(lines)
        reader = csv.reader(lines[above:], delimiter=separator)
        rows = [
            (above + reader.line_num, row) for row in reader if any(cell.strip() for cell in row)
        ]
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
        if len(names) > 1 and not any(columns[-1]) and not (has_heading and names[-1]):
            del names[-1], columns[-1]
        if not names[0] and len(names) > 1:
            names, columns = names[1:], columns[1:]
            remarks.append(f"{path}: the first column, which has no name, was taken for an index")
        if "" in names:
            raise ValueError(f"column {names.index('') + 1} has no name")
        cells = dict(zip(names, columns, strict=True))
        commas = decimal_commas(cells, separator, learned)
        converted = {name: [with_point(cell) for cell in cells[name]] for name in commas}
        if changed := [name for name in names if converted.get(name, cells[name]) != cells[name]]:
            named = ", ".join(map(repr, changed))
            remarks.append(f"{path}: read with decimal commas, as in 1.234,5: {named}")
        cells.update(converted)
        return NamedColumns(cells, remarks, commas)


def _from_array(path: Path) -> dict[str, list[str]]:
    array = np.load(path, allow_pickle=False)
    names = array.dtype.names
    if names is not None:
        return {name: _texts(array[name]) for name in names}
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise ValueError(
            f"expected an array of numbers, (rows, columns), received {array.dtype} {array.shape}"
        )
    return {str(i): _texts(column) for i, column in enumerate(array.T, 1)}


def _texts(column: Array) -> list[str]:
    """Return the values of a column as a text file has them: whole numbers without a point."""
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8")
    if column.dtype.kind == "f":
        known = column[~np.isnan(column)]
        if (np.abs(known) < LARGEST_WHOLE).all() and (known == np.trunc(known)).all():
            return ["" if math.isnan(x) else str(int(x)) for x in column.tolist()]
    return [str(value) for value in column.tolist()]
