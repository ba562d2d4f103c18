"""How many threads the matrix products of a network are worth.

Below some million multiplications, handing a part of a product to another thread takes about as
long as doing it, and on a machine with other work longer: the threads wait for each other, and
while they do so, take time from what is computed between two products.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import RLock, get_ident
from typing import Any

import numpy as np

from framework.forks import after_fork, hold_while_forking

# Measured with OpenBLAS, for trainings whose largest product has so many: with 6 million a second
# thread made them 10 % faster, but with 13 million 30 % slower, and with 100 million 30 % faster
# again.
WORTH_A_THREAD = 20_000_000


# Held while any limit is set or lifted.
_lock = RLock()


class _Limit:
    """A limit of the whole process, which trainings that overlap in threads share.

    The first one to begin sets it, and the last one to end lifts it.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.holders: dict[object, int] = {}  # and the thread of each

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
    """Return how many threads NumPy's matrix products may use, but for ``single_thread``."""
    with _lock:
        return _single.usual if _single.holders else _threads_now()


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
    libraries = _controller().select(user_api="blas").info()
    if all(library["num_threads"] <= threads for library in libraries):
        return nullcontext()
    return _Limit(threads).held()


def look_again() -> None:
    """Look for the libraries anew the next time, since one more was loaded."""
    _controller.cache_clear()


def _control_limits() -> None:
    """Let this thread, and after it any other, set limits.

    From threadpoolctl 3.8 on, only the thread that has set a limit changes it, and others do
    nothing, without a word. But this one is of the process: another thread may be the last.
    """
    from threadpoolctl import OpenBLASController

    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _threads_now() -> int:
    libraries = _controller().select(user_api="blas").info()
    numpys = [library for library in libraries if is_numpys(library)] or libraries
    return max((library["num_threads"] for library in numpys), default=1)


def is_numpys(library: dict[str, Any]) -> bool:
    """Whether a library that threadpoolctl tells about came with NumPy, and not with SciPy."""
    folder = Path(library["filepath"]).parent
    return folder.name == "numpy.libs" or folder.parent.name == "numpy"


@cache
def _controller() -> Any:
    # Looking for the libraries takes a while, so it is done once.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _locks() -> Iterator[Any]:
    yield _lock
    # From threadpoolctl 3.8 on it has one too, which other libraries' threads may hold.
    openblas = getattr(sys.modules.get("threadpoolctl"), "OpenBLASController", None)
    lock = getattr(getattr(openblas, "_SHARED_STATE", None), "lock", None)
    if lock is not None:
        yield lock


def _lift_what_others_held() -> None:
    """Lift, in a forked child, the limits of trainings in threads that are not in it."""
    for limit in reversed(_in_force.copy()):  # each puts back what it found
        own = {holder: ident for holder, ident in limit.holders.items() if ident == get_ident()}
        limit.holders = own
        if not own:
            limit.lift()


hold_while_forking(_locks)
after_fork(_lift_what_others_held)
