"""Faults besides wrong numbers: what is returned, written to, added up, or not copied."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator
from typing import Any

import numpy as np

from framework.exercises.arithmetic import alike, common_ratio
from framework.exercises.calls import Failure, Raised
from optimizers.arrays import Array


def copied(mine: Any) -> Any:
    """Return a copy of a learner's object, or itself where it cannot be copied."""
    try:
        return copy.deepcopy(mine)
    except Exception:
        return mine


def require_backward(mine: Any) -> None:
    """Raise TypeError unless there is a method ``backward``, with what may be meant by it."""
    if hasattr(mine, "backward"):
        return
    near = difflib.get_close_matches("backward", dir(mine), n=1, cutoff=0.7)
    meant = f"{near[0]}, to be named backward" if near else "none"
    raise TypeError(f"{type(mine).__name__} must have a method backward, and has {meant}")


def as_numbers(name: str, value: Any) -> Array:
    """Return what a learner stored as an array in float64. Raises ``Raised`` if it is none."""
    if value is ...:
        raise Raised(Failure(f"{name} is still a gap", "fill the gaps, `...`"))
    try:
        array = _numbers(value)
    except (TypeError, ValueError):
        found = f"{name} should hold numbers, received {type(value).__name__}"
        raise Raised(Failure(found, "")) from None
    if array.dtype.kind == "c":
        raise Raised(Failure(f"{name} should hold real numbers, received dtype {array.dtype}", ""))
    return array


def array_fault(value: Any) -> tuple[str, str] | None:
    """Return the fault of a value that is no plain array of real numbers, None without one."""
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        named = f"np.{type(value).__name__}"
        return f"expected a plain array, received {named}", f"make an np.ndarray, not an {named}"
    if isinstance(value, (list, tuple)):
        return f"expected an array, received {type(value).__name__}", "return an array: np.array(…)"
    dtype = getattr(value, "dtype", np.dtype(np.float64))
    if dtype == np.float16:
        return (
            "of dtype float16, expected float32 or float64",
            "float16 keeps three digits: compute in the dtype of what is given",
        )
    if dtype.kind not in "fiub":
        return f"of dtype {dtype}, expected float32 or float64", ""
    return None


def float32_fault(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fault of a result in float32, where everything that was given is float64."""
    if getattr(value, "dtype", None) == np.float32:
        yield (
            f"{name} is float32, though it was computed from float64",
            "keep the dtype of what is given: is there an astype(np.float32), or a "
            "dtype=np.float32?",
        )


def same(received: Any, expected: Any) -> bool:
    """Whether two arrays are equal in shape and numbers, up to rounding."""
    try:
        return alike(_numbers(received), _numbers(expected))
    except (TypeError, ValueError):
        return False


def _numbers(value: Any) -> Array:
    array = np.asarray(value)
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def returned_fault(returned: Any, stored: Any, method: str, name: str) -> tuple[str, str] | None:
    """Return the fault of a method that returns something else than it stores, None without one."""
    if returned is None or stored is None or same(returned, stored):
        return None
    return (
        f"{method} returns something else than it stores in self.{name}",
        f"return self.{name}, or nothing",
    )


def written(method: str, name: str) -> tuple[str, str]:
    """Return the fault of a method that changes an array it was given."""
    return (
        f"the {name} are not what they were before {method}",
        f"{method} writes into the {name} that it is given, which belong to others: make a new "
        f"array, or a copy first, in place of `{name} *= …` or `{name}[…] = …`",
    )


def again_fault(name: str, again: Any, first: Any) -> tuple[str, str]:
    """Return the fault of a gradient that is another when the same batch comes again."""
    numbers = as_numbers(name, again), as_numbers(name, first)
    ratio = common_ratio(*numbers) if numbers[0].shape == numbers[1].shape else None
    times = "" if ratio is None else f", {ratio:.4g} × as large"
    return (
        f"the second backward of the same batch gives another {name}{times}",
        f"is it added to the gradient of the call before? `self.{name} = …`, not `+=`",
    )
