"""Sums over a whole batch, also while several processes each hold a part of it.

An operation that looks at the batch as a whole (``BatchNormalization``) adds up its own rows and
asks for the ``total``. In one process that is what it has; in a training on several
(``framework.distributed``), it is the sum over all of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from framework.operation import Array

_add_up: ContextVar[Callable[[Array], Array] | None] = ContextVar("add_up", default=None)


def total(own: Array) -> Array:
    """Return the sum of ``own`` over all processes that train together."""
    add_up = _add_up.get()
    return own if add_up is None else add_up(own)


@contextmanager
def totals_by(add_up: Callable[[Array], Array]) -> Iterator[None]:
    """Let ``add_up`` give the totals for a while. Every process must ask for the same ones.

    >>> import numpy as np
    >>> with totals_by(lambda own: 2 * own):
    ...     total(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    token = _add_up.set(add_up)
    try:
        yield
    finally:
        _add_up.reset(token)
