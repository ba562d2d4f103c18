"""The number of threads for the matrix products of a network.

Below some million multiplications, handing a part of a product to another thread takes about the
time of the product itself, and longer on a busy machine: the threads wait for each other, and
while they wait they take time from the computation between two products.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import RLock, get_ident
from typing import Any

import numpy as np

from framework.utils.forks import after_fork, hold_while_forking

# Multiplications in the largest product of a training. Measured with OpenBLAS: a second thread made
# trainings with 6 million 10 % faster, with 13 million 30 % slower, with 100 million 30 % faster.
WORTH_A_THREAD = 20_000_000


# Held while any limit is set or lifted.
_lock = RLock()


class _Limit:
    """A limit on the BLAS threads of the whole process.

    Trainings that run in several threads at once share it: the first sets it, the last lifts it.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.holders: dict[object, int] = {}  # each with its thread

    @contextmanager
    def held(self) -> Iterator[None]:
        holder = object()
        with _lock:
            if not self.holders:
                _control_limits()
                self.usual = _threads_now()
                self.limit = _controller().limit(limits=self.threads, user_api="blas")
                _in_force.append(self)
            self.holders[holder] = get_ident()
        try:
            yield
        finally:
            with _lock:
                # In a forked child, those of other threads are gone already.
                if self.holders.pop(holder, None) is not None and not self.holders:
                    self.lift()

    def lift(self) -> None:
        _in_force.remove(self)
        _control_limits()
        self.limit.restore_original_limits()
        _control_limits()


_single = _Limit(1)
_in_force: list[_Limit] = []


def single_thread() -> AbstractContextManager[None]:
    """Return a context in which each of NumPy's matrix products uses one thread."""
    return _single.held()


def available() -> int:
    """Return the number of threads that NumPy's matrix products use without ``single_thread``.

    The number of processors where that is not known.
    """
    with _lock:
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
    libraries = _controller().select(user_api="blas").info()
    if all(library["num_threads"] <= threads for library in libraries):
        return nullcontext()
    return _Limit(threads).held()


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
    # On a Mac, NumPy's library says nothing of its threads.
    return max((library["num_threads"] for library in numpys), default=os.cpu_count() or 1)


def is_numpys(library: dict[str, Any]) -> bool:
    """Whether ``library``, as threadpoolctl describes it, came with NumPy, and not with SciPy."""
    return _is_numpys(library["filepath"])


@cache
def _is_numpys(path: str) -> bool:
    folder = Path(path).parent
    return folder.name == "numpy.libs" or folder.parent.name == "numpy"


@cache
def _controller() -> Any:
    # The search for libraries is slow, so it is done once.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _locks() -> Iterator[Any]:
    yield _lock
    # threadpoolctl has a lock of its own from 3.8 on, which threads of other libraries may hold.
    openblas = getattr(sys.modules.get("threadpoolctl"), "OpenBLASController", None)
    lock = getattr(getattr(openblas, "_SHARED_STATE", None), "lock", None)
    if lock is not None:
        yield lock


def _lift_limits_of_lost_threads() -> None:
    """Lift the limits of threads that are not in a forked child."""
    for limit in reversed(_in_force.copy()):  # the last one set is the first to be restored
        own = {holder: ident for holder, ident in limit.holders.items() if ident == get_ident()}
        limit.holders = own
        if not own:
            limit.lift()


hold_while_forking(_locks)
after_fork(_lift_limits_of_lost_threads)
