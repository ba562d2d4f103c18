"""The arrays of a network's operations: their dtype, and copies of their values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_dtype
from framework.operation import describe
from framework.parameters import stored_names
from optimizers.arrays import Array


def common_dtype(operations: Sequence[Any], container: str) -> np.dtype[Any]:
    """Return the dtype of ``operations``, for an object of the class ``container``.

    Operations that declare a dtype decide; arrays of the others follow.

    Raises ValueError if they differ.
    """
    found = {check_dtype(one.dtype): one for one in operations if hasattr(one, "dtype")}
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise ValueError(
            f"{describe(first)} is {one} but {describe(second)} is {other}: give both the same "
            f"dtype, or the {container.lower()}: {container}(..., dtype=...)"
        )
    arrays = [getattr(one, name) for one, names in _stored(operations) for name in names]
    return next(iter(found)) if found else np.result_type(np.float32, *arrays)


def dtype_of_arrays(operations: Iterable[Any]) -> np.dtype[Any] | None:
    """Return the dtype of the first array that ``operations`` have, or None without any."""
    for operation in operations:
        for name in stored_names(operation):
            return np.dtype(getattr(operation, name).dtype)
    return None


def copied_parameters(operations: Sequence[Any]) -> list[tuple[Array, ...]]:
    """Return copies of all parameters: see ``Sequential.get_parameters``."""
    return [
        tuple(getattr(operation, name).copy() for name in names)
        for operation, names in _stored(operations)
    ]


def set_parameters(
    operations: Sequence[Any], parameters: Sequence[Sequence[ArrayLike]], container: str
) -> None:
    """Set all parameters: see ``Sequential.set_parameters``.

    ``container`` is what the errors, of ValueError, call the container of ``operations``.
    """
    stored = _stored(operations)
    if len(parameters) != len(stored):
        raise ValueError(
            f"the {container} has {len(stored)} operations with parameters, "
            f"received parameters for {len(parameters)}"
        )
    new = []
    for (operation, names), arrays in zip(stored, parameters, strict=True):
        if len(arrays) != len(names):
            raise ValueError(
                f"{describe(operation)} has {len(names)} arrays ({', '.join(names)}), "
                f"received {len(arrays)}"
            )
        for name, values in zip(names, arrays, strict=True):
            array, current = as_array(values, name), getattr(operation, name)
            if array.shape != current.shape:
                raise ValueError(
                    f"{describe(operation)}: {name} has shape {current.shape}, "
                    f"received {array.shape}"
                )
            new.append((current, array))
    for current, array in new:
        current[...] = array


def _stored(operations: Sequence[Any]) -> list[tuple[Any, tuple[str, ...]]]:
    found = [(operation, stored_names(operation)) for operation in operations]
    return [(operation, names) for operation, names in found if names]
