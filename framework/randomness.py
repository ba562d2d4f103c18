"""The one source of chance: initial weights, dropout masks and shuffles all draw from here.

NumPy's global generator is neither drawn from nor changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_generator = np.random.default_rng()
_current = ContextVar("generator", default=_generator)


def seed(number: int | None = None) -> None:
    """Make everything random from here on repeatable.

    Args:
        number: a non-negative integer; ``None`` starts from fresh entropy.

    >>> from framework import Dense
    >>> seed(7)
    >>> first = Dense(2, 3).weights
    >>> seed(7)
    >>> bool((Dense(2, 3).weights == first).all())
    True
    """
    # The state is set on the one generator, so that whoever holds it follows.
    _generator.bit_generator.state = np.random.default_rng(number).bit_generator.state


def generator() -> np.random.Generator:
    """Return the generator that ``seed`` sets, or that ``drawing_from`` put in its place."""
    return _current.get()


@contextmanager
def drawing_from(own: np.random.Generator) -> Iterator[None]:
    """Draw everything from ``own`` for a while, in this thread alone.

    >>> seed(7)
    >>> with drawing_from(np.random.default_rng(0)):
    ...     aside = generator().random()
    >>> first = generator().random()
    >>> seed(7)
    >>> generator().random() == first
    True
    """
    token = _current.set(own)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def preserved() -> Iterator[None]:
    """Put chance back as it was, ours and that of NumPy's global generator, at the end."""
    bits = generator().bit_generator
    ours, numpys = bits.state, np.random.get_state()
    try:
        yield
    finally:
        bits.state = ours
        np.random.set_state(numpys)
