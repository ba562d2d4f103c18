"""How many threads the matrix products of a network are worth.

Below a few million multiplications, handing a part of a product to another thread takes as long
as doing it, and on a machine with other work a good deal longer: the threads wait for each other.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

# Measured with OpenBLAS: two threads were no faster below this, and clearly faster above.
WORTH_A_THREAD = 2_000_000


class _SingleThread:
    """A limit of the whole process, which trainings that overlap in threads share.

    The first one to begin sets it, and the last one to end lifts it.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.holders = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        with self.lock:
            if not self.holders:
                self.limit = _controller().limit(limits=1, user_api="blas")
            self.holders += 1
        try:
            yield
        finally:
            with self.lock:
                self.holders -= 1
                if not self.holders:
                    self.limit.restore_original_limits()


_single = _SingleThread()


def suitable_threads(parameters: list[Any], samples: int) -> AbstractContextManager[Any]:
    """Return a context in which NumPy's matrix products use a fitting number of threads.

    That is one, where ``samples`` rows times the largest of the ``parameters`` is a small
    product, and otherwise what it was before.
    """
    largest = max((np.size(array) for array in parameters), default=0)
    if samples * largest >= WORTH_A_THREAD:
        return nullcontext()
    return _single.held()


def at_most(threads: int) -> AbstractContextManager[Any]:
    """Return a context in which NumPy's matrix products use no more than so many threads."""
    libraries = _controller().select(user_api="blas")
    if all(library["num_threads"] <= threads for library in libraries.info()):
        return nullcontext()
    context: AbstractContextManager[Any] = libraries.limit(limits=threads)
    return context


def look_again() -> None:
    """Look for the libraries anew the next time, since one more was loaded."""
    _controller.cache_clear()


@cache
def _controller() -> Any:
    # Looking for the libraries takes a while, so it is done once.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
