"""The processes that train together, and how they keep together.

One process that fails while the others wait for it would make them wait forever. So an error in
what all of them check is raised by all (``agreement``), and any other one ends the whole job
(``ending_together``).
"""

import os
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import numpy as np

from framework.errors import BatchError, SavedFileError
from framework.operation import Array
from framework.utils.optional import required
from framework.utils.threads import at_most

# In these, Open MPI, MPICH and its relatives, and Slurm say how many processes they have started.
LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")

# What an error is raised as on the ranks that did not meet it themselves: the first that it is one
# of, or else a RuntimeError.
SHARED_ERRORS = (BatchError, SavedFileError, TypeError, ValueError, OSError)

AnyResult = TypeVar("AnyResult")


class Ranks:
    """The processes that train together, and what they say to each other.

    Each method that sends something must be called by every rank.

    Args:
        communicator: of mpi4py, such as ``MPI.COMM_WORLD``.

    Attributes:
        rank, size: which of how many processes this is, from 0.

    Raises TypeError, ValueError and ImportError as ``check_communicator``.
    """

    def __init__(self, communicator: Any) -> None:
        self.mpi = mpi()
        self.communicator = check_communicator(communicator)
        self.rank, self.size = communicator.rank, communicator.size
        self._agreed: Exception | None = None

    def share(self, count: int) -> slice:
        """Return which of ``count`` things are this rank's: see ``shares``."""
        shares = self.shares(count)
        start = sum(shares[: self.rank])
        return slice(start, start + shares[self.rank])

    def shares(self, count: int) -> list[int]:
        """Return how many of ``count`` things each rank has: the first ones one more, if any."""
        each, left = divmod(count, self.size)
        return [each + (rank < left) for rank in range(self.size)]

    def sum(self, own: Array) -> Array:
        """Return the sum of the ranks' arrays, which are of one shape and dtype."""
        total = np.empty_like(own)
        self.communicator.Allreduce(own, total)
        return total

    def of_first(self, value: Any) -> Any:
        """Return what rank 0 passed."""
        return self.communicator.bcast(value)

    def of_all(self, value: Any) -> list[Any]:
        """Return what every rank passed, in order."""
        return list(self.communicator.allgather(value))

    @contextmanager
    def agreement(self) -> Iterator[None]:
        """Raise on every rank what one of them raises, with its rank. Nothing is sent inside.

        What all of them raise alike is passed on as it is.
        """
        own: Exception | None = None
        try:
            yield
        except Exception as error:
            own = error
        found = self.of_all(None if own is None else _shared(own))
        if own is not None and all(other == found[0] for other in found):
            raise self.agreed(own)  # it concerns every rank, as a wrong argument does
        for rank, failure in enumerate(found):
            if failure is not None:
                kind, message = failure
                raise self.agreed(kind(f"{self.name(rank)}: {message}")) from own

    def agreed(self, error: Exception) -> Exception:
        """Return ``error``, which is about to be raised on every rank."""
        self._agreed = error
        return error

    @contextmanager
    def ending_together(self) -> Iterator[None]:
        """End the processes of all ranks if an error ends this one alone.

        The others would wait for it forever. What is raised on all ranks is passed on.
        """
        try:
            yield
        except BaseException as error:
            if error is self._agreed:
                raise
            traceback.print_exc()
            told = f"{self.name(self.rank)}, on {socket.gethostname()}, ended the job"
            print(f"{told}: {self._lost(error)}{type(error).__name__}: {error}", file=sys.stderr)
            sys.stdout.flush()
            sys.stderr.flush()
            self.communicator.Abort(1)

    def _lost(self, error: BaseException) -> str:
        """Say which ranks are gone, where MPI tolerates that (``mpiexec --with-ft ulfm``)."""
        mpi = self.mpi
        if not isinstance(error, mpi.Exception) or error.Get_error_class() != mpi.ERR_PROC_FAILED:
            return ""
        failed = self.communicator.Get_failed()
        lost = mpi.Group.Translate_ranks(failed, range(failed.size), self.communicator.group)
        return f"lost {' and '.join(map(self.name, lost))}: "

    def name(self, rank: int) -> str:
        """Return what messages call a rank."""
        return f"rank {rank} of {self.size}"

    def own_threads(self) -> AbstractContextManager[Any]:
        """Return a context in which the ranks of one machine share its cores among them."""
        neighbours = self.communicator.Split_type(self.mpi.COMM_TYPE_SHARED)
        count = neighbours.size
        neighbours.Free()
        return at_most(max(1, (os.cpu_count() or 1) // count))

    @contextmanager
    def warning_once(self) -> Iterator[None]:
        """Let rank 0 alone show warnings for a while."""
        with warnings.catch_warnings():
            if self.rank:
                warnings.simplefilter("ignore")
            yield


def check_communicator(communicator: Any) -> Any:
    """Return ``communicator`` if processes can train together by it.

    Raises:
        TypeError: it is none of mpi4py, or one between two groups of processes.
        ValueError: it is null, as on a process that is in none of the groups of a ``Split``.
        ImportError: mpi4py is not installed.
    """
    MPI = mpi()
    if communicator == MPI.COMM_NULL:
        raise ValueError("communicator is MPI.COMM_NULL: this process is none of those that train")
    if not isinstance(communicator, MPI.Intracomm):
        raise TypeError(
            "communicator must be an Intracomm of mpi4py, such as MPI.COMM_WORLD, received "
            f"{communicator!r}"
        )
    return communicator


def launched_together() -> Any:
    """Return the communicator of the processes that ``mpiexec`` has started, None for a single one.

    Raises ImportError if there are several, but no mpi4py for them to talk to each other.
    """
    if all(os.environ.get(name, "1") == "1" for name in LAUNCHED):
        return None
    return mpi().COMM_WORLD


def in_turn(communicator: Any, action: Callable[[], AnyResult]) -> AnyResult:
    """Return what ``action`` gives, which rank 0 does before the others.

    So what it downloads or creates is there for all. Every rank raises what one of them does.
    Without a communicator it is simply done.
    """
    if communicator is None:
        return action()
    ranks = Ranks(communicator)
    done = []
    for turn_of_first in (True, False):
        with ranks.agreement():
            if (ranks.rank == 0) is turn_of_first:
                done.append(action())
    return done[0]


def mpi() -> Any:
    """Return ``mpi4py.MPI``, or raise ImportError with what to install."""
    required("mpi4py", '"dinputs[distributed]"')
    from mpi4py import MPI

    return MPI


def _shared(error: Exception) -> tuple[type[Exception], str]:
    """Return the type and the message of ``error`` for ranks that may not know its own type."""
    kinds: Iterator[type[Exception]] = (k for k in SHARED_ERRORS if isinstance(error, k))
    kind = next(kinds, RuntimeError)
    named = "" if type(error) is kind else f"{type(error).__name__}: "
    return kind, f"{named}{error}"
