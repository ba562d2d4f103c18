"""The processes that train together: how they exchange values, and how they fail together.

If one process fails, the others would wait for it forever. So an error in a check that all of
them make is raised by all (``agreement``), and any other error ends the whole job
(``ending_together``).
"""

from __future__ import annotations

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
from framework.utils.optional import required
from framework.utils.threads import at_most
from optimizers.arrays import Array

# Environment variables in which Open MPI, MPICH and its relatives, and Slurm give the number of
# processes that they started.
LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")

# On the other ranks an error is raised as the first of these types that it is an instance of, or
# else as a RuntimeError.
SHARED_ERRORS = (BatchError, SavedFileError, TypeError, ValueError, OSError)

AnyResult = TypeVar("AnyResult")


class Communicator:
    """The processes (ranks) that train together.

    Every rank must call each method that sends something.

    Args:
        mpi_communicator: a communicator of mpi4py, such as ``MPI.COMM_WORLD``.

    Attributes:
        rank, size: the number of this process, from 0, and the number of processes.

    Raises TypeError, ValueError and ImportError as ``check_communicator``.
    """

    def __init__(self, mpi_communicator: Any) -> None:
        self.mpi = mpi()
        self.mpi_communicator = check_communicator(mpi_communicator)
        self.rank, self.size = mpi_communicator.rank, mpi_communicator.size
        self._agreed: Exception | None = None

    def chunk(self, count: int) -> slice:
        """Return the chunk of this rank, of ``count`` elements: see ``chunk_sizes``."""
        sizes = self.chunk_sizes(count)
        start = sum(sizes[: self.rank])
        return slice(start, start + sizes[self.rank])

    def chunk_sizes(self, count: int) -> list[int]:
        """Return the size of each rank's chunk of ``count`` elements; they differ by 1 at most."""
        each, left = divmod(count, self.size)
        return [each + (rank < left) for rank in range(self.size)]

    def all_reduce(self, own: Array) -> Array:
        """Return the sum of the ranks' arrays, which have one shape and dtype."""
        total = np.empty_like(own)
        self.mpi_communicator.Allreduce(own, total)
        return total

    def broadcast(self, value: Any) -> Any:
        """Return the ``value`` of rank 0."""
        return self.mpi_communicator.bcast(value)

    def all_gather(self, value: Any) -> list[Any]:
        """Return the ``value`` of every rank, in order."""
        return list(self.mpi_communicator.allgather(value))

    @contextmanager
    def agreement(self) -> Iterator[None]:
        """Raise an error of one rank on all of them, naming the rank. Nothing is sent inside.

        An error that is the same on all ranks is passed on as it is.
        """
        own: Exception | None = None
        try:
            yield
        except Exception as error:
            own = error
        found = self.all_gather(None if own is None else _shared(own))
        if own is not None and all(other == found[0] for other in found):
            raise self.agreed(own)  # such as a wrong argument
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

        An error that is raised on all ranks is passed on.
        """
        try:
            yield
        except BaseException as error:
            if error is self._agreed:
                raise
            traceback.print_exc()
            message = f"{self.name(self.rank)}, on {socket.gethostname()}, ended the job"
            print(f"{message}: {self._lost(error)}{type(error).__name__}: {error}", file=sys.stderr)
            sys.stdout.flush()
            sys.stderr.flush()
            self.mpi_communicator.Abort(1)

    def _lost(self, error: BaseException) -> str:
        """Name the ranks that are lost, if MPI knows them (``mpiexec --with-ft ulfm``)."""
        mpi = self.mpi
        if not isinstance(error, mpi.Exception) or error.Get_error_class() != mpi.ERR_PROC_FAILED:
            return ""
        failed = self.mpi_communicator.Get_failed()
        lost = mpi.Group.Translate_ranks(failed, range(failed.size), self.mpi_communicator.group)
        return f"lost {' and '.join(map(self.name, lost))}: "

    def name(self, rank: int) -> str:
        """Return the name of a rank in messages."""
        return f"rank {rank} of {self.size}"

    def own_threads(self) -> AbstractContextManager[Any]:
        """Return a context in which the ranks of one machine share its cores."""
        neighbours = self.mpi_communicator.Split_type(self.mpi.COMM_TYPE_SHARED)
        count = neighbours.size
        neighbours.Free()
        return at_most(max(1, (os.cpu_count() or 1) // count))

    @contextmanager
    def warning_once(self) -> Iterator[None]:
        """Let only rank 0 show warnings."""
        with warnings.catch_warnings():
            if self.rank:
                warnings.simplefilter("ignore")
            yield


def check_communicator(communicator: Any) -> Any:
    """Return ``communicator`` if it is one for processes that train together.

    Raises:
        TypeError: it is not an intracommunicator of mpi4py.
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
    """Return the communicator of the processes that ``mpiexec`` started, None for a single one.

    Raises ImportError if there are several, and mpi4py is not installed.
    """
    if all(os.environ.get(name, "1") == "1" for name in LAUNCHED):
        return None
    return mpi().COMM_WORLD


def in_turn(communicator: Any, action: Callable[[], AnyResult]) -> AnyResult:
    """Return the result of ``action``, which rank 0 runs before the others.

    So a file that it downloads or creates is there for all. An error of one rank is raised on
    all. Without a communicator, ``action`` is simply run.
    """
    if communicator is None:
        return action()
    together = Communicator(communicator)
    results = []
    for first_has_turn in (True, False):
        with together.agreement():
            if (together.rank == 0) is first_has_turn:
                results.append(action())
    return results[0]


def mpi() -> Any:
    """Return ``mpi4py.MPI``, or raise ImportError that says how to install it."""
    required("mpi4py", '"dinputs[distributed]"')
    from mpi4py import MPI

    return MPI


def _shared(error: Exception) -> tuple[type[Exception], str]:
    """Return type and message of ``error`` for the other ranks, which may not know its class."""
    kinds: Iterator[type[Exception]] = (k for k in SHARED_ERRORS if isinstance(error, k))
    kind = next(kinds, RuntimeError)
    named = "" if type(error) is kind else f"{type(error).__name__}: "
    return kind, f"{named}{error}"
