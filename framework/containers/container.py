"""The base class of operations that are made of operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from framework.operation import Operation
from optimizers.optimizer import parameter_names


class Container(Operation):
    """An operation made of operations.

    Its parameters are those of its operations, so it has none of its own.
    """

    def children(self) -> Mapping[str, Any]:
        """Return the operations that this one is made of, each under a name.

        The names lead to an operation in a saved model: "2.0" is the first operation of the
        container that is the third operation.
        """
        raise NotImplementedError(f"{type(self).__name__} has no children method")


def leaves(operations: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the operation of all that are no containers, in order.

    Containers are replaced by the operations that they are made of, at any depth.
    """
    for name, operation in operations.items():
        if isinstance(operation, Container):
            yield from leaves(operation.children(), f"{path}{name}.")
        else:
            yield path + name, operation


def numbered(operations: Iterable[Any]) -> dict[str, Any]:
    """Return ``operations`` under the names "0", "1", …"""
    return {str(position): operation for position, operation in enumerate(operations)}


def is_trained(operation: Any) -> bool:
    """Whether ``operation``, or one that it is made of, has parameters."""
    return any(parameter_names(leaf) for _, leaf in leaves(numbered([operation])))
