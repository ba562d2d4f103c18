"""The random generator that initial weights, dropout masks and shuffles draw from.

NumPy's global generator is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from typing import Any

import numpy as np

from framework.utils.forks import hold_while_forking

_generator = np.random.default_rng()
_current = ContextVar("generator", default=_generator)
# The generators that threads use in its place, and the lock of that list.
_own: list[np.random.Generator] = []
_own_lock = RLock()


def seed(number: int | None = None) -> None:
    """Seed the generator, so that everything random after this call is repeatable.

    Args:
        number: a non-negative integer; None takes fresh entropy.

    >>> from framework import Dense
    >>> seed(7)
    >>> first = Dense(2, 3).weights
    >>> seed(7)
    >>> bool((Dense(2, 3).weights == first).all())
    True
    """
    # The state is set on the existing generator, which others may hold a reference to.
    _generator.bit_generator.state = np.random.default_rng(number).bit_generator.state


def generator() -> np.random.Generator:
    """Return the generator that ``seed`` seeds, or the one given to ``use_generator``."""
    return _current.get()


def used_or(own: np.random.Generator) -> np.random.Generator:
    """Return the generator given to ``use_generator`` inside of its block, elsewhere ``own``."""
    current = _current.get()
    return own if current is _generator else current


@contextmanager
def use_generator(own: np.random.Generator) -> Iterator[None]:
    """Draw random numbers from ``own`` inside the block, in this thread only.

    >>> seed(7)
    >>> with use_generator(np.random.default_rng(0)):
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
def preserve_rng() -> Iterator[None]:
    """Restore the state of our generator and of NumPy's global one at the end of the block."""
    bits = generator().bit_generator
    ours, numpys = bits.state, np.random.get_state()
    try:
        yield
    finally:
        bits.state = ours
        np.random.set_state(numpys)


def rng_state() -> dict[str, Any]:
    """Return the states of our generator and of NumPy's global one, for ``set_rng_state``."""
    return {"ours": generator().bit_generator.state, "numpys": np.random.get_state(legacy=False)}


def set_rng_state(found: Any) -> None:
    """Restore the states that ``rng_state`` returned as ``found``.

    Raises ValueError if they do not fit these generators; their states are then unchanged.
    """
    check_rng_state(found)
    generator().bit_generator.state = found["ours"]
    np.random.set_state(found["numpys"])


# The largest positions in a generator's buffers. NumPy does not check them, and reads there.
POSITIONS = {"pos": 624, "buffer_pos": 4}


def check_rng_state(found: Any) -> None:
    """Raise ValueError if ``set_rng_state`` could not restore ``found``."""
    if not _alike(found, rng_state()):
        raise ValueError("the random generators were others, or their states are damaged")
    try:
        type(generator().bit_generator)().state = found["ours"]
        np.random.RandomState().set_state(found["numpys"])
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ValueError(f"the states of the random generators are damaged: {error}") from None


def set_generator_state(own: np.random.Generator, state: Any) -> None:
    """Restore the state of a generator's ``bit_generator``.

    Raises ValueError if it does not fit; the generator's state is then unchanged.
    """
    try:
        type(own.bit_generator)().state = state
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the state of a random generator is damaged: {error}") from None
    own.bit_generator.state = state


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
