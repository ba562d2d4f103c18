"""The one source of chance: initial weights, dropout masks and shuffles all draw from here.

NumPy's global generator is neither drawn from nor changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from typing import Any

import numpy as np

from framework.forks import hold_while_forking

_generator = np.random.default_rng()
_current = ContextVar("generator", default=_generator)
# What any thread draws from in place of it, and the lock of that list.
_own: list[np.random.Generator] = []
_own_lock = RLock()


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
    with _own_lock:
        _own.append(own)
    token = _current.set(own)
    try:
        yield
    finally:
        _current.reset(token)
        with _own_lock:
            _own.remove(own)


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


def states() -> dict[str, Any]:
    """Return the states of our generator and of NumPy's global one, for ``set_states``."""
    return {"ours": generator().bit_generator.state, "numpys": np.random.get_state(legacy=False)}


def set_states(found: Any) -> None:
    """Put chance back as it was when ``states`` returned what is ``found``.

    Raises ValueError if it is the state of other generators, or none; nothing has changed then.
    """
    check_states(found)
    generator().bit_generator.state = found["ours"]
    np.random.set_state(found["numpys"])


# How far into its numbers a generator may be. NumPy takes any position, and reads there.
POSITIONS = {"pos": 624, "buffer_pos": 4}


def check_states(found: Any) -> None:
    """Raise ValueError if ``set_states`` could not set what is ``found``."""
    if not _alike(found, states()):
        raise ValueError("the random generators were others, or their states are damaged")
    try:
        type(generator().bit_generator)().state = found["ours"]
        np.random.RandomState().set_state(found["numpys"])
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ValueError(f"the states of the random generators are damaged: {error}") from None


def _alike(found: Any, current: Any, name: str = "") -> bool:
    if type(found) is not type(current):
        return False
    if isinstance(current, dict):
        same_keys = found.keys() == current.keys()
        return same_keys and all(_alike(found[key], current[key], key) for key in current)
    if isinstance(current, np.ndarray):
        return bool((found.dtype, found.shape) == (current.dtype, current.shape))
    if isinstance(current, str):
        return bool(found == current)
    return isinstance(current, float) or 0 <= found <= POSITIONS.get(name, found)


def _locks() -> Iterator[Any]:
    """The locks of all generators that a thread may be drawing from, as NumPy does with many."""
    yield _own_lock
    numpys = np.random.get_bit_generator()  # type: ignore[attr-defined]
    bits = [_generator.bit_generator, numpys, *(own.bit_generator for own in _own)]
    yield from {id(each.lock): each.lock for each in bits}.values()


hold_while_forking(_locks)
