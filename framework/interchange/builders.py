"""Operations made from numbers and arrays, for networks that come from other programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.containers import Sequential
from framework.operation import Operation, describe
from optimizers.configuration import constructor_arguments


def flattened(operations: Iterable[Any]) -> Iterator[Any]:
    """Yield ``operations`` in order; a ``Sequential`` is replaced by the operations inside it."""
    for operation in operations:
        if isinstance(operation, Sequential):
            yield from flattened(operation.layers)
        else:
            yield operation


def supported_class(
    operation: Any, supported: Collection[type[Operation]], missing: str
) -> type[Operation]:
    """Return the class in ``supported`` whose outputs ``operation`` computes.

    That is its own class, a base class whose ``forward`` it has not overridden, or the class that
    such a base names in ``Operation.computes_as``.

    Raises TypeError, saying that the operation has no ``missing``, if there is no such class.
    """
    for cls in type(operation).__mro__:
        computed = vars(cls).get("computes_as", cls)
        if issubclass(cls, Operation) and computed in supported:
            if type(operation).forward is cls.forward:
                return computed
            break
    raise TypeError(f"{describe(operation)} has no {missing}")


def build(cls: type[Operation], **values: Any) -> Any:
    """Return an operation of class ``cls`` with these ``values``, by name.

    Those that the constructor takes are its arguments. The others are arrays that replace the
    operation's own, such as ``weights`` or ``running_mean``; they decide its dtype and, where
    ``n_features`` is not given, the number of features. A row ``(1, n)`` may be given as ``(n,)``.

    Raises the errors of the constructor, and ValueError for an array of another shape.
    """
    taken = constructor_arguments(cls)
    arguments = {name: value for name, value in values.items() if name in taken}
    arrays = {name: value for name, value in values.items() if name not in taken}
    for array in arrays.values():
        implied = {"dtype": array.dtype.name, "n_features": array.size}
        for name in implied.keys() & taken.keys():
            arguments.setdefault(name, implied[name])
    operation = cls(**arguments)
    for name, array in arrays.items():
        shape = getattr(operation, name).shape
        if array.shape != shape and (1, *array.shape) != shape:
            raise ValueError(f"expected {name} of shape {shape}, received {array.shape}")
        setattr(operation, name, array.reshape(shape))
    return operation


def number_of(value: ArrayLike) -> float:
    """Return the one number in ``value``, with the fewest digits that make it in its dtype.

    A 0.1 in float32 is 0.1 and not 0.10000000149011612.

    Raises ValueError for several numbers.
    """
    array = np.asarray(value)
    if array.size != 1:
        raise ValueError(f"expected one number, received shape {array.shape}")
    return float(str(array.reshape(-1)[0]))
