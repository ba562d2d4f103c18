"""Checks of single numbers: each returns the number, or raises TypeError or ValueError.

They are here, and not in ``framework``, because optimizers and datasets import nothing from it.
"""

from __future__ import annotations

import math
import operator
from typing import Any


def check_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float, or raise TypeError or ValueError naming it."""
    if isinstance(value, (str, bytes, complex)):
        raise TypeError(f"{name} must be a number, received {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, received {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, received {value!r}")
    return number


def check_positive(name: str, value: Any) -> float:
    """Return ``value`` as a float greater than 0."""
    number = check_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be greater than 0, received {value!r}")
    return number


def check_non_negative(name: str, value: Any) -> float:
    """Return ``value`` as a float of at least 0."""
    number = check_number(name, value)
    if number < 0:
        raise ValueError(f"{name} must be 0 or greater, received {value!r}")
    return number


def check_fraction(name: str, value: Any) -> float:
    """Return ``value`` as a float of at least 0 and less than 1."""
    number = check_number(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} must be at least 0 and less than 1, received {value!r}")
    return number


def check_count(name: str, value: Any, minimum: int = 1) -> int:
    """Return ``value`` as an integer of at least ``minimum``."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, received {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, received {value!r}")
    return number
