"""Where the batches of a training come from: arrays, or whatever gives batches one by one."""

import math
from collections.abc import Iterable, Iterator, Sized
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_fraction
from framework.containers.supervised import Supervised
from framework.data.checks import Transform, check_weighted_data
from framework.errors import BatchError
from framework.operation import Array
from framework.utils import rng
from framework.utils.memory_maps import is_mapped, release_pages, take_rows
from framework.utils.warnings import warn_user

# Data, targets and, if the samples have any, their weights; or such pairs and triples, batch by
# batch, from something that can be gone through again and again.
ValidationData: TypeAlias = (
    tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None] | Iterable[Any]
)


class Part(NamedTuple):
    """Samples of a batch that go through the network at once.

    Attributes:
        X, y: data and targets.
        weight: a weight for each sample, or None.
        share: how much of the batch they are, by weight or by number; 1 if they are all of it.
    """

    X: Array
    y: Array
    weight: Array | None
    share: float


class Batch:
    """The samples of one update, taken from their arrays as they are needed.

    Attributes:
        amount: how much the batch counts in a mean over several: the sum of its weights, or the
            number of its samples.
    """

    def __init__(self, samples: "Samples", rows: Array, amount: float | None = None) -> None:
        self.samples, self.rows = samples, rows
        self.amount = samples.amount(rows) if amount is None else amount

    def __len__(self) -> int:
        return len(self.rows)

    def steps(self) -> "Iterator[Batch]":
        """Yield the batch of each step, if this is several put together."""
        size = self.samples.batch_size
        if size >= len(self):
            yield self
            return
        for start in range(0, len(self), size):
            yield Batch(self.samples, self.rows[start : start + size])

    def parts(self, at_once: int | None = None) -> Iterator[Part]:
        """Yield all samples, so many at once; None takes them together."""
        if at_once is None or at_once >= len(self):
            yield Part(*self.samples.take(self.rows), 1.0)
            self.samples.release()
            return
        total = self.samples.amount(self.rows)
        for start in range(0, len(self), at_once):
            rows = self.rows[start : start + at_once]
            yield Part(*self.samples.take(rows), self.samples.amount(rows) / total)
            self.samples.release()


class Samples:
    """Samples in arrays, which every epoch goes through in batches.

    Args:
        X, y, weights: as ``Model.check_weighted_data`` returns them. An array mapped from a file
            is read batch by batch.
        rows: which of them to use, in order if they are not shuffled; None takes all whose
            weight is not 0.
        batch_size: samples in a batch; None takes all at once. The last batch may be shorter.
        shuffle: whether to draw a new order for each epoch.
        transform: what turns the ``X`` of a batch into what goes into the network.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        weights: Array | None,
        rows: Array | None = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        transform: Transform | None = None,
    ) -> None:
        self.X, self.y, self.weights, self.transform = X, y, weights, transform
        if rows is None:
            rows = np.arange(len(X)) if weights is None else np.flatnonzero(weights)
        self.batch_size = len(rows) if batch_size is None else min(batch_size, len(rows))
        # The order within a single batch makes no difference.
        self.shuffle = shuffle and self.batch_size < len(rows)
        self.rows = rows if self.shuffle else np.sort(rows)
        self._gaps = self.shuffle or self.rows[-1] - self.rows[0] != len(rows) - 1

    @property
    def batches(self) -> int:
        """How many batches make an epoch."""
        return math.ceil(len(self.rows) / self.batch_size)

    @property
    def sample(self) -> Array:
        """One sample, as it goes into the network."""
        return self.take(self.rows[:1])[0]

    @property
    def in_memory(self) -> bool:
        """Whether the rows lie in memory as they go into the network, but for their dtype."""
        plain = type(self.X) is np.ndarray and self.transform is None
        return plain and not is_mapped(self.X) and self.X.flags.carray and self.y.flags.carray

    def epoch(self, together: int = 1, skip: int = 0) -> Iterator[Batch]:
        """Return the batches of one epoch but the first ``skip``, put together so many at a time.

        The order is drawn at once, and not when the first batch is asked for.
        """
        order = rng.generator().permutation(self.rows) if self.shuffle else self.rows
        step = together * self.batch_size
        starts = range(skip * self.batch_size, len(order), step)
        return (Batch(self, order[start : start + step]) for start in starts)

    def in_batches(self, batches: int, shuffle: bool) -> "Samples":
        """Return the same samples for so many batches in an epoch, or as many as there are."""
        size = math.ceil(len(self.rows) / batches)
        return Samples(self.X, self.y, self.weights, self.rows, size, shuffle, self.transform)

    @property
    def targets(self) -> Array:
        """The targets of all rows, in any order if they are shuffled."""
        return self.y if len(self.rows) == len(self.y) else self.y[self.rows]

    def release(self) -> None:
        """Give back the memory of what has been read, where the arrays are mapped files."""
        release_pages(self.X)
        release_pages(self.y)

    def take(self, rows: Array) -> tuple[Array, Array, Array | None]:
        """Return data, targets and weights of some successive ``rows`` of an epoch."""
        if self._gaps:
            X, y = take_rows(self.X, rows), take_rows(self.y, rows)
        else:  # views will do
            together = slice(rows[0], rows[-1] + 1)
            X, y = self.X[together], self.y[together]
        if self.transform is not None:
            # It may compute in place, so it is given nothing that belongs to somebody else.
            X = np.asarray(self.transform(X if self._gaps else X.copy()))
            if X.shape[:1] != rows.shape:
                raise BatchError(
                    f"transform(X) must keep the samples, but makes {X.shape} of {len(rows)}"
                )
        return X, y, None if self.weights is None else self.weights[rows]

    def amount(self, rows: Array) -> float:
        """Return the sum of the weights of ``rows``, or their number."""
        return len(rows) if self.weights is None else float(self.weights[rows].sum())


class Stream:
    """Batches that come from elsewhere: a list of them, a data loader, a class of your own.

    Every epoch goes through ``source`` anew and takes what it gives: ``(X, y)``, or
    ``(X, y, sample_weight)``. Each batch is checked when it comes.

    Args:
        model: what the batches must fit.
        source: an iterable, but no iterator, which could be gone through only once.
        transform: see ``Samples``.
        name: what messages call it.

    Attributes:
        batches: how many make an epoch; None as long as that is not known.
        first: the first batch.

    Raises:
        TypeError: ``source`` is nothing of the kind.
        BatchError: in ``epoch``, a batch does not fit, or there is none.
    """

    def __init__(
        self, model: Supervised, source: Any, transform: Transform | None = None, name: str = "X"
    ) -> None:
        if isinstance(source, np.ndarray) or not isinstance(source, Iterable):
            raise TypeError(
                f"{name} without targets must be an object that gives batches (X, y) when it is "
                f"gone through, received {type(source).__name__}"
            )
        if isinstance(source, Iterator):
            raise TypeError(
                f"{name} is an iterator, which can be gone through only once: give a list, or an "
                "object whose __iter__ begins anew"
            )
        self.model, self.source, self.transform, self.name = model, source, transform, name
        # What the source says, until an epoch has shown it.
        self.batches: int | None = len(source) if isinstance(source, Sized) else None
        self.first = next(self.epoch())

    @property
    def batch_size(self) -> int:
        """Samples in the first batch."""
        return len(self.first)

    @property
    def sample(self) -> Array:
        """One sample, as it goes into the network."""
        return self.first.samples.sample

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of one epoch, each after it has been checked."""
        number = 0
        for number, received in enumerate(self.source, 1):
            try:
                batch = self._checked(received)
            except (TypeError, ValueError) as error:
                raise BatchError(f"batch {number} of {self.name}: {error}") from error
            yield batch
        if not number:
            raise BatchError(f"{self.name} gave no batch")
        self.batches = number

    def _checked(self, received: Any) -> Batch:
        if not isinstance(received, (tuple, list)) or len(received) not in (2, 3):
            raise TypeError(
                "expected a pair (X, y), or (X, y, sample_weight), received "
                f"{type(received).__name__}"
            )
        given_X, given_y, *given_weight = received
        weight = given_weight[0] if given_weight else None
        X, y, weights = check_weighted_data(self.model, given_X, given_y, weight, self.transform)
        samples = Samples(X, y, weights, transform=self.transform)
        # Checked weights have been scaled, each batch's by itself; it is the given ones that say
        # how much one batch counts beside another.
        amount = None if weight is None else float(np.sum(weight, dtype=np.float64))
        return Batch(samples, samples.rows, amount)


def set_aside(rows: Array, validation_split: float, shuffle: bool) -> tuple[Array, Array | None]:
    """Return the rows to train on and those to validate on, None without a split.

    Raises TypeError or ValueError for a split that is no fraction or leaves none of either.
    """
    split = check_fraction("validation_split", validation_split)
    held_back = round(split * len(rows))
    if not split:
        return rows, None
    if not 0 < held_back < len(rows):
        raise ValueError(
            f"validation_split={validation_split} of {len(rows)} samples leaves none to "
            f"{'train on' if held_back else 'validate on'}"
        )
    if shuffle:
        # The same rows for as many samples: what was trained on must not validate later.
        rows = np.random.default_rng(len(rows)).permutation(rows)
    return rows[:-held_back], np.sort(rows[-held_back:])


def warn_if_sorted_by_class(y: Array) -> None:
    """Warn if the labels ``y`` come class after class, so that batches hold a single one."""
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    count = len(np.unique(classes))
    changes = np.count_nonzero(classes[1:] != classes[:-1])
    if 1 < count == changes + 1 and 2 * count <= len(classes):
        warn_user(
            "the labels come sorted by class and shuffle=False: most batches hold a single "
            "class, so the network unlearns one class while it learns the next, and may end at "
            "chance level. Train with shuffle=True, or shuffle the data first."
        )
