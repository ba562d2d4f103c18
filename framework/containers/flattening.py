"""Networks in which a ``Sequential`` that only runs its operations is replaced by these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from framework.containers.sequential import Sequential


def is_plain(operation: Any) -> bool:
    """Whether ``operation`` is a ``Sequential`` that does nothing but run its operations."""
    return type(operation) is Sequential and not {"forward", "backward"} & vars(operation).keys()


def flattened(operations: Iterable[Any]) -> Iterator[Any]:
    """Yield ``operations``, with those of each plain ``Sequential`` in its place, at any depth."""
    for operation in operations:
        if is_plain(operation):
            yield from flattened(operation.layers)
        else:
            yield operation


def plain_sequentials(operations: Iterable[Any]) -> Iterator[Sequential]:
    """Yield each plain ``Sequential`` that ``flattened`` replaces, the inner ones first."""
    for operation in operations:
        if is_plain(operation):
            yield from plain_sequentials(operation.layers)
            yield operation


def store_around(sequentials: Iterable[Sequential], names: Sequence[str]) -> None:
    """Give each of them the ``output`` of its last operation, the ``dinputs`` of its first.

    Args:
        sequentials: as ``plain_sequentials`` gives them.
        names: "output", "dinputs" or both.
    """
    for sequential in sequentials:
        for name in names:
            source = sequential.layers[-1 if name == "output" else 0]
            if hasattr(source, name):
                setattr(sequential, name, getattr(source, name))
