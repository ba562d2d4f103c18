"""Training on several processes at once, on one machine or on many, over MPI.

``mpiexec -n 4 python train.py`` starts a script four times. With ``communicator=MPI.COMM_WORLD``
the four train one model together: they hold the same parameters and take a part each of every
batch. One step is

1. forward on the own part; loss and accuracy are added up over the ranks (four numbers);
2. backward, with the part's gradient scaled so that the sum over the ranks is that of the batch;
3. reduce-scatter: every rank receives the sum of one stretch of the gradient vector;
4. the optimizer updates that stretch of the parameters, with its stretch of the state;
5. all-gather: every rank receives the other stretches of the parameters.

Steps 3 and 5 together send as much as an all-reduce of the whole gradient would, and the update
takes a fraction of the time (Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training
Trillion Parameter Models", 2020, stage 1). Measured on two cores, it made a step 7 % shorter than
one all-reduce and an update of everything on each rank; buckets that are sent while backward still
runs gained nothing over that, since on one machine the message costs a core's time too.
"""

import copy
import math
import os
import signal
import socket
import sys
import traceback
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework import randomness
from framework.accuracies.accuracy import Accuracy
from framework.conversion import required
from framework.history import DivergenceError, History
from framework.layers.batch_normalization import BatchNormalization
from framework.operation import Array
from framework.progress import Reporter
from framework.samples import Batch, Samples
from framework.threads import at_most
from framework.totals import totals_by
from framework.training import EpochSums, Loop, Task, prepare
from optimizers.optimizer import Optimizer, State, joint_norm

if TYPE_CHECKING:
    from framework.model import Model

# What an error is raised as on the ranks that did not meet it themselves.
SHARED_ERRORS = (TypeError, ValueError, RuntimeError)


def train_together(
    model: "Model",
    X: ArrayLike,
    y: ArrayLike,
    *,
    communicator: Any,
    sharded: bool,
    progress: bool,
    **options: Any,
) -> History:
    """Train ``model`` on all ranks of ``communicator``: see ``Model.train``."""
    ranks = Ranks(communicator)
    with ranks.ending_together(), ranks.own_threads():
        with ranks.agreement():
            task = prepare(model, X, y, warns=ranks.rank == 0, **options)
        task.training.rank, task.training.ranks = ranks.rank, ranks.size
        _check_alike(ranks, task, options, sharded)
        _distribute(ranks, task, options, sharded)
        reporter = Reporter(task.training, progress, task.print_every)
        if ranks.rank != 0:
            reporter = Reporter(task.training, progress=False, print_every=None)
        loop = DistributedLoop(task, reporter, ranks)
        loop.run()
        loop.finish()
    return task.training.history


class Ranks:
    """The processes that train together, and what they say to each other.

    Each method that sends something must be called by every rank.

    Args:
        communicator: of mpi4py, such as ``MPI.COMM_WORLD``.

    Attributes:
        rank, size: which of how many processes this is, from 0.

    Raises:
        TypeError: ``communicator`` is something else.
        ImportError: mpi4py is not installed.
    """

    def __init__(self, communicator: Any) -> None:
        self.mpi = mpi()
        if not isinstance(communicator, self.mpi.Intracomm):
            raise TypeError(
                "communicator must be one of mpi4py, such as MPI.COMM_WORLD, received "
                f"{communicator!r}"
            )
        self.communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self._agreed: Exception | None = None

    def share(self, count: int) -> slice:
        """Return which of ``count`` things are this rank's: see ``shares``."""
        each, left = divmod(count, self.size)
        start, stop = (each * rank + min(rank, left) for rank in (self.rank, self.rank + 1))
        return slice(start, stop)

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
        """Raise on every rank what one of them raises, with its rank. Nothing is sent inside."""
        own: Exception | None = None
        try:
            yield
        except Exception as error:
            own = error
        kind = next((i for i, kind in enumerate(SHARED_ERRORS) if isinstance(own, kind)), -1)
        found = self.of_all(None if own is None else (kind, str(own)))
        if own is not None and all(other == found[0] for other in found):
            raise self.agreed(own)  # it concerns every rank, as a wrong argument does
        for rank, failure in enumerate(found):
            if failure is not None:
                kind, message = failure
                raise self.agreed(SHARED_ERRORS[kind](f"{self.name(rank)}: {message}")) from own

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
            if error is self._agreed or isinstance(error, DivergenceError):
                raise
            traceback.print_exc()
            print(
                f"{self.name(self.rank)}, on {socket.gethostname()}, ended the job: "
                f"{type(error).__name__}: {error}",
                file=sys.stderr,
            )
            sys.stdout.flush()
            sys.stderr.flush()
            self.communicator.Abort(1)

    def name(self, rank: int) -> str:
        """Return what messages call a rank."""
        return f"rank {rank} of {self.size}"

    def own_threads(self) -> AbstractContextManager[Any]:
        """Return a context in which the ranks of one machine share its cores among them."""
        neighbours = self.communicator.Split_type(self.mpi.COMM_TYPE_SHARED)
        count = neighbours.size
        neighbours.Free()
        return at_most(max(1, (os.cpu_count() or 1) // count))


class DistributedLoop(Loop):
    """The loop of one rank. What every rank does alike is that of ``Loop``."""

    # SIGTERM is what mpiexec makes of Ctrl-C, and what a cluster sends when time is up.
    signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, task: Task, reporter: Reporter, ranks: Ranks) -> None:
        super().__init__(task, reporter)
        self.ranks = ranks
        self.synchronized = [
            layer
            for layer in self.model.layers
            if isinstance(layer, BatchNormalization) and layer.synchronized
        ]
        self.part = _Part(self.model, ranks)

    def _begin(self) -> None:
        model, ranks = self.model, self.ranks
        for array in model.stored_arrays():
            array[...] = ranks.of_first(array)
        if isinstance(model.optimizer, Optimizer):
            model.optimizer.iterations = ranks.of_first(model.optimizer.iterations)
            self.part.take_state(model.optimizer)
        with ranks.agreement():
            super()._begin()

    def finish(self) -> None:
        """Leave every rank with the same generator, and the optimizer without this training's."""
        self._synchronize_chance()
        if isinstance(self.model.optimizer, Optimizer):
            self.model.optimizer.forget(self.part)

    def _run_epoch(self) -> None:
        self._synchronize_chance()
        # Rank 0 draws, for dropout, what a single process would; the others their own.
        self.chance = common = randomness.generator()
        if self.ranks.rank:
            numbers = copy.deepcopy(common).integers(2**63, size=4)
            self.chance = np.random.default_rng([self.ranks.rank, *numbers])
        self.rows_seen = 0
        super()._run_epoch()

    def _synchronize_chance(self) -> None:
        bits = randomness.generator().bit_generator
        bits.state = self.ranks.of_first(bits.state)

    def _forward(self, batch: Batch) -> tuple[float, float, float]:
        own = np.zeros(4)
        self.own_data_loss = 0.0
        with randomness.drawing_from(self.chance), totals_by(self.ranks.sum):
            if len(batch.X):
                amount, self.own_data_loss, accuracy = super()._forward(batch)
                own[:] = amount, self.own_data_loss * amount, accuracy * amount, 1
            else:
                for layer in self.synchronized:
                    layer.forward(np.zeros((0, layer.n_features)))
        self.rows_seen += len(batch.X)
        amount, data_loss, right, self.contributors = self.ranks.sum(own)
        # The average of the contributors' gradients is then that of the batch, and the
        # penalties, which are in each of them, come out once.
        self.scale = self.contributors * own[0] / amount
        return float(amount), float(data_loss / amount), float(right / amount)

    def _backward(self, batch: Batch) -> None:
        with totals_by(self.ranks.sum):
            if len(batch.X):
                self.model.backward(
                    batch.y, all_operations=False, sample_weight=batch.weight, scale=self.scale
                )
                self.gradient = self.model.parameters.dweights
            else:
                for layer in reversed(self.synchronized):
                    layer.backward(np.zeros_like(layer.output))
                self.gradient = np.zeros_like(self.model.parameters.weights)

    def _update(self) -> None:
        optimizer, parameters = self.model.optimizer, self.model.parameters
        if isinstance(optimizer, Optimizer):
            self.part.receive(self.gradient, self.contributors)
            optimizer.pre_update_params()
            self.part.update(optimizer)
            optimizer.post_update_params()
        else:  # it is given one layer after the other, so that every rank updates everything
            parameters.dweights[...] = self.ranks.sum(self.gradient) / self.contributors
            super()._update()

    def _settle(self) -> None:
        model, ranks = self.model, self.ranks
        if isinstance(model.optimizer, Optimizer):
            self.part.gather_state(model.optimizer)
        # Statistics of the ranks' own batches: their mean, by how many samples each has seen.
        rows = ranks.sum(np.array([float(self.rows_seen)]))[0]
        for array in model.stored_arrays()[1:]:
            array[...] = ranks.sum(array * (self.rows_seen / rows))
        self._synchronize_chance()

    def _evaluate(self, X: Array, y: Array, weights: Array | None) -> tuple[float, float | None]:
        own = np.zeros(3)
        if len(X):
            data_loss, accuracy = super()._evaluate(X, y, weights)
            amount = len(X) if weights is None else float(weights.sum())
            own[:] = amount, data_loss * amount, (accuracy or 0.0) * amount
        amount, data_loss, right = map(float, self.ranks.sum(own))
        return data_loss / amount, None if self.model.accuracy is None else right / amount

    def _record(self, sums: EpochSums, started: float) -> None:
        super()._record(sums, started)
        lists = [getattr(self.history, name) for name in self.training.figures()]
        for figures, figure in zip(
            lists, self.ranks.of_first([figures[-1] for figures in lists]), strict=True
        ):
            figures[-1] = figure

    def _stopped(self) -> bool:
        training, history = self.training, self.history
        if not self.ranks.sum(np.array([bool(history.stopped)], dtype=np.float64))[0]:
            return False
        found = self.ranks.of_all((history.stopped, training.interrupted))
        history.stopped = next(reason for reason, _ in found if reason)
        training.interrupted = any(interrupted for _, interrupted in found)
        return True

    def _divergence(self) -> DivergenceError:
        healthy = math.isfinite(self.own_data_loss)
        found = self.ranks.of_all(None if healthy else str(super()._divergence()))
        for rank, message in enumerate(found):
            if message is not None:
                return DivergenceError(f"{self.ranks.name(rank)}: {message}", self.history)
        return super()._divergence()


class _Part:
    """The stretch of a model's parameters that one rank updates, as optimizers see it."""

    def __init__(self, model: "Model", ranks: Ranks) -> None:
        self._whole, self._ranks = model.parameters, ranks
        self._shares = ranks.shares(len(self._whole))
        self._own = ranks.share(len(self._whole))
        self.dweights = np.empty(self._shares[ranks.rank], dtype=self._whole.dtype)

    @property
    def weights(self) -> Array:
        return self._whole.weights[self._own]

    def receive(self, gradient: Array, contributors: float) -> None:
        """Take this stretch of the average of the ranks' gradients."""
        self._ranks.communicator.Reduce_scatter(gradient, self.dweights, self._shares)
        self.dweights /= contributors

    def update(self, optimizer: Optimizer) -> None:
        """Update this stretch, and take the others from the ranks that updated them."""
        if optimizer.max_gradient_norm is not None:
            norms = self._ranks.of_all(joint_norm([self.dweights]))
            self.dweights *= optimizer.clipping_factor(math.hypot(*norms))
        optimizer.update_params(self)
        self._gather(self._whole.weights)

    def take_state(self, optimizer: Optimizer) -> None:
        """Begin with this stretch of what rank 0's optimizer remembers of the whole."""
        whole = optimizer.state(self._whole)
        known = self._ranks.of_first(dict(whole))
        whole.clear()
        whole.update(known)
        optimizer.state(self)["weights"] = State(
            {
                name: array[self._own].copy() if len(array) == len(self._whole) else array.copy()
                for name, array in known.get("weights", {}).items()
            }
        )

    def gather_state(self, optimizer: Optimizer) -> None:
        """Put the ranks' stretches of the optimizer's state together, on every rank."""
        whole = optimizer.state(self._whole).setdefault("weights", State())
        for name, own in optimizer.state(self).get("weights", State()).items():
            if own.shape != self.dweights.shape:
                whole[name] = own.copy()  # no array that goes with the parameters
                continue
            array = whole.array(name, like=self._whole.weights)
            array[self._own] = own
            self._gather(array)

    def _gather(self, array: Array) -> None:
        ranks = self._ranks
        ranks.communicator.Allgatherv(ranks.mpi.IN_PLACE, [array, self._shares])


class _Shared(Samples):
    """Samples that all ranks have: each takes its part of every batch."""

    def __init__(self, ranks: Ranks, samples: Samples) -> None:
        vars(self).update(vars(samples))
        self.ranks = ranks

    def rows_of_batches(self) -> Iterator[Array]:
        for chosen in super().rows_of_batches():
            yield chosen[self.ranks.share(len(chosen))]


class _Shard(Samples):
    """Samples of one rank alone, gone through in as many batches as those of the others."""

    def __init__(self, ranks: Ranks, samples: Samples, batch_size: int | None, shuffle: bool):
        vars(self).update(vars(samples))
        self.ranks = ranks
        total = sum(ranks.of_all(len(self.rows)))
        self._batches = math.ceil(total / (batch_size or total))
        self.shuffle = shuffle and self._batches > 1

    @property
    def batches(self) -> int:
        return self._batches

    def rows_of_batches(self) -> Iterator[Array]:
        order = self.rows
        if self.shuffle:
            # Drawn alike on every rank, but not the same order for all.
            numbers = randomness.generator().integers(2**63, size=4)
            order = np.random.default_rng([self.ranks.rank, *numbers]).permutation(order)
        for batch in range(self.batches):
            start, stop = (len(order) * end // self.batches for end in (batch, batch + 1))
            yield order[start:stop]


def _distribute(ranks: Ranks, task: Task, options: dict[str, Any], sharded: bool) -> None:
    """Leave to each rank, of the samples of ``task``, what is its part of them."""
    model, samples = task.training.model, task.samples
    if not sharded:
        task.samples = _Shared(ranks, samples)
        if task.validation is not None:
            X, y, weights = task.validation
            own = ranks.share(len(X))
            task.validation = X[own], y[own], None if weights is None else weights[own]
        return
    task.samples = _Shard(ranks, samples, options["batch_size"], options["shuffle"])
    task.training.batches = task.samples.batches
    # Weights were scaled so that the largest is 1, on each rank by itself.
    _scale_alike(ranks, samples.weights, options["sample_weight"])
    if task.validation is not None:
        weights = task.validation[2]
        given = options["validation_data"]
        _scale_alike(ranks, weights, options["sample_weight"] if given is None else given[-1])
    if isinstance(model.accuracy, Accuracy):
        # What it learned from the targets, it has to have learned from the same ones.
        vars(model.accuracy).update(ranks.of_first(vars(model.accuracy)))


def _scale_alike(ranks: Ranks, weights: Array | None, given: ArrayLike | None) -> None:
    if weights is not None and given is not None:
        largest = float(np.max(given))
        weights *= largest / max(ranks.of_all(largest))


def _check_alike(ranks: Ranks, task: Task, options: dict[str, Any], sharded: bool) -> None:
    """Raise ValueError on every rank if one has another task than rank 0."""
    model, samples = task.training.model, task.samples
    facts: dict[str, Any] = {
        "sharded": sharded,
        "epochs": task.training.epochs,
        "batch_size": options["batch_size"],
        "shuffle": options["shuffle"],
        "the number of parameters": len(model.parameters),
        "dtype": model.dtype.name,
        "the shape of a sample": samples.X.shape[1:],
        "sample_weight": samples.weights is not None,
        "validation": task.validation is not None,
        "weights for validation": task.validation is not None and task.validation[2] is not None,
    }
    if not sharded:
        facts |= {
            "the number of samples": len(samples.rows),
            "a checksum of the first samples": _checksum(samples.X),
            "a checksum of the first targets": _checksum(samples.y),
        }
    found = ranks.of_all(facts)
    for rank, theirs in enumerate(found):
        for name, value in found[0].items():
            if theirs.get(name) != value:
                raise ranks.agreed(
                    ValueError(
                        f"{ranks.name(rank)} has {name} {theirs.get(name)}, rank 0 has {value}: "
                        "every rank must be given the same (with sharded=True, data of its own)"
                    )
                )


def _checksum(array: Array, samples: int = 1000) -> int:
    return zlib.crc32(array[:samples].tobytes())


def mpi() -> Any:
    """Return ``mpi4py.MPI``, or raise ImportError with what to install."""
    required("mpi4py", '"dinputs[distributed]"')
    from mpi4py import MPI

    return MPI
