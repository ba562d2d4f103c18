"""The training loop of one rank: see ``framework.training.distributed``."""

from __future__ import annotations

import copy
import itertools
import math
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np

from framework.containers.last_pass import last_pass_kept
from framework.containers.update import update_parameters
from framework.data.batches import ArrayBatches, Batch
from framework.errors import DivergenceError
from framework.layers.batch_normalization import BatchNormalization
from framework.training.arguments import TrainingArguments
from framework.training.distributed.communicator import Communicator
from framework.training.distributed.parameter_shard import ParameterShard
from framework.training.distributed.rank_batches import RankBatches, rows_of_rank
from framework.training.divergence import check_parameters
from framework.training.evaluation import EvaluationPass
from framework.training.loop import Loop
from framework.training.progress import Reporter
from framework.training.state import Training
from framework.training.step import forward_and_backward
from framework.utils import rng
from framework.utils.all_reduce import use_all_reduce
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer


class DistributedLoop(Loop):
    """The loop of one rank, with data of its own if they are ``sharded``."""

    # mpiexec turns Ctrl-C into SIGTERM, and a cluster sends it when time is up.
    signals = (signal.SIGINT, signal.SIGTERM)
    compiles = False

    def __init__(
        self,
        training: Training,
        reporter: Reporter,
        communicator: Communicator,
        arguments: TrainingArguments,
    ) -> None:
        super().__init__(training, reporter)
        self.communicator, self.sharded = communicator, arguments.sharded
        self.shard = ParameterShard(self.model, communicator)
        if self.sharded and isinstance(self.data, ArrayBatches):
            own = self.data.total_weight(self.data.rows), len(self.data.rows)
            total, rows = communicator.all_reduce(np.array(own, dtype=np.float64))
            self.data = self.data.rebatched(training.batches or 1, arguments.data.shuffle)
            self.data.mean_weight = float(total / rows)
        self.rank_batches = RankBatches(self.data, communicator, self.sharded, training.batches)
        # Of the current epoch: the seeds of this rank's generators, and how many rows it saw.
        self.seeds: list[int] = []
        self.rows_seen = 0
        self.synchronized = [
            layer
            for layer in self.model.leaves()
            if isinstance(layer, BatchNormalization) and layer.synchronized
        ]

    # The methods that differ from those of a single process

    def batches(self, skip: int = 0) -> Iterator[Batch]:
        """Return the batches of an epoch on this rank; each rank takes a part in ``step``."""
        self._broadcast_rng()
        self.rows_seen = 0
        # Here the generator is in its state at the beginning of the epoch, resumed or not.
        self.seeds = copy.deepcopy(rng.generator()).integers(2**63, size=4).tolist()
        return self.rank_batches.epoch(skip)

    def step(self, batch: Batch) -> None:
        """Take one step together: the gradients of all ranks make one update."""
        training, communicator = self.training, self.communicator
        training.batch += 1
        penalties = self.model.regularization_loss()
        own = self._own(batch)
        self.rows_seen += len(own)
        total_weight, samples = batch.total_weight, len(batch)
        contributors = float(min(samples, communicator.size))
        if self.sharded:
            counts = np.array([own.total_weight, len(own), bool(len(own))], dtype=np.float64)
            total_weight, samples, contributors = communicator.all_reduce(counts).tolist()
        mean_weight = self.mean_weight(total_weight, int(samples))
        # The mean of the contributors' gradients is then that of the batch. Each of them contains
        # the gradient of the penalties, which so counts once.
        scale = contributors * own.total_weight / (samples * mean_weight)
        with rng.use_generator(self._generator()), use_all_reduce(communicator.all_reduce):
            own_loss, own_accuracy, gradient = self._forward_and_backward(own, scale)
        sums = communicator.all_reduce(np.array([own_loss, own_accuracy]) * own.total_weight)
        data_loss, accuracy = map(float, sums / total_weight)
        batch_loss = data_loss * total_weight / (samples * mean_weight)
        self._check_loss_together(own_loss, batch_loss, penalties)
        self._update(gradient, contributors)
        training.batch_accuracy = accuracy
        training.sums.add(total_weight, data_loss, penalties, accuracy)

    def stopped(self) -> bool:
        """Whether training was stopped on any rank."""
        training, history = self.training, self.history
        own = np.array([bool(history.stopped)], dtype=np.float64)
        if not self.communicator.all_reduce(own)[0]:
            return False
        found = self.communicator.all_gather((history.stopped, training.interrupted))
        history.stopped = next(reason for reason, _ in found if reason)
        training.interrupted = any(interrupted for _, interrupted in found)
        return True

    def sync(self) -> None:
        """Gather the optimizer's state, average running statistics, share the random state."""
        model, communicator = self.model, self.communicator
        if isinstance(model.optimizer, Optimizer):
            self.shard.gather_state(model.optimizer)
        # The statistics are of each rank's own rows, and weighted by their number.
        rows = communicator.all_reduce(np.array([float(self.rows_seen)]))[0]
        _, *statistics = model.stored_arrays()
        for array in statistics if rows else []:
            array[...] = communicator.all_reduce(array * (self.rows_seen / rows))
        self._broadcast_rng()

    def record(self, started: float) -> None:
        """Add the metrics of all ranks to the history, the same numbers on each of them."""
        with self.communicator.agreement():
            check_parameters(self.training)
        source = self.training.evaluated
        evaluated = None
        if source is not None:
            parts = (part for part in map(self._own, source.epoch()) if len(part))
            with last_pass_kept(self.model):
                evaluated = EvaluationPass(self.model, parts)
            evaluated.sums = self.communicator.all_reduce(evaluated.sums)
            if self.model.metrics:
                found = self.communicator.all_gather(evaluated.results)
                evaluated.results = list(itertools.chain.from_iterable(found))
        with self.communicator.agreement():  # a metric of the user's own may fail
            self.add_to_history(started, evaluated)
        lists = [getattr(self.history, name) for name in self.training.metrics()]
        metrics = self.communicator.broadcast([values[-1] for values in lists])
        for values, metric in zip(lists, metrics, strict=True):
            values[-1] = metric

    # The same model on every rank

    def follow_first(self) -> None:
        """Take parameters, running statistics and the optimizer's state from rank 0."""
        model, communicator = self.model, self.communicator
        for array in [*model.stored_arrays(), *model.frozen_arrays()]:
            array[...] = communicator.broadcast(array)
        if isinstance(model.optimizer, Optimizer):
            state = model.optimizer.state(model.parameters)
            model.optimizer.iterations, known = communicator.broadcast(
                (model.optimizer.iterations, dict(state))
            )
            state.clear()
            state.update(known)

    def take_state(self) -> None:
        """Begin with this rank's chunk of the optimizer's state."""
        if isinstance(self.model.optimizer, Optimizer):
            self.shard.take_state(self.model.optimizer)

    def leave(self) -> None:
        """End with the same model, optimizer and generator on every rank: those of rank 0.

        A callback, such as ``EarlyStopping``, may have changed them at the end on some ranks only.
        """
        self.follow_first()
        self._broadcast_rng()
        if isinstance(self.model.optimizer, Optimizer):
            self.model.optimizer.forget(self.shard)

    def _broadcast_rng(self) -> None:
        bits = rng.generator().bit_generator
        bits.state = self.communicator.broadcast(bits.state)

    # Parts of a step

    def _own(self, batch: Batch) -> Batch:
        return batch if self.sharded else rows_of_rank(batch, self.communicator)

    def _generator(self) -> np.random.Generator:
        """Return the generator of a forward pass: on rank 0 the usual one, else one of its own.

        The latter depends on rank, epoch and batch alone, so that no checkpoint has to hold it.
        """
        if self.communicator.rank == 0:
            return rng.generator()
        return np.random.default_rng([self.communicator.rank, self.training.batch, *self.seeds])

    def _forward_and_backward(self, own: Batch, scale: float) -> tuple[float, float, Array]:
        """Return data loss, accuracy and gradient of this rank's part of a batch."""
        parameters = self.model.parameters
        if len(own):
            found = forward_and_backward(self.model, own, self.micro_batch_size, scale=scale)
            return *found, parameters.dweights
        # Operations that look at the whole batch exchange values, for which all others wait.
        with last_pass_kept(self.model):
            for layer in self.synchronized:
                layer.forward(np.zeros((0, layer.n_features)))
            for layer in reversed(self.synchronized):
                layer.backward(np.zeros_like(layer.output))
        return 0.0, 0.0, np.zeros_like(parameters.weights)

    def _check_loss_together(self, own_loss: float, data_loss: float, penalties: float) -> None:
        """Raise DivergenceError on all ranks if the loss of the batch is not finite."""
        try:
            self.check_loss(data_loss, penalties)
        except DivergenceError as error:
            healthy = math.isfinite(own_loss)
            found = self.communicator.all_gather(None if healthy else str(error))
            for rank, message in enumerate(found):
                if message is not None:
                    text = f"{self.communicator.name(rank)}: {message}"
                    named = DivergenceError(text, self.history)
                    raise self.communicator.agreed(named) from None
            raise self.communicator.agreed(error) from None

    def _update(self, gradient: Array, contributors: float) -> None:
        optimizer: Any = self.model.optimizer
        self.before_update(self.training.batch)
        if isinstance(optimizer, Optimizer):
            self.shard.reduce_gradient(gradient, contributors)
            optimizer.pre_update_params()
            self.shard.clip(optimizer)
            optimizer.update_params(self.shard)
            self.shard.gather_parameters()
            optimizer.post_update_params()
        else:  # it gets one layer after the other, so every rank updates everything
            mean = self.communicator.all_reduce(gradient) / contributors
            self.model.parameters.dweights[...] = mean
            update_parameters(self.model)
