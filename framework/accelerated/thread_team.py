"""Threads that take the steps of a training together.

Each goes forward and back with its own part of the samples of a batch. The gradients of the
parameters are sums over all samples; of these, each thread computes those of its own part of the
parameters, for which the others must have come as far, and updates that part. So nothing has to be
added up over the threads, and the results are those of one thread, but for what rounding a product
of another shape makes.

On its own samples' rows a thread works without waiting. Where it needs what another has written,
columns of all samples or the parameters, there must be a ``barrier`` between; and so there must
before it writes what another may still read.

Threads that divide each single product, as those of OpenBLAS do, wait for each other twice in
each, and leave to one of them what is no product.
"""

import ctypes
import os
from collections.abc import Callable
from threading import Thread
from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from framework.accelerated.compiled import compiled
from framework.operation import Array

# Waiting is mostly for less than so many looks, a few hundred microseconds. After them another
# program has the processor that a missing thread needs. Then to sleep is better than to yield: who
# has used little of its time is let go first.
LOOKS = 300_000
# Up to so many sleeps, waiting was short all the same; after more, the looks are made fewer, down
# to the fewest: a busy processor is not to be kept busy by looking.
SLEEPS = 5
FEWEST_LOOKS = 10_000
# More than two could not be measured, so this is careful.
MOST_THREADS = 8
ABANDONED = -(2**62)


class Team(NamedTuple):
    """What the threads of a team share.

    Attributes:
        arrived: how often threads have come to a ``barrier`` in all, ``(1,)``.
        own: how often each has, ``(threads,)``.
        patience: how often each looks whether the others have come, before it sleeps.
        sums: of each over its part: data loss, penalties, accuracy, squares of the gradient.
        steps: how many they have made, ``(1,)``.
    """

    arrived: Array
    own: Array
    patience: Array
    sums: Array
    steps: Array


# Kept from one call to the next: it depends on what else the machine is doing.
_patience = np.full(MOST_THREADS, LOOKS)


def team_of(threads: int) -> Team:
    """Return what so many ``threads`` share, at most ``MOST_THREADS``."""
    return Team(
        arrived=np.zeros(1, np.int64),
        own=np.zeros(threads, np.int64),
        patience=_patience[:threads],
        sums=np.zeros((threads, 4)),
        steps=np.zeros(1, np.int64),
    )


def together(team: Team, work: Callable[[int], Any]) -> None:
    """Call ``work`` in each thread of ``team`` with its number; 0 is the thread that calls this.

    If one of them ends with an error, the others end at their next ``barrier``, and the error is
    raised.
    """
    errors: list[BaseException] = []

    def work_beside(member: int) -> None:
        try:
            work(member)
        except BaseException as error:
            team.arrived[0] = ABANDONED
            errors.append(error)

    others = [Thread(target=work_beside, args=(i,)) for i in range(1, len(team.own))]
    try:
        for other in others:
            other.start()
        work(0)
    except BaseException:
        team.arrived[0] = ABANDONED
        raise
    finally:
        for other in others:
            if other.ident is not None:  # it was started
                other.join()
    if errors:
        raise errors[0]


# To sleep: on Windows for milliseconds, of which 0 lets others go first, elsewhere microseconds.
_library = ctypes.CDLL("kernel32" if os.name == "nt" else None)
_system_sleep, SLEEP = (_library.Sleep, 0) if os.name == "nt" else (_library.usleep, 50)
llvmlite.binding.add_symbol("dinputs_sleep", ctypes.cast(_system_sleep, ctypes.c_void_p).value)
_sleep: Any = types.ExternalFunction("dinputs_sleep", types.int32(types.uint32))


def _instruction(code_of: Callable[..., Any]) -> Any:
    """Make what says which instruction to compile into a function for compiled code."""
    return intrinsic(code_of)


@_instruction
def _add_one(typingctx: Any, address: Any) -> Any:
    """Add 1 to the integer at ``address``, whatever other threads do at the time."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(types.intp), code


@_instruction
def _look_at(typingctx: Any, address: Any) -> Any:
    """Return the integer at ``address`` as it is now: all that was written before it is seen."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(types.intp), code


@compiled
def barrier(team, member):
    """Wait until every other member has come here as often as this one.

    Returns whether it has: False where one of them has given up.
    """
    threads = len(team.own)
    if threads == 1:
        return True
    team.own[member] += 1
    expected = team.own[member] * threads
    address = team.arrived.ctypes.data
    _add_one(address)
    looks, patience = 0, team.patience[member]
    arrived = _look_at(address)
    while 0 <= arrived < expected:
        looks += 1
        if looks > patience:
            _sleep(SLEEP)
        arrived = _look_at(address)
    # Who slept for long has other programs beside it, and is less patient the next times.
    if looks > patience + SLEEPS:
        team.patience[member] = max(patience // 2, FEWEST_LOOKS)
    else:
        team.patience[member] = min(patience + patience // 4, LOOKS)
    return arrived >= 0


@compiled
def share(count, team, member):
    """The part of so many things that a member sees to, as a slice."""
    threads = len(team.own)
    return slice(count * member // threads, count * (member + 1) // threads)
