"""Locks that survive ``os.fork``.

A forked child has a single thread, a copy of the one that forked. Locks that other threads held
stay locked in it for good, and their half-finished work stays half finished. Two remedies:

| lock | remedy |
|---|---|
| held for a moment, over work that must be finished | ``hold_while_forking``: the fork waits |
| held for long, over work that a child does not need | ``renewed``, called by ``after_fork`` |

One case is OpenBLAS's own: it stops its threads before a fork, and if one of them is in a large
product at that moment, the parent can hang there.
"""

from __future__ import annotations

import logging  # noqa: F401 - its lock, which imports may need, must come after ours: see below
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import RLock
from typing import Any

# Held by a thread during a late import: a module that is half imported at a fork stays so in the
# child, and locked.
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
    """Call ``work`` in every child that is forked, in the order of the calls.

    None of the locks of ``hold_while_forking`` is held then.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(after_in_child=work)


def renewed(lock: Any) -> Any:
    """Return a reentrant ``lock``, or a new one if a thread holds it that is not in this child.

    The forking thread releases the locks that it holds itself.
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
    # The function registered last is called first before a fork. So logging, registered when it was
    # imported, acquires its lock after ours, and does not hold it while we wait.
    os.register_at_fork(before=_acquire, after_in_parent=_release, after_in_child=_release)
