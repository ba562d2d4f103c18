"""Tables whose columns have names: CSV in any usual form, and arrays."""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from framework.commands.tables import opened_table
from framework.data.table_columns import TableColumns, is_missing, is_number
from framework.errors import file_errors

SEPARATORS = (",", ";", "\t", "|")
# Lines that are looked at to find out the separator.
LOOKED_AT = 20
# A number in a column with decimal commas: points are only between thousands.
WITH_COMMA = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})+|\d*)(,\d*)?([eE][+-]?\d+)?")


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
    is text: see ``read_table`` for its encodings. Columns without a heading are called by their
    numbers, from 1. A first column without a name is an index, and left out.

    Where the separator is no comma, a column has decimal commas if all its numbers are like
    1.234,5, with three digits after each point, and one of them has a comma or two points. If they
    have points alone, such as 1.234, the column is read as in ``learned``, or else like the other
    columns of numbers, if these all have decimal commas.

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
        if not names[0] and len(names) > 1:
            names, columns = names[1:], columns[1:]
            remarks.append(f"{path}: the first column, which has no name, was taken for an index")
        if "" in names:
            raise ValueError(f"column {names.index('') + 1} has no name")
        cells = dict(zip(names, columns, strict=True))
        commas = _decimal_commas(cells, learned) if separator != "," else frozenset()
        converted = {name: [_with_point(cell) for cell in cells[name]] for name in commas}
        if changed := [name for name in names if converted.get(name, cells[name]) != cells[name]]:
            named = ", ".join(map(repr, changed))
            remarks.append(f"{path}: read with decimal commas, as in 1.234,5: {named}")
        cells.update(converted)
        return NamedColumns(cells, remarks, commas)


def _separator(lines: list[str]) -> str:
    """Return the separator that divides the first row into the most values, and most others so."""

    def width(separator: str) -> int:
        reader = csv.reader(islice(lines, LOOKED_AT), delimiter=separator)
        widths = [len(row) for row in reader if any(cell.strip() for cell in row)]
        return widths[0] if widths and 2 * widths.count(widths[0]) > len(widths) else 0

    return max(SEPARATORS, key=width)


def _decimal_commas(cells: dict[str, list[str]], learned: TableColumns | None) -> frozenset[str]:
    """Return the names of the columns whose numbers have decimal commas."""
    known = {column.name: column for column in learned.columns} if learned else {}
    # By its name, whether a column of numbers has decimal commas; None where it leaves this open.
    found: dict[str, bool | None] = {}
    for name, column in cells.items():
        numbers = [cell for cell in column if not is_missing(cell)]
        before = known.get(name)
        if not all(map(WITH_COMMA.fullmatch, numbers)) or not all(
            is_number(_with_point(number)) for number in numbers
        ):
            if all(map(is_number, numbers)):
                found[name] = False
        elif before is not None and before.categories is not None:
            found[name] = before.decimal_comma
        elif any("," in number or number.count(".") > 1 for number in numbers):
            found[name] = True
        else:
            found[name] = before.decimal_comma if before else None
    decided = {has_comma for has_comma in found.values() if has_comma is not None}
    return frozenset(
        name
        for name, has_comma in found.items()
        if has_comma or (has_comma is None and decided == {True})
    )


def _with_point(cell: str) -> str:
    """Return a number that has a decimal comma with a decimal point; a missing one as it is."""
    return cell if is_missing(cell) else cell.replace(".", "").replace(",", ".")


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
