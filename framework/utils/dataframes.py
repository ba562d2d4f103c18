"""The numbers in a pandas DataFrame, and where in it a value is that no network takes."""

from __future__ import annotations

from typing import Any

import numpy as np


def numbers_in(table: Any) -> Any:
    """Return the numbers of a DataFrame or a Series that NumPy takes for objects, as an array.

    These are columns with dtypes of pandas, such as Int64 and Float64, whose missing values become
    NaN, and categories that are numbers. None is returned for anything else, and where a column has
    other values.
    """
    if not all(hasattr(table, name) for name in ("index", "iloc", "to_numpy")):
        return None
    if not hasattr(table, "columns"):
        return _numbers_of(table)
    columns = [_numbers_of(table.iloc[:, i]) for i in range(len(table.columns))]
    if not columns or any(column is None for column in columns):
        return None
    return np.stack(columns, axis=1)


def _numbers_of(column: Any) -> Any:
    values = np.asarray(column)
    if values.dtype.kind in "fiub":
        return values
    if not all(_is_number(value) or value is _missing(column) for value in values):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _missing(column: Any) -> Any:
    """Return what a column with a dtype of pandas has in place of a missing value, else None."""
    return getattr(column.dtype, "na_value", None)


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
    return f"row {row}{named}, column {column!r} {_problem(cell)}"


def _problem(cell: Any) -> str:
    if isinstance(cell, (float, np.floating)) and np.isnan(cell):
        return "is NaN"
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return "is missing"
    return f"has {cell.item() if isinstance(cell, np.number) else cell!r:.60}"


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
