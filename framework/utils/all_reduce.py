"""Sums over a whole batch, also while several processes each hold a part of it.

An operation that looks at the batch as a whole (``BatchNormalization``) adds up its own rows and
asks for the ``all_reduce``. In one process that is what it has; in a training on several
(``framework.training.distributed``), it is the sum over all of them.
"""

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
    """Let ``add_up`` compute every ``all_reduce`` inside the block, on every process alike.

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
