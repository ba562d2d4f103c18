"""Tables of numbers in text files: rows of values between commas or tabs."""

from __future__ import annotations

import array
import codecs
import csv
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

import numpy as np
from numpy.typing import DTypeLike

from framework.data.table_columns import is_number
from framework.errors import file_errors
from framework.utils.text import printable
from optimizers.arrays import Array

SHOWN = 60  # characters of the first row, and of a value that is no number
BLOCK = 2**20  # bytes that are decoded at once


def read_table(
    path: Path,
    delimiter: str = ",",
    has_heading: bool | None = None,
    dtype: DTypeLike = np.float64,
) -> tuple[Array, str]:
    """Return the numbers of a table, ``(rows, columns)``, and a remark.

    The text is UTF-8, UTF-16 with its mark at the beginning (as Excel writes "Unicode text"), or
    else in any encoding of one byte for a character: digits are the same in all of these. Such
    text is read as Windows-1252, or as Latin-1 where it has bytes that are none of the former.

    Args:
        path: the file.
        delimiter: the character between two values.
        has_heading: whether the first row has the names of the columns. With None it has if none
            of it is a number, and the remark says which it was taken for.
        dtype: of the result, unless a number is too large for it: then it is float64.

    Raises:
        OSError: the file cannot be read.
        FileError: it has no rows, rows of different lengths, or values that are not numbers.
    """
    with file_errors(path), opened_table(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        first = next(filter(None, reader), None)
        if first is None:
            raise ValueError("it has no rows of numbers")
        remark = ""
        if has_heading is None:
            has_heading = not any(map(is_number, first))
            remark = _remark(path, delimiter.join(first), has_heading)
        above = reader.line_num if has_heading else 0
        table = _parse(_lines(file, above), delimiter, dtype)
        if table is None:
            table = _parse_row_by_row(_lines(file, above), above, delimiter)
        return table, remark


@contextmanager
def opened_table(path: Path) -> Iterator[TextIO]:
    """Open a table as text. It can be gone through several times, which a pipe cannot."""
    with path.open("rb") as opened:
        file: IO[bytes] = opened if opened.seekable() else io.BytesIO(opened.read())
        encoding = _encoding(file)
        file.seek(0)
        with io.TextIOWrapper(file, encoding, newline="") as text:
            yield text


def _encoding(file: IO[bytes]) -> str:
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"  # which has a character for every byte


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
    """Return the numbers of all ``lines``, as Python reads numbers.

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
                raise ValueError(
                    f"line {number} has {value[:SHOWN]!r}, which is no number, in column {column}"
                )
        values.extend(map(float, row))
    if not values:
        raise ValueError("it has no rows of numbers below its heading")
    return np.frombuffer(values).reshape(-1, width)


def _remark(path: Path, first: str, is_heading: bool) -> str:
    kind, option = ("a heading", "--no-header") if is_heading else ("data", "--header")
    shown = printable(first if len(first) <= SHOWN else f"{first[:SHOWN]}…")
    return f"{path}: the first row was taken for {kind}: {shown} ({option} if it is not)"
