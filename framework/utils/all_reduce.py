"""Sums over a whole batch that is divided among several processes.

An operation that needs a sum over the whole batch (``BatchNormalization``) adds up its own rows
and calls ``all_reduce``. In a single process that returns the sum unchanged; in a distributed
training (``framework.training.distributed``) it returns the sum over all processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from optimizers.arrays import Array

_add_up: ContextVar[Callable[[Array], Array] | None] = ContextVar("add_up", default=None)


def all_reduce(own: Array) -> Array:
    """Return the sum of ``own`` over all processes that train together."""
    add_up = _add_up.get()
    return own if add_up is None else add_up(own)


@contextmanager
def use_all_reduce(add_up: Callable[[Array], Array]) -> Iterator[None]:
    """Compute every ``all_reduce`` inside the block with ``add_up``; all processes must do so.

    >>> import numpy as np
    >>> with use_all_reduce(lambda own: 2 * own):
    ...     all_reduce(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    token = _add_up.set(add_up)
    try:
        yield
    finally:
        _add_up.reset(token)
