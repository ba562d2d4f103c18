"""Where batches come from: arrays, or an object that gives batches one by one.

    source = ArrayBatches(X, y, sample_weight, batch_size=32, shuffle=True)
    for batch in source.epoch():                  # a Batch: the samples of one update
        for part in batch.micro_batches(4096):    # a MicroBatch: the samples that run at once

``ArrayBatches`` and ``BatchStream`` have the same ``epoch()``, so training and evaluation need not
tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from framework.containers.supervised import Supervised
from framework.data.checks import Transform, check_weighted_data
from framework.errors import BatchError
from framework.utils import rng
from framework.utils.memory_maps import is_mapped, release_pages, take_rows
from optimizers.arrays import Array

# Only the ratios of weights matter. If the first batch of a stream weighs more than HUGE, all
# weights are multiplied by SMALL, a power of two, so that no sum over an epoch overflows.
HUGE, SMALL = 1e100, 2.0**-664


class MicroBatch(NamedTuple):
    """Samples of a batch that run through the network at once.

    Attributes:
        X, y: data and targets.
        sample_weight: a weight for each sample, or None.
        share: their share of the batch's total weight; 1 for a whole batch.
    """

    X: Array
    y: Array
    sample_weight: Array | None
    share: float


class Batch:
    """The samples of one update: rows of arrays, which are taken when they are needed.

    Attributes:
        source: the ``ArrayBatches`` that has the arrays.
        rows: the rows of its arrays.
        total_weight: the weight of the batch in a mean over several: the sum of its sample
            weights, or the number of its samples.
    """

    def __init__(self, source: ArrayBatches, rows: Array) -> None:
        self.source, self.rows = source, rows
        self.total_weight = source.total_weight(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def steps(self) -> Iterator[Batch]:
        """Yield the batch of each step, if several were put together for one compiled call."""
        size = self.source.batch_size
        if size >= len(self.rows):
            yield self
            return
        for start in range(0, len(self), size):
            yield Batch(self.source, self.rows[start : start + size])

    def total_weights(self) -> list[float]:
        """Return the total weight of the batch of each step: see ``steps``."""
        size = self.source.batch_size
        if size >= len(self):
            return [self.total_weight]
        if self.source.sample_weight is None:
            whole, rest = divmod(len(self), size)
            return [float(size)] * whole + [float(rest)] * (rest > 0)
        return [batch.total_weight for batch in self.steps()]

    def micro_batches(self, size: int | None = None) -> Iterator[MicroBatch]:
        """Yield all samples, ``size`` at a time; None yields them together."""
        if size is None or size >= len(self.rows):
            yield MicroBatch(*self.source.take(self.rows), 1.0)
            self.source.release()
            return
        total = self.source.total_weight(self.rows)
        for start in range(0, len(self), size):
            rows = self.rows[start : start + size]
            share = self.source.total_weight(rows) / total
            yield MicroBatch(*self.source.take(rows), share)
            self.source.release()


class ArrayBatches:
    """Batches of samples in arrays.

    Args:
        X, y, sample_weight: checked arrays. An array mapped from a file is read batch by batch.
        rows: the rows to use, in order if they are not shuffled; None uses all with a weight
            above 0.
        batch_size: samples in a batch; None takes all at once. The last batch may be shorter.
        shuffle: whether to draw a new order for each epoch.
        transform: a function of the ``X`` of a batch that returns the network's inputs.

    Attributes:
        batch_size: never more than there are rows.
        mean_weight: the mean weight of the rows, 1 without weights.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        rows: Array | None = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.X, self.y, self.sample_weight, self.transform = X, y, sample_weight, transform
        in_order = rows is None
        if rows is None:
            rows = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
        self.batch_size = len(rows) if batch_size is None else min(batch_size, len(rows))
        # The order within a single batch makes no difference.
        self.shuffle = shuffle and self.batch_size < len(rows)
        self.rows = rows if self.shuffle or in_order else np.sort(rows)
        self.mean_weight = self.total_weight(self.rows) / len(self.rows)
        self._mapped = is_mapped(X) or is_mapped(y)
        self._gaps = self.shuffle or self.rows[-1] - self.rows[0] != len(rows) - 1

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return math.ceil(len(self.rows) / self.batch_size)

    @property
    def sample(self) -> Array:
        """One sample, as it goes into the network."""
        return self.take(self.rows[:1])[0]

    @property
    def in_memory(self) -> bool:
        """Whether the rows lie in memory as they go into the network, except for their dtype."""
        plain = type(self.X) is np.ndarray and self.transform is None
        return plain and not is_mapped(self.X) and self.X.flags.carray and self.y.flags.carray

    @property
    def targets(self) -> Array:
        """The targets of all rows, in any order if they are shuffled."""
        return self.y if len(self.rows) == len(self.y) else self.y[self.rows]

    def epoch(self, together: int = 1, skip: int = 0) -> Iterator[Batch]:
        """Return the batches of one epoch, without the first ``skip``.

        With ``together`` above 1, each ``Batch`` holds the samples of that many batches. The
        order is drawn at once, not when the first batch is asked for.
        """
        order = rng.generator().permutation(self.rows) if self.shuffle else self.rows
        step = together * self.batch_size
        starts = range(skip * self.batch_size, len(order), step)
        return (Batch(self, order[start : start + step]) for start in starts)

    def rebatched(self, batches_per_epoch: int, shuffle: bool) -> ArrayBatches:
        """Return the same samples in at most ``batches_per_epoch`` batches of equal size."""
        size = math.ceil(len(self.rows) / batches_per_epoch)
        return ArrayBatches(
            self.X, self.y, self.sample_weight, self.rows, size, shuffle, self.transform
        )

    def with_weights(self, sample_weight: Array, rows: Array) -> ArrayBatches:
        """Return batches of the same data, with other weights, of ``rows`` alone."""
        return ArrayBatches(
            self.X, self.y, sample_weight, rows, self.batch_size, self.shuffle, self.transform
        )

    def release(self) -> None:
        """Free the memory of pages that have been read, if the arrays are mapped files."""
        if self._mapped:
            release_pages(self.X)
            release_pages(self.y)

    def take(self, rows: Array) -> tuple[Array, Array, Array | None]:
        """Return data, targets and weights of successive ``rows`` of an epoch."""
        if not self._gaps:  # views will do
            together = slice(rows[0], rows[-1] + 1)
            X, y = self.X[together], self.y[together]
        elif self._mapped:
            X, y = take_rows(self.X, rows), take_rows(self.y, rows)
        else:
            X, y = self.X.take(rows, axis=0), self.y.take(rows, axis=0)
        if self.transform is not None:
            # It may compute in place, so it never gets the user's own array.
            X = np.asarray(self.transform(X if self._gaps else X.copy()))
            if X.shape[:1] != rows.shape:
                raise BatchError(
                    f"transform(X) must keep the samples, but makes {X.shape} of {len(rows)}"
                )
        return X, y, None if self.sample_weight is None else self.sample_weight[rows]

    def total_weight(self, rows: Array) -> float:
        """Return the sum of the weights of ``rows``, or their number."""
        return len(rows) if self.sample_weight is None else float(self.sample_weight[rows].sum())


class BatchStream:
    """Batches from an iterable: a list of them, a data loader, an object of your own.

    Every epoch iterates over ``source`` anew and takes ``(X, y)`` or ``(X, y, sample_weight)``.
    Each batch is checked as it comes. One whose weights are all 0 is skipped.

    Args:
        model: the model that the batches must fit.
        source: an iterable, but not an iterator, which could be used for one epoch only.
        transform: see ``ArrayBatches``.
        name: the name of ``source`` in messages.

    Attributes:
        batches_per_epoch: the number of batches in an epoch, without those that are skipped; None
            until it is known.
        weigh: if set, a function of targets and weights that returns other weights.
        first: the first batch.

    Raises:
        TypeError: ``source`` is no such iterable.
        BatchError: in ``epoch``, a batch does not fit, or there is none.
    """

    def __init__(
        self, model: Supervised, source: Any, transform: Transform | None = None, name: str = "X"
    ) -> None:
        if isinstance(source, np.ndarray) or not isinstance(source, Iterable):
            raise TypeError(
                f"{name} without targets must be an iterable of batches (X, y), received "
                f"{type(source).__name__}"
            )
        if isinstance(source, Iterator):
            raise TypeError(
                f"{name} is an iterator, which lasts for one epoch only: give a list, or an object "
                "whose __iter__ begins anew"
            )
        self.model, self.source, self.transform, self.name = model, source, transform, name
        self.batches_per_epoch: int | None = None
        self.weigh: Callable[[Array, Array | None], Array] | None = None
        self._weight_scale: float | None = None
        self.first = next(self.epoch())
        self._weight_scale = self._weight_scale or 1.0
        if isinstance(source, Sized) and self.first.source.sample_weight is None:
            # Until an epoch has been counted, the source's own word for it.
            self.batches_per_epoch = len(source)

    @property
    def batch_size(self) -> int:
        """Samples in the first batch."""
        return len(self.first)

    @property
    def sample(self) -> Array:
        """One sample, as it goes into the network."""
        return self.first.source.sample

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of one epoch, each after it has been checked."""
        number = count = 0
        for number, received in enumerate(self.source, 1):
            try:
                batch = self._checked(received)
            except (TypeError, ValueError) as error:
                raise BatchError(f"batch {number} of {self.name}: {error}") from error
            if batch is not None:
                count += 1
                yield batch
        if not count:
            weightless = " with a weight above 0" if number else ""
            raise BatchError(f"{self.name} gave no batch{weightless}")
        self.batches_per_epoch = count

    def _checked(self, received: Any) -> Batch | None:
        """Return the batch that was received, None if its weights are all 0."""
        if not isinstance(received, (tuple, list)) or len(received) not in (2, 3):
            raise TypeError(
                "expected a pair (X, y), or (X, y, sample_weight), received "
                f"{type(received).__name__}"
            )
        X, y, *rest = received
        given = rest[0] if rest else None
        X, y, weights = check_weighted_data(self.model, X, y, given, self.transform, scaled=False)
        if weights is not None:
            weights = self._comparable(weights)
        if self.weigh is not None:
            weights = self.weigh(y, weights)
        if weights is not None and not weights.any():
            return None
        source = ArrayBatches(X, y, weights, transform=self.transform)
        return Batch(source, source.rows)

    def _comparable(self, weights: Array) -> Array:
        """Return the weights of a batch on the scale of all batches, which the first decides."""
        with np.errstate(over="ignore"):
            if self._weight_scale is None:
                self._weight_scale = SMALL if weights.sum() > HUGE else 1.0
            scaled = weights * self._weight_scale
            if scaled.sum() > 1 / SMALL:
                raise ValueError(
                    f"its weights, up to {weights.max():g}, are too large beside those of the "
                    "first batch"
                )
        return scaled


Batches: TypeAlias = ArrayBatches | BatchStream
