"""Checks of arguments; their errors name the expected and the received value.

The checks of single numbers come from ``optimizers.checks``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.utils.dataframes import first_bad_cell, numbers_in
from framework.utils.memory_maps import release_pages
from optimizers.arrays import Array
from optimizers.checks import (
    check_count,
    check_fraction,
    check_non_negative,
    check_number,
    check_positive,
)

__all__ = [
    "as_array",
    "as_dvalues",
    "as_floats",
    "check_class_names",
    "check_count",
    "check_dtype",
    "check_dvalues",
    "check_finite",
    "check_fraction",
    "check_non_negative",
    "check_number",
    "check_positive",
    "check_unmasked",
]

FLOAT_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


def check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as a NumPy dtype. Raises ValueError unless it is float32 or float64."""
    try:
        if (found := np.dtype(dtype)) in FLOAT_TYPES:
            return found
    except TypeError:
        pass
    raise ValueError(f"dtype must be 'float32' or 'float64', received {dtype!r}")


def as_array(values: ArrayLike, name: str) -> Array:
    """Return ``values`` as an array of real numbers, or raise TypeError or ValueError."""
    if type(values) is np.ndarray and values.dtype.kind in "fiub":
        return values
    check_unmasked(values, name)
    try:
        array = np.asarray(values)
    except RuntimeError as error:  # a tensor of PyTorch, whose error names the remedy
        raise TypeError(f"{name} cannot be read as an array: {error}") from None
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array of numbers, every row as long as the others: {error}"
        ) from None
    if array.dtype.kind not in "fiub" and (found := numbers_in(values)) is not None:
        array = found
    if array.dtype.kind not in "fiub":
        cell = first_bad_cell(values)
        where = f": {cell}" if cell else ""
        raise TypeError(f"{name} must hold real numbers, received dtype {array.dtype}{where}")
    return array


def check_unmasked(values: Any, name: str) -> None:
    """Raise TypeError if ``values`` is a masked array with values behind its mask."""
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        raise TypeError(f"{name} has masked values: fill or drop them first")


def as_floats(values: ArrayLike, name: str = "inputs") -> Array:
    """Return ``values`` as a float32 or float64 array, without a copy if they are one.

    Half precision becomes float32; integers, booleans and wider floats become float64.
    """
    if type(values) is np.ndarray and values.dtype in FLOAT_TYPES:
        return values
    array = as_array(values, name)
    if array.dtype in FLOAT_TYPES:
        return array
    return array.astype(np.float32 if array.dtype == np.float16 else np.float64)


def as_dvalues(operation: Any, dvalues: ArrayLike) -> Array:
    """Return ``dvalues`` in the dtype of ``operation.output``: see ``check_dvalues``."""
    output = getattr(operation, "output", None)
    if (
        type(dvalues) is np.ndarray
        and output is not None
        and dvalues.dtype == output.dtype
        and dvalues.shape == output.shape
    ):
        return dvalues
    return check_dvalues(operation, dvalues).astype(operation.output.dtype, copy=False)


def check_dvalues(operation: Any, dvalues: ArrayLike) -> Array:
    """Return ``dvalues`` as floats that fit ``operation.output``.

    Raises:
        RuntimeError: ``forward`` has not been called.
        ValueError: the shapes differ.
    """
    output = getattr(operation, "output", None)
    if output is None:
        raise RuntimeError(f"{operation!r}: backward was called before forward")
    dvalues = as_floats(dvalues, "dvalues")
    if dvalues.shape != output.shape:
        raise ValueError(
            f"{operation!r}: dvalues must have the shape of the last output, {output.shape}, "
            f"received {dvalues.shape}"
        )
    return dvalues


def check_finite(
    array: Array,
    name: str,
    dtype: np.dtype[Any] | None = None,
    values_at_once: int = 65_536,
    rows: slice = slice(None),
    table: Any = None,
) -> None:
    """Raise ValueError, naming the first row, if ``array`` has a NaN or an infinity.

    With ``dtype``, numbers that are too large for it are refused too. Only ``rows``, a slice
    without a step, are checked. ``table`` is the source of the array: of a DataFrame, the error
    names the column too.
    """
    if array.dtype.kind != "f":
        return
    dtype = dtype or array.dtype
    rows_at_once = max(1, values_at_once // max(1, math.prod(array.shape[1:])))
    first, end, _ = rows.indices(len(array))
    for start in range(first, end, rows_at_once):
        block = array[start : min(start + rows_at_once, end)]
        # A sum is faster than a test of every element; only where it is not finite are they tested.
        with np.errstate(over="ignore", invalid="ignore"):
            converted = block.astype(dtype, copy=False)
            suspicious = not np.isfinite(converted.sum())
        release_pages(array)
        if not suspicious:
            continue
        bad = ~np.isfinite(converted).reshape(len(block), -1).all(axis=1)
        if bad.any():
            row = int(bad.argmax())
            problem = "NaN or infinity"
            if np.isfinite(block[row]).all():
                problem = f"a number too large for {dtype}"
            where = first_bad_cell(table, dtype) or f"row {start + row} has {problem}"
            raise ValueError(f"{name} must be finite, but {where}")


def check_class_names(names: Iterable[str], outputs: tuple[int, ...] | None) -> list[str]:
    """Return ``names`` as a list, after comparing their number with outputs of this shape.

    A single output stands for two classes. Raises TypeError unless they are strings, ValueError
    if their number is wrong.
    """
    found = list(names) if isinstance(names, Iterable) else [names]
    if isinstance(names, str) or not all(isinstance(name, str) for name in found):
        raise TypeError(f"class_names must be a list of names, received {names!r}")
    if outputs is not None:
        expected = 2 if outputs[-1] == 1 else outputs[-1]
        if len(found) != expected:
            raise ValueError(f"class_names must be {expected} names, received {len(found)}")
    return found
