"""The number of threads for the matrix products of a network.

Below some million multiplications, handing a part of a product to another thread takes about the
time of the product itself, and longer on a busy machine: the threads wait for each other, and
while they wait they take time from the computation between two products.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

# Multiplications in the largest product of a training. Measured with OpenBLAS: a second thread made
# trainings with 6 million 10 % faster, with 13 million 30 % slower, with 100 million 30 % faster.
WORTH_A_THREAD = 20_000_000


class _SingleThread:
    """A limit of one BLAS thread for the whole process.

    Trainings that run in several threads at once share it: the first sets it, the last lifts it.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.holders = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        with self.lock:
            if not self.holders:
                _control_limits()
                self.usual = _threads_now()
                self.limit = _controller().limit(limits=1, user_api="blas")
            self.holders += 1
        try:
            yield
        finally:
            with self.lock:
                self.holders -= 1
                if not self.holders:
                    _control_limits()
                    self.limit.restore_original_limits()
                    _control_limits()


_single = _SingleThread()


def single_thread() -> AbstractContextManager[None]:
    """Return a context in which each of NumPy's matrix products uses one thread."""
    return _single.held()


def available() -> int:
    """Return the number of threads that NumPy's matrix products use without ``single_thread``."""
    with _single.lock:
        return _single.usual if _single.holders else _threads_now()


def suitable_threads(parameters: list[Any], samples: int) -> AbstractContextManager[Any]:
    """Return a context in which NumPy's matrix products use a suitable number of threads.

    That is one thread if the product of ``samples`` rows with the largest of ``parameters`` is
    small; otherwise the number is unchanged.
    """
    largest = max((np.size(array) for array in parameters), default=0)
    if samples * largest >= WORTH_A_THREAD:
        return nullcontext()
    return _single.held()


def at_most(threads: int) -> AbstractContextManager[Any]:
    """Return a context in which NumPy's matrix products use at most ``threads`` threads."""
    libraries = _controller().select(user_api="blas")
    if all(library["num_threads"] <= threads for library in libraries.info()):
        return nullcontext()
    context: AbstractContextManager[Any] = libraries.limit(limits=threads)
    return context


def look_again() -> None:
    """Search for BLAS libraries again on the next use, since another one was loaded."""
    _controller.cache_clear()


def _control_limits() -> None:
    """Allow any thread to set limits.

    From threadpoolctl 3.8 on, only the thread that set a limit can change it; in other threads the
    call silently does nothing. Our limit may be lifted by another thread than the one that set it.
    """
    from threadpoolctl import OpenBLASController

    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _threads_now() -> int:
    libraries = _controller().select(user_api="blas").info()
    numpys = [library for library in libraries if is_numpys(library)] or libraries
    return max((library["num_threads"] for library in numpys), default=1)


def is_numpys(library: dict[str, Any]) -> bool:
    """Whether ``library``, as threadpoolctl describes it, came with NumPy, and not with SciPy."""
    folder = Path(library["filepath"]).parent
    return folder.name == "numpy.libs" or folder.parent.name == "numpy"


@cache
def _controller() -> Any:
    # The search for libraries is slow, so it is done once.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
