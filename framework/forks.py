"""Locks that survive ``os.fork``.

A child has one thread, a copy of the one that forked. What the others held is locked in it for
good, and what they had begun stays as it was. There are two remedies:

| what is locked | remedy |
|---|---|
| for a moment, and must not be half done in a child | ``hold_while_forking``: the fork waits |
| for long, by who leaves nothing that matters | ``renewed``, called by ``after_fork`` |

What is left is OpenBLAS's own: it stops its threads before a fork, and where one of them is in the
middle of a large product at that moment, it can wait for it for good, in the parent.
"""

import logging  # noqa: F401 - its lock, which imports may need, must come after ours: see below
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import RLock
from typing import Any

# To be held by a thread that imports what is imported only when it is needed. What is half imported
# in a child stays so, and locked.
importing = RLock()

Locks = Callable[[], Iterable[AbstractContextManager[Any]]]

_locks: list[Locks] = [lambda: [importing]]
_held = ExitStack()


def hold_while_forking(locks: Locks) -> None:
    """Let this process fork only while the thread that does so holds ``locks()``.

    Each is acquired before the next is asked for, those of an earlier call before those of a later
    one: no thread that holds one of the later may wait for an earlier one.
    """
    _locks.append(locks)


def after_fork(work: Callable[[], None]) -> None:
    """Call ``work`` in every child that is forked, after what was asked for before.

    None of the locks of ``hold_while_forking`` is held then.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(after_in_child=work)


def renewed(lock: Any) -> Any:
    """Return a reentrant ``lock``, or a new one where a thread holds it that is not in this child.

    What the thread that forked holds itself, it will release.
    """
    if not lock.acquire(blocking=False):
        return RLock()
    lock.release()
    return lock


def _acquire() -> None:
    for locks in _locks:
        for lock in locks():
            _held.enter_context(lock)


def _release() -> None:
    # The first lock is the last to go: until then no other thread that forks fills the stack anew.
    _held.pop_all().close()


if hasattr(os, "register_at_fork"):
    # What was registered last is called first before a fork. So logging, registered when it was
    # imported, acquires its lock after ours, and does not hold it while we wait.
    os.register_at_fork(before=_acquire, after_in_parent=_release, after_in_child=_release)
