"""The base class of operations that are made of operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from framework.operation import Operation, describe
from framework.parameters import ParameterVector
from optimizers.optimizer import parameter_names, trained_names


class Container(Operation):
    """An operation made of operations: the base class for containers of your own.

    Its parameters are those of its operations, so it has none of its own. It tells in ``children``
    which these are; then they are trained, saved, shown and checked wherever it stands. Operations
    in an attribute of a class that is no ``Container`` are not found by anyone.

    >>> import numpy as np
    >>> from framework import Container, Dense, Sequential, Tanh
    >>> class Mean(Container):
    ...     '''output = (one(inputs) + other(inputs)) / 2, so each is given dvalues / 2.'''
    ...
    ...     def __init__(self, one, other):
    ...         self.one, self.other = one, other
    ...
    ...     def children(self):
    ...         return {"one": self.one, "other": self.other}
    ...
    ...     def forward(self, inputs, training=True):
    ...         outputs = [each.forward(inputs, training) for each in (self.one, self.other)]
    ...         self.output = sum(outputs) / 2
    ...         return self.output
    ...
    ...     def backward(self, dvalues):
    ...         self.dinputs = self.one.backward(dvalues / 2) + self.other.backward(dvalues / 2)
    ...         return self.dinputs
    >>> network = Sequential([Mean(Dense(4, 4), Tanh()), Dense(4, 2)])
    >>> network.forward(np.ones((3, 4))).shape, len(network.trained_layers)
    ((3, 2), 2)
    """

    @property
    def trainable(self) -> bool:
        """Whether any operation in it is. Setting it sets that of all of them."""
        return any(getattr(leaf, "trainable", True) for _, leaf in leaves(self.children()))

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        for _, leaf in leaves(self.children()):
            leaf.trainable = trainable

    def children(self) -> Mapping[str, Any]:
        """Return the operations that this one is made of, each under a name.

        The names lead to an operation in a saved model: "2.0" is the first operation of the
        container that is the third operation.
        """
        raise NotImplementedError(f"{type(self).__name__} has no children method")


def leaves(
    operations: Mapping[str, Any], path: str = "", inside: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield the path and the operation of all that are no containers, in order.

    Containers are replaced by the operations that they are made of, at any depth. ``inside`` are
    the containers around ``operations``.

    Raises ValueError if a container contains itself.
    """
    for name, operation in operations.items():
        if isinstance(operation, Container):
            around = (*inside, operation)
            if any(one is operation for one in inside):
                raise ValueError(f"the {type(operation).__name__.lower()} contains itself")
            yield from leaves(operation.children(), f"{path}{name}.", around)
        else:
            yield path + name, operation


def containers(operation: Container) -> Iterator[Container]:
    """Yield ``operation`` and all containers inside it, the inner ones first."""
    for child in operation.children().values():
        if isinstance(child, Container):
            yield from containers(child)
    yield operation


def numbered(operations: Iterable[Any]) -> dict[str, Any]:
    """Return ``operations`` under the names "0", "1", …"""
    return {str(position): operation for position, operation in enumerate(operations)}


def checked_operations(name: str, operations: Iterable[Any]) -> list[Any]:
    """Return ``operations``, the argument ``name`` of a container, as a list.

    Raises TypeError unless each has a ``forward`` and a ``backward``.
    """
    if not isinstance(operations, Iterable):
        raise TypeError(f"{name} must be a list of operations, received {describe(operations)}")
    found = list(operations)
    for operation in found:
        for method in ("forward", "backward"):
            if isinstance(operation, type) or not callable(getattr(operation, method, None)):
                raise TypeError(
                    "an operation needs forward and backward methods, received "
                    f"{describe(operation)}"
                )
    return found


def is_trained(operation: Any) -> bool:
    """Whether ``operation``, or one that it is made of, has parameters that are not frozen."""
    return any(trained_names(leaf) for _, leaf in leaves(numbered([operation])))


def frozen_paths(container: Container) -> list[str]:
    """Return the paths of the operations in ``container`` that are frozen and have parameters."""
    return [
        path
        for path, leaf in leaves(container.children())
        if parameter_names(leaf) and not trained_names(leaf)
    ]


def untrained_inside(operation: Any, parameters: ParameterVector) -> Iterator[tuple[str, Any]]:
    """Yield the operations with parameters in attributes of ``operation`` that nothing trains.

    Each comes with the name of the attribute, which holds it alone, or in a list, tuple or
    dictionary. They are trained if their arrays lie in ``parameters``.
    """
    if type(operation).__module__.startswith("framework."):
        return  # the book's layers know their neighbours
    for name, value in getattr(operation, "__dict__", {}).items():
        values = value.values() if isinstance(value, dict) else value
        held = list(values) if isinstance(value, (list, tuple, dict)) else [value]
        for one in held:
            if isinstance(one, Operation) and not all(
                parameters.holds(getattr(leaf, parameter, None))
                for _, leaf in leaves(numbered([one]))
                for parameter in trained_names(leaf)
            ):
                yield name, one
