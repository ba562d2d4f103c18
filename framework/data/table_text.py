"""How the text of a table is read: its encoding, its separator, and decimal commas.

Every reader of tables begins here: the commands' (``commands/tables.py`` for numbers alone,
``commands/columns.py`` for named columns) and that of the page (``playground/point_files.py``).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TextIO

from framework.data.table_columns import TableColumns, is_missing, is_number, mostly

SEPARATORS = (",", ";", "\t", "|")
# Lines that are looked at to find out the separator.
LOOKED_AT = 20
BLOCK = 2**20  # bytes that are decoded at once
# A number in a column with decimal commas: points are only between thousands.
WITH_COMMA = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})+|\d*)(,\d*)?([eE][+-]?\d+)?")
# A first line by which Excel knows the separator.
DECLARATION = re.compile(r"\"?sep=(?P<separator>[^\r\n\"])\"?[\r\n]*", re.IGNORECASE)


@contextmanager
def opened_table(source: Path | bytes) -> Iterator[TextIO]:
    """Open a table as text. It can be gone through several times, which a pipe cannot.

    The text is UTF-8, UTF-16 (as Excel writes "Unicode text"; also without its mark at the
    beginning if the first two characters are ASCII), or else in any encoding of one byte for a
    character: digits are the same in all of these. Such text is read as Windows-1252, or as Latin-1
    where it has bytes that are none of the former.

    ``source`` is the file, or its content. Raises OSError if it cannot be read, and ValueError,
    naming the line, for a NUL byte, which no text has.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as opened:
        file: IO[bytes] = opened if opened.seekable() else io.BytesIO(opened.read())
        encoding = _encoding(file)
        file.seek(0)
        with io.TextIOWrapper(file, encoding, newline="") as text:
            yield text


def _encoding(file: IO[bytes]) -> str:
    first = file.read(4)
    if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    # The first two characters are ASCII.
    zeros = [not byte for byte in first]
    if zeros in ([False, True] * 2, [True, False] * 2):
        return "utf-16-le" if zeros[1] else "utf-16-be"
    file.seek(0)
    _check_no_nul(file)
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


def _check_no_nul(file: IO[bytes]) -> None:
    line = 1
    while block := file.read(BLOCK):
        if (place := block.find(0)) >= 0:
            line += block.count(b"\n", 0, place)
            raise ValueError(f"line {line} has a NUL byte: it is no text, or damaged")
        line += block.count(b"\n")


def declared_separator(lines: Iterator[str] | Sequence[str]) -> str | None:
    """Return the separator that a first line such as ``sep=;`` declares, as Excel's do, or None."""
    found = DECLARATION.fullmatch(next(iter(lines), ""))
    return found["separator"] if found else None


def found_separator(lines: Iterator[str] | Sequence[str]) -> str:
    """Return the separator of a table, from its first lines.

    Of those that divide the first row and most others into as many values, two or more, it is the
    one by which the most of these are numbers, or else by which there are the most.
    """
    looked_at = list(islice(lines, LOOKED_AT))

    def fitness(separator: str) -> tuple[float, int]:
        try:
            rows = [row for row in csv.reader(looked_at, delimiter=separator) if _has_values(row)]
        except csv.Error:  # the reader of the whole table names the line
            rows = []
        widths = [len(row) for row in rows]
        if not rows or widths[0] < 2 or 2 * widths.count(widths[0]) <= len(widths):
            return 0.0, 0
        cells = [cell for row in rows for cell in row]
        numbers = sum(map(is_number, cells))
        if separator != ",":
            numbers += sum("," in cell and bool(_converted(cell.strip())) for cell in cells)
        return numbers / len(cells), widths[0]

    return max(SEPARATORS, key=fitness)


def decimal_commas(
    cells: Mapping[str, Sequence[str]], separator: str, learned: TableColumns | None = None
) -> frozenset[str]:
    """Return the names of the columns, among ``cells``, whose numbers have decimal commas.

    There are none where the separator is a comma. Otherwise a column has if all its numbers, and
    most of its texts, are like 1.234,5, with three digits after each point, and one of them has a
    comma or two points. If they have points alone, such as 1.234, the column is read as in
    ``learned``, or else like the other columns of numbers, if these all have decimal commas.
    """
    if separator == ",":
        return frozenset()
    known = {column.name: column for column in learned.columns} if learned else {}
    # By its name, whether a column of numbers has decimal commas; None where it leaves this open.
    found: dict[str, bool | None] = {}
    for name, column in cells.items():
        texts = [cell for cell in column if not is_missing(cell)]
        numbers = [cell for cell in texts if _converted(cell)]
        before = known.get(name)
        if before is not None and before.categories is not None:
            found[name] = before.decimal_comma
        elif not mostly(map(_converted, texts)) or any(
            is_number(cell) and not _converted(cell) for cell in texts
        ):
            if mostly(map(is_number, texts)):
                found[name] = False
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


def with_point(cell: str) -> str:
    """Return a number that has a decimal comma with a decimal point, another text as it is."""
    return _converted(cell) or cell


def _converted(cell: str) -> str | None:
    """Return a number like 1.234,5 with a decimal point, None for another text."""
    if not WITH_COMMA.fullmatch(cell):
        return None
    converted = cell.replace(".", "").replace(",", ".")
    return converted if is_number(converted) else None


def _has_values(row: list[str]) -> bool:
    return any(cell.strip() for cell in row)
