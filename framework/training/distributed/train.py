"""Trains a model: in this process alone, or on all ranks of a communicator."""

from __future__ import annotations

from dataclasses import replace

from framework.containers.supervised import Supervised
from framework.data.checks import all_rows
from framework.training.arguments import TrainingArguments
from framework.training.checkpoint import is_checkpoint, prepare_checkpoints
from framework.training.distributed.communicator import Communicator, check_communicator
from framework.training.distributed.consistency import agree_on_shards, check_alike
from framework.training.distributed.loop import DistributedLoop
from framework.training.history import History
from framework.training.loop import train_alone
from framework.training.progress import Reporter
from framework.training.resume import saved_training
from framework.training.setup import set_up


def train(model: Supervised, arguments: TrainingArguments) -> History:
    """Train ``model``: see ``Model.train``."""
    if arguments.communicator is None:
        if arguments.sharded:
            raise ValueError("sharded=True needs a communicator, such as MPI.COMM_WORLD")
    elif check_communicator(arguments.communicator).size > 1:
        return train_together(model, arguments)
    return train_alone(model, replace(arguments, sharded=False))


def train_together(model: Supervised, arguments: TrainingArguments) -> History:
    """Train ``model`` on all ranks of ``arguments.communicator``: see ``Model.train``."""
    communicator = Communicator(arguments.communicator)
    first, sharded = communicator.rank == 0, arguments.sharded
    with communicator.ending_together(), communicator.own_threads(), communicator.warning_once():
        with communicator.agreement():
            training = set_up(model, arguments, all_rows if sharded else communicator.chunk)
        training.rank, training.ranks = communicator.rank, communicator.size
        if not first:
            training.callbacks = [c for c in training.callbacks if not is_checkpoint(c)]
        check_alike(communicator, training, arguments)
        if sharded:
            training.shards = communicator.size
            agree_on_shards(communicator, training, arguments)
        resume_from = arguments.resume_from if first else None
        with communicator.agreement():
            prepare_checkpoints(training, resume_from)
            saved = saved_training(training, resume_from)
        reporter = Reporter(
            training, arguments.progress and first, arguments.print_every if first else None
        )
        saved = communicator.broadcast(saved)
        loop = DistributedLoop(training, reporter, communicator, arguments)
        with communicator.agreement():
            loop.begin(saved)
        loop.follow_first()
        loop.take_state()
        loop.run()
        loop.leave()
    return training.history
