"""One array of an answer beside the right one, as a check of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from framework.exercises.arithmetic import (
    alike,
    equal_elements,
    first_hint,
    hint,
    named,
    reshaped_hint,
    shape_hint,
)
from framework.exercises.contract import array_fault
from framework.exercises.report import Check
from optimizers.arrays import Array

# Sizes of batches that differ from each other and from the usual numbers of features, and so tell
# which of them something was divided by.
SAMPLES, OTHER_SAMPLES = 5, 7

# A mistake in words, and the array that it leads to.
Suspect: TypeAlias = tuple[str, Array]


def compare(
    name: str,
    received: Any,
    expected: Array,
    *,
    points: int,
    sizes: Mapping[str, int],
    suspects: Callable[[], Iterable[Suspect]] = tuple,
    beside: Mapping[str, Array] | None = None,
    missing: str = "",
    any_dtype: bool = False,
) -> Check:
    """Compare ``received`` with ``expected`` and name the likely mistake.

    Args:
        name: of what is compared, such as "dinputs".
        received, expected: the answer's array and the right one.
        points: what it is worth.
        sizes, beside: see ``arithmetic.hint``.
        suspects: gives mistakes with the arrays that they lead to; called only if needed.
        any_dtype: whether whole numbers and booleans will do, and lists.
        missing: the hint if ``received`` is None.
    """
    if received is ...:
        return Check(name, False, points, "still a gap", "fill the gaps, `...`")
    if received is None:
        return Check(name, False, points, "expected an array, received None", missing)
    if not any_dtype and (fault := array_fault(received)):
        return Check(name, False, points, *fault)
    try:
        array = np.asarray(received)
    except ValueError:  # rows of different lengths
        what = f"expected numbers, received {type(received).__name__}"
        return Check(name, False, points, what)
    if array.dtype.kind not in "fiub":
        what = f"expected numbers, received {type(received).__name__}"
        return Check(name, False, points, what)
    values = array.astype(np.float64)
    if values.shape != expected.shape:
        message = f"expected shape {expected.shape}, received {values.shape}"
        found = reshaped_hint(values, expected) or named(values, expected, suspects())
        found = found or shape_hint(values, expected)
        return Check(name, False, points, message, found)
    if alike(values, expected):
        return Check(name, True, points) if any_dtype else _of_floats(name, array, points)
    found = first_hint(values, expected) or named(values, expected, suspects())
    found = found or hint(values, expected, sizes, beside)
    return Check(name, False, points, _difference(values, expected), found)


def _of_floats(name: str, array: Array, points: int) -> Check:
    """Return the check of an array with the right numbers: it should hold floats."""
    if array.dtype in (np.float32, np.float64):
        return Check(name, True, points)
    return Check(
        name,
        False,
        points,
        f"the numbers are right, but of dtype {array.dtype}, expected float32 or float64",
        "is an array made without dtype, or rounded, or like one of whole numbers?",
    )


def _difference(received: Array, expected: Array) -> str:
    wrong = ~equal_elements(received, expected)
    sizes = np.where(wrong, np.abs(received - expected), -1.0)
    place = np.unravel_index(int(np.nan_to_num(sizes, nan=np.inf).argmax()), sizes.shape)
    count = f"{np.count_nonzero(wrong)} of {wrong.size} numbers differ"
    where = f"at [{', '.join(map(str, place))}] " if expected.ndim else ""
    return f"{count}: {where}expected {expected[place]:.6g}, received {received[place]:.6g}"
