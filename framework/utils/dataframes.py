"""Where in a pandas DataFrame a value is that no network takes."""

from __future__ import annotations

from typing import Any

import numpy as np


def first_bad_cell(table: Any, dtype: Any = np.float64) -> str:
    """Describe the first cell that is not a finite number of ``dtype``, by its row and column.

    Returns "" if there is none, or if ``table`` is no DataFrame.
    """
    if not all(hasattr(table, name) for name in ("columns", "index", "iloc")):
        return ""
    found = []
    for position, column in enumerate(table.columns):
        cells = table.iloc[:, position].to_numpy()
        bad = _bad(cells, dtype)
        if bad.any():
            row = int(bad.argmax())
            found.append((row, position, column, cells[row]))
    if not found:
        return ""
    row, _, column, cell = min(found, key=lambda cell: cell[:2])
    label = table.index[row]
    named = "" if label == row else f" ({label!r})"
    shown = repr(cell.item() if isinstance(cell, np.number) else cell)
    return f"row {row}{named} has {shown:.60} in column {column!r}"


def _bad(cells: Any, dtype: Any) -> Any:
    """Return which of ``cells`` are no finite numbers of ``dtype``."""
    if cells.dtype.kind in "iub":
        return np.zeros(len(cells), bool)
    if cells.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return ~np.isfinite(cells.astype(dtype))
    return np.array([not _is_number(cell) for cell in cells], bool)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (bool, int, float, np.bool_, np.number)) and bool(np.isfinite(cell))
