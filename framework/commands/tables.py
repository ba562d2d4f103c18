"""Tables of numbers in text files: rows of values between commas or tabs."""

from __future__ import annotations

import codecs
import csv
import io
import math
from pathlib import Path

import numpy as np

from framework.errors import file_errors
from framework.utils.text import printable
from optimizers.arrays import Array

SHOWN = 60  # characters of the first row, and of a value that is no number


def read_table(
    path: Path, delimiter: str = ",", has_heading: bool | None = None
) -> tuple[Array, str]:
    """Return the numbers of a table, ``(rows, columns)``, float64, and a remark.

    The text is UTF-8, UTF-16 with its mark at the beginning (as Excel writes "Unicode text"), or
    else in any encoding of one byte for a character: digits are the same in all of these.

    Args:
        path: the file.
        delimiter: the character between two values.
        has_heading: whether the first row has the names of the columns. With None it has if none
            of it is a number, and the remark says which it was taken for.

    Raises:
        OSError: the file cannot be read.
        FileError: it has no rows, rows of different lengths, or values that are not numbers.
    """
    with file_errors(path):
        text = _decoded(path.read_bytes())
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(reader.line_num, row) for row in reader if row]
        if not lines:
            raise ValueError("it has no rows of numbers")
        first = lines[0][1]
        remark = ""
        if has_heading is None:
            has_heading = not any(map(_is_number, first))
            remark = _remark(path, delimiter.join(first), has_heading)
        rows = lines[has_heading:]
        if not rows:
            raise ValueError("it has no rows of numbers below its heading")
        width = len(rows[0][1])
        for number, row in rows:
            if len(row) != width:
                raise ValueError(f"line {number} has {len(row)} values, others have {width}")
            for column, value in enumerate(row, 1):
                if not _is_number(value):
                    raise ValueError(
                        f"line {number} has {value[:SHOWN]!r}, which is no number, in column "
                        f"{column}"
                    )
        return np.array([[float(value) for value in row] for _, row in rows]), remark


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _remark(path: Path, first: str, is_heading: bool) -> str:
    kind, option = ("a heading", "--no-header") if is_heading else ("data", "--header")
    shown = printable(first if len(first) <= SHOWN else f"{first[:SHOWN]}…")
    return f"{path}: the first row was taken for {kind}: {shown} ({option} if it is not)"


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
