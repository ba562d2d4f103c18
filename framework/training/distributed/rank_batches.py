"""The batches of one rank: its rows of every batch, its own data, or its own loader."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from framework.data.batches import ArrayBatches, Batch, Batches, BatchStream
from framework.errors import BatchError
from framework.training.distributed.communicator import Communicator
from framework.utils import rng
from optimizers.arrays import Array


def rows_of_rank(batch: Batch, communicator: Communicator) -> Batch:
    """Return this rank's part of a batch that all ranks have; it may be empty."""
    return Batch(batch.source, batch.rows[communicator.chunk(len(batch))])


class RankBatches:
    """The batches of one rank in an epoch, as many as on every other rank.

    Args:
        data: where they come from.
        communicator: the ranks that train together.
        sharded: whether ``data`` are this rank's own. If not, all ranks have the same batches.
        batches_per_epoch: of all ranks; None where it is not known.
    """

    def __init__(
        self,
        data: Batches,
        communicator: Communicator,
        sharded: bool,
        batches_per_epoch: int | None,
    ) -> None:
        self.data, self.communicator, self.sharded = data, communicator, sharded
        self.batches_per_epoch = batches_per_epoch

    def epoch(self, skip: int = 0) -> Iterator[Batch]:
        """Return the batches of one epoch, without the first ``skip``; some may be empty."""
        data = self.data
        if isinstance(data, ArrayBatches) and not self.sharded:
            return data.epoch(skip=skip)
        if isinstance(data, BatchStream):
            batches = self._of_stream(data)
        else:
            batches = self._of_shard(data, self._order_of_shard(data))
        for _ in range(skip):  # at once, since a stream may draw its order from the generator
            next(batches, None)
        return batches

    def _order_of_shard(self, data: ArrayBatches) -> Array:
        if not data.shuffle:
            return data.rows
        # All ranks draw the same numbers, so that their generators stay equal; the order itself
        # is one for each rank.
        numbers = rng.generator().integers(2**63, size=4)
        return np.random.default_rng([self.communicator.rank, *numbers]).permutation(data.rows)

    def _of_shard(self, data: ArrayBatches, order: Array) -> Iterator[Batch]:
        batches = self.batches_per_epoch or 1
        for batch in range(batches):
            start, stop = (len(order) * end // batches for end in (batch, batch + 1))
            yield Batch(data, order[start:stop])

    def _of_stream(self, stream: BatchStream) -> Iterator[Batch]:
        """Yield batches until no rank has one any more; those of the others are empty."""
        communicator = self.communicator
        batches = stream.epoch()
        while True:
            with communicator.agreement():
                batch = next(batches, None)
            present = communicator.all_gather(batch is not None)
            if not any(present):
                return
            if not all(present) and not self.sharded:
                error = BatchError(
                    f"{communicator.name(present.index(False))} has fewer batches than others: "
                    "every rank must be given the same, or, with sharded=True, its own"
                )
                raise communicator.agreed(error)
            first = stream.first
            yield batch or Batch(first.source, first.rows[:0])
