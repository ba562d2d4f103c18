"""All parameters of a model in one vector, and all their gradients in another.

The layers keep views: ``layer.weights`` is a window on its part of the vector. An optimizer
then updates the whole network in one call, and its state is a vector as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from framework.checks import as_floats
from framework.operation import describe, not_stored
from framework.utils.aligned import aligned_zeros
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names, trained_names

# Of an object whose class has ``__slots__``.
NO_ATTRIBUTES: Mapping[str, Any] = {}


class Parameter:
    """An array attribute that keeps its storage: assigning to it copies the values in.

    So ``layer.weights = W`` takes effect wherever the array lives, in the layer itself or in a
    model's vector. The first assignment, in the constructor, creates the array.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Parameter: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Array: ...
    def __get__(self, instance: object | None, owner: type) -> Parameter | Array:
        if instance is None:
            return self
        try:
            return instance.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{owner.__name__} has no {self.name} yet") from None

    def __set__(self, instance: object, value: Any) -> None:
        array = instance.__dict__.get(self.name)
        if array is None:
            instance.__dict__[self.name] = as_floats(value, self.name)
        elif array is not value:  # `layer.weights -= step` has changed the array already
            array[...] = _of_shape(value, array.shape, f"{type(instance).__name__}.{self.name}")


class _Entry(NamedTuple):
    operation: Any
    name: str
    offset: int
    shape: tuple[int, ...]


class ParameterVector:
    """Owns the parameters of several operations as one object with ``weights`` and ``dweights``.

    Both are vectors of ``(total,)``, so ``optimizer.update_params(vector)`` updates every
    operation. The operations' own arrays are replaced by views of the same values. An operation
    that later binds a new array (a class that writes ``self.dweights = …``) is read again the
    next time the vector is asked for.

    Args:
        operations: objects with ``weights`` and ``biases``, or the names they list in
            ``parameters``. Others are passed over.
        dtype: of both vectors.

    Raises:
        TypeError: a parameter is not an array of real numbers.
    """

    parameters = ("weights",)

    def __init__(self, operations: Sequence[Any], dtype: np.dtype[Any]) -> None:
        arrays = [
            (operation, name, as_floats(getattr(operation, name), f"{describe(operation)}.{name}"))
            for operation in operations
            for name in trained_names(operation)
        ]
        sizes = [array.size for _, _, array in arrays]
        offsets = np.cumsum([0, *sizes]).tolist()
        self._entries = [
            _Entry(operation, name, offset, array.shape)
            for (operation, name, array), offset in zip(arrays, offsets, strict=False)
        ]
        self._allocate(offsets[-1], dtype)

    def __len__(self) -> int:
        return len(self._weights)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters and their gradients."""
        return self._weights.dtype

    @property
    def weights(self) -> Array:
        """The parameters, ``(total,)``."""
        _collect(self._weight_views)
        return self._weights

    @weights.setter
    def weights(self, values: Any) -> None:
        self._weights[...] = _of_shape(values, self._weights.shape, "ParameterVector.weights")

    @property
    def dweights(self) -> Array:
        """The gradients of ``weights``, ``(total,)``."""
        _collect(self._gradient_views)
        return self._gradients

    def holds(self, array: Any) -> bool:
        """Whether ``array`` is a part of ``weights``."""
        if not isinstance(array, np.ndarray):
            return False
        return not array.size or np.may_share_memory(array, self._weights)

    def split(self, vector: Array) -> Iterator[tuple[Any, str, Array]]:
        """Yield each operation, the name of a parameter, and the view of its part of ``vector``.

        ``vector`` is any array ``(total,)``, such as an optimizer's momentum.
        """
        for operation, name, offset, shape in self._entries:
            yield operation, name, vector[offset : offset + math.prod(shape)].reshape(shape)

    def _allocate(self, total: int, dtype: np.dtype[Any]) -> None:
        self._weights: Array = aligned_zeros(total, dtype)
        self._gradients: Array = aligned_zeros(total, dtype)
        # Each view, with the operation that it belongs to and the name that it has there.
        self._weight_views = list(self.split(self._weights))
        self._gradient_views = [
            (operation, "d" + name, view) for operation, name, view in self.split(self._gradients)
        ]
        for operation, name, view in self._weight_views:
            view[...] = getattr(operation, name)
            bind(operation, name, view)
        for operation, name, view in self._gradient_views:
            # A class of the user's own may have no gradients until its first backward.
            gradient: Any = getattr(operation, name, None)
            if np.shape(gradient) == view.shape:
                bind(operation, name, view)

    def __getstate__(self) -> dict[str, Any]:
        # Views do not survive copying or pickling: they are made anew from the operations.
        return {"entries": self._entries, "total": len(self), "dtype": self._weights.dtype}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._entries = state["entries"]
        self._allocate(state["total"], state["dtype"])


def state_names(operation: Any) -> tuple[str, ...]:
    """The names of the arrays of ``operation`` that are stored but not trained."""
    listed = getattr(operation, "state", None)
    return tuple(listed) if isinstance(listed, (list, tuple)) else ()


def stored_names(operation: Any) -> tuple[str, ...]:
    """The names of all arrays that a saved model needs: the trained ones, then the others."""
    return (*parameter_names(operation), *state_names(operation))


def untrained_names(operation: Any) -> tuple[str, ...]:
    """The names of the stored arrays that are not in a ``ParameterVector``."""
    trained = trained_names(operation)
    return tuple(name for name in stored_names(operation) if name not in trained)


def bind(operation: Any, name: str, array: Array) -> None:
    """Make ``operation.name`` be ``array`` itself, also where assigning would copy."""
    if isinstance(getattr(type(operation), name, None), Parameter):
        vars(operation)[name] = array
    else:
        setattr(operation, name, array)


def _collect(views: Iterable[tuple[Any, str, Array]]) -> None:
    """Read the arrays that operations have bound anew into the views that belong there."""
    for operation, name, view in views:
        # To look there is faster than to ask for the attribute, which is done in every step.
        if getattr(operation, "__dict__", NO_ATTRIBUTES).get(name) is view:
            continue
        current = getattr(operation, name, None)
        if current is None:
            raise not_stored(operation, name, "backward")
        if current is not view:
            view[...] = _of_shape(current, view.shape, f"{type(operation).__name__}.{name}")
            bind(operation, name, view)


def _of_shape(value: Any, shape: tuple[int, ...], where: str) -> Array:
    array = as_floats(value, where)
    if array.shape != shape:
        raise ValueError(f"{where} has shape {shape}, received {array.shape}")
    return array
