"""Tables of arrays with their formulas: as text of 80 columns, and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.inspection.worked import number
from optimizers.arrays import Array

WIDTH = 80
# Of a larger array the first rows and columns are shown, and how many more there are.
ROWS, COLUMNS = 3, 4
INDENT, NAMES, SHAPES, NUMBERS = 3, 12, 9, 11


@dataclass(frozen=True)
class Section:
    """A part of a report: a heading, formulas, named arrays, and lines of arithmetic."""

    heading: str
    formulas: Sequence[str] = ()
    arrays: Sequence[tuple[str, Array]] = ()
    lines: Sequence[str] = ()


def as_text(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as text that fits 80 columns."""
    lines = textwrap.wrap(title, WIDTH)
    for section in sections:
        lines.append("")
        lines += textwrap.wrap(section.heading, WIDTH, subsequent_indent=" " * INDENT)
        for formula in section.formulas:
            lines += _wrapped(formula)
        for name, array in section.arrays:
            lines += _rows_as_text(name, array)
        for line in section.lines:
            lines += _wrapped(line)
    return "\n".join(lines)


def as_html(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as HTML, each of which can be folded."""
    parts = [f"<p>{html.escape(title)}</p>"]
    for section in sections:
        heading = f"<summary><b>{html.escape(section.heading)}</b></summary>"
        parts.append(f"<details open>{heading}{section_html(section)}</details>")
    return "\n".join(parts)


def section_html(section: Section) -> str:
    """Return the formulas, the arrays and the lines of a section as HTML."""
    parts = []
    if section.formulas:
        parts.append(f"<pre>{html.escape(chr(10).join(section.formulas))}</pre>")
    parts += [_as_html_table(name, array) for name, array in section.arrays]
    parts += [f"<div><code>{html.escape(line)}</code></div>" for line in section.lines]
    return "\n".join(parts)


def _wrapped(line: str) -> Iterator[str]:
    """Yield the rows of a line, indented; what is too long goes on further to the right."""
    for row in line.splitlines():
        start = len(row) - len(row.lstrip())
        yield from textwrap.wrap(
            row.strip(),
            WIDTH,
            initial_indent=" " * (INDENT + start),
            subsequent_indent=" " * (INDENT + start + 4),
            break_on_hyphens=False,
        )


def _rows_as_text(name: str, array: Array) -> Iterator[str]:
    rows, more_rows, more_columns = _shown(array)
    start = INDENT + NAMES + SHAPES
    beginning = f"{'':{INDENT}}{name:{NAMES - 1}} {_shape(array):{SHAPES}}"
    if len(beginning) > start:
        yield beginning
        beginning = " " * start
    for row in rows:
        numbers = "".join(f"{number(value):>{NUMBERS}}" for value in row)
        yield beginning + numbers + (f" … {more_columns} more" if more_columns else "")
        beginning = " " * start
    if more_rows:
        yield f"{beginning}{f'… {more_rows} more':>{NUMBERS}}"


def _as_html_table(name: str, array: Array) -> str:
    rows, more_rows, more_columns = _shown(array)
    last = f"<td>… {more_columns:,} more</td>" if more_columns else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{number(value)}</td>" for value in row) + last + "</tr>"
        for row in rows
    )
    if more_rows:
        body += f'<tr><td colspan="{COLUMNS + 2}">… {more_rows:,} more</td></tr>'
    caption = f"<caption>{html.escape(name)} <small>{_shape(array)}</small></caption>"
    # Beside each other, as many as there is room for.
    return f'<table style="display: inline-table; margin: 4px">{caption}{body}</table>'


def _shown(array: Array) -> tuple[Array, int, int]:
    """Return the rows that are shown, and how many rows and columns are not."""
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    count, width = rows.shape
    columns = width if width <= COLUMNS + 1 else COLUMNS - (width > 9999)
    shown = count if count <= ROWS + 1 else ROWS
    return rows[:shown, :columns], count - shown, width - columns


def _shape(array: Array) -> str:
    return "×".join(map(str, array.shape))
