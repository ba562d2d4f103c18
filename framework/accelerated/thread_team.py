"""Threads that take the steps of a training together.

The work is cut into ``parts``, and each thread takes some of them, one after the other. How many
parts there are does not depend on how many threads there are (see ``thread_choice.py``): so one
thread computes the same as several, bit for bit.

Each part goes forward and back with its own chunk of the samples of a batch. The gradients of the
parameters are sums over all samples: each part computes those of a chunk of the parameters, once
all parts have gone back through that operation, and updates a chunk of them.

On the rows of its own samples a thread works without waiting. Before it reads what another thread
has written (columns of all samples, the parameters), and before it writes what another may still be
reading, there must be a ``barrier``.

Threads that divide each single product, as those of OpenBLAS do, wait for each other twice in each
product, and leave everything else to one thread.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from framework.accelerated.jit import jit
from optimizers.arrays import Array

# A thread mostly waits for fewer spins than these, which take a few hundred microseconds. If it
# waits longer, another program has the processor that the missing thread needs. Then sleeping is
# better than yielding: the scheduler favours threads that used little of their slice.
SPINS = 300_000
# After more sleeps than these, a thread spins for a shorter time before it sleeps, down to the
# fewest spins, so as not to keep a busy processor busier. After fewer, for a longer time.
SLEEPS = 5
FEWEST_SPINS = 10_000
# After more sleeps than these in a call, some ten milliseconds, threads give up: it is time to look
# at the clock.
MOST_SLEEPS = 100
# Only two threads could be measured, so this limit is cautious.
MOST_PARTS = 8
ABANDONED = -(2**62)


class ThreadTeam(NamedTuple):
    """What the threads of a team share.

    Attributes:
        arrived: how many times threads have arrived at a ``barrier``, all together, ``(1,)``.
        arrivals: how many times each thread has, ``(threads,)``.
        patience: how many times each spins before it sleeps, ``(threads,)``.
        sleeps: how many times they have slept, all together, ``(1,)``.
        gives_up: whether they have slept so often that this is their last step, ``(1,)``.
        sums: for each part the sums over its chunk: data loss, penalties, accuracy, squares of
            the gradient, ``(parts, 4)``.
        steps: how many steps have been made, ``(1,)``.
    """

    arrived: Array
    arrivals: Array
    patience: Array
    sleeps: Array
    gives_up: Array
    sums: Array
    steps: Array


# Kept from one call to the next, since it depends on the other programs of the machine.
_patience = np.full(MOST_PARTS, SPINS)


def make_team(threads: int, parts: int) -> ThreadTeam:
    """Return a team of so many ``threads`` for so many ``parts``, at most ``MOST_PARTS``."""
    return ThreadTeam(
        arrived=np.zeros(1, np.int64),
        arrivals=np.zeros(threads, np.int64),
        patience=_patience[:threads],
        sleeps=np.zeros(1, np.int64),
        gives_up=np.zeros(1, np.bool_),
        sums=np.zeros((parts, 4)),
        steps=np.zeros(1, np.int64),
    )


def together(thread_team: ThreadTeam, work: Callable[[int], Any]) -> None:
    """Call ``work(thread_id)`` in each thread of ``thread_team``; 0 is the calling thread.

    If one of them ends with an error, the others end at their next ``barrier``, and the error is
    raised.
    """
    errors: list[BaseException] = []
    processor = None
    can_begin = Event()

    def work_beside(thread_id: int) -> None:
        try:
            can_begin.wait()
            _leave(processor)
            work(thread_id)
        except BaseException as error:
            thread_team.arrived[0] = ABANDONED
            errors.append(error)

    others = [Thread(target=work_beside, args=(i,)) for i in range(1, len(thread_team.arrivals))]
    try:
        for other in others:
            other.start()
        processor = _processor()
        can_begin.set()
        work(0)
    except BaseException:
        thread_team.arrived[0] = ABANDONED
        raise
    finally:
        can_begin.set()
        for other in others:
            if other.ident is not None:  # it was started
                other.join()
    if errors:
        raise errors[0]


# Sleeping takes microseconds; on Windows milliseconds, where 0 lets other threads go first.
_library = ctypes.CDLL("kernel32" if os.name == "nt" else None)
_system_sleep, SLEEP = (_library.Sleep, 0) if os.name == "nt" else (_library.usleep, 50)
llvmlite.binding.add_symbol("dinputs_sleep", ctypes.cast(_system_sleep, ctypes.c_void_p).value)
_sleep: Any = types.ExternalFunction("dinputs_sleep", types.int32(types.uint32))


def _processor() -> int | None:
    """Return the number of the processor that the calling thread uses, where Linux tells."""
    return _library.sched_getcpu() if sys.platform == "linux" else None


def _leave(processor: int | None) -> None:
    """Move the calling thread to another processor than this one, if it may use another.

    Linux often begins a new thread on the processor of the one that started it. Of two threads that
    never sleep, it moves one only after some ten milliseconds.
    """
    if processor is None:
        return
    allowed = os.sched_getaffinity(0)
    others = allowed - {processor}
    if others:
        with suppress(OSError):  # not allowed here: it only takes longer
            os.sched_setaffinity(0, others)
            os.sched_setaffinity(0, allowed)


def _instruction(code_of: Callable[..., Any]) -> Any:
    """Make a function for compiled code, given one that returns its machine instruction."""
    return intrinsic(code_of)


@_instruction
def _add_one(typingctx: Any, address: Any) -> Any:
    """Add 1 to the integer at ``address``, atomically."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(types.intp), code


@_instruction
def _load(typingctx: Any, address: Any) -> Any:
    """Return the integer at ``address``, atomically. What was written before it is visible."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(types.intp), code


@jit
def barrier(thread_team, thread_id):
    """Wait until every other thread has arrived here as many times as this one.

    Returns True; or False if one of them has ended with an error.
    """
    threads = len(thread_team.arrivals)
    if threads == 1:
        return True
    thread_team.arrivals[thread_id] += 1
    expected = thread_team.arrivals[thread_id] * threads
    address = thread_team.arrived.ctypes.data
    _add_one(address)
    spins, patience = 0, thread_team.patience[thread_id]
    arrived = _load(address)
    while 0 <= arrived < expected:
        spins += 1
        if spins > patience:
            _sleep(SLEEP)
            _add_one(thread_team.sleeps.ctypes.data)
        arrived = _load(address)
    # After a long sleep, other programs are using the processor: spin less the next times.
    if spins > patience + SLEEPS:
        thread_team.patience[thread_id] = max(patience // 2, FEWEST_SPINS)
    else:
        thread_team.patience[thread_id] = min(patience + patience // 4, SPINS)
    return arrived >= 0


@jit
def chunk(count, part, parts):
    """Return the slice of ``count`` things that belongs to one of ``parts``."""
    return slice(count * part // parts, count * (part + 1) // parts)


@jit
def own_parts(thread_team, thread_id):
    """Return the parts that a thread takes."""
    own = chunk(len(thread_team.sums), thread_id, len(thread_team.arrivals))
    return range(own.start, own.stop)
