"""Where the batches of a training come from."""

import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework import randomness
from framework.checks import check_fraction
from framework.operation import Array

if TYPE_CHECKING:
    from framework.model import Model

# Data, targets and, if the samples have any, their weights.
ValidationData: TypeAlias = (
    tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None]
)


class Batch(NamedTuple):
    """The samples of one update.

    Attributes:
        X, y: data and targets.
        weight: a weight for each sample, or None.
        amount: how much the batch counts in a mean over several: the sum of its weights, or the
            number of its samples.
    """

    X: Array
    y: Array
    weight: Array | None
    amount: float


class Part(NamedTuple):
    """Some of the samples.

    Attributes:
        X, y, weights: data and targets, and the weights if there are any.
        order: which rows of them, one after the other; None stands for all.
    """

    X: Array
    y: Array
    weights: Array | None
    order: Array | None


class Samples:
    """The samples to train on, which every epoch goes through in batches.

    Args:
        X, y, weights: as ``Model.check_weighted_data`` returns them.
        rows: which of them to use.
        batch_size: samples in a batch; None takes all at once. The last batch may be shorter.
        shuffle: whether to draw a new order for each epoch. Otherwise ``rows`` must follow each
            other without a gap.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        weights: Array | None,
        rows: Array,
        batch_size: int | None,
        shuffle: bool,
    ) -> None:
        self.X, self.y, self.weights, self.rows = X, y, weights, rows
        self.batch_size = len(rows) if batch_size is None else min(batch_size, len(rows))
        # The order within a single batch makes no difference.
        self.shuffle = shuffle and self.batch_size < len(X)

    @property
    def batches(self) -> int:
        """How many batches make an epoch."""
        return math.ceil(len(self.rows) / self.batch_size)

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        order = self._order()
        for start in range(0, len(order), self.batch_size):
            X, y, weight, _ = self._part(order[start : start + self.batch_size], start)
            amount = len(X) if weight is None else float(weight.sum())
            yield Batch(X, y, weight, amount)

    def parts(self, batches: int) -> Iterator[Part]:
        """Yield the samples of one epoch, those of so many batches at a time."""
        order = self._order()
        # Gathering rows is left to whom the part is for, if that can read the data as they lie.
        readable = type(self.X) is np.ndarray and self.X.flags.carray and self.y.flags.carray
        step = batches * self.batch_size
        for start in range(0, len(order), step):
            chosen = order[start : start + step]
            if self.shuffle and readable:
                yield Part(self.X, self.y, self.weights, chosen)
            else:
                yield self._part(chosen, start)

    def _order(self) -> Array:
        return randomness.generator().permutation(self.rows) if self.shuffle else self.rows

    def _part(self, chosen: Array, start: int) -> Part:
        weights = None if self.weights is None else self.weights[chosen]
        if self.shuffle:
            return Part(self.X.take(chosen, axis=0), self.y.take(chosen, axis=0), weights, None)
        stop = start + len(chosen)  # without a gap, so views will do
        return Part(self.X[start:stop], self.y[start:stop], weights, None)


def set_aside(
    model: "Model",
    X: Array,
    y: Array,
    weights: Array | None,
    validation_data: ValidationData | None,
    validation_split: float,
    shuffle: bool,
) -> tuple[Array, tuple[Array, Array, Array | None] | None]:
    """Return the rows to train on, and the validation data, checked, if there are any.

    Raises TypeError or ValueError for validation data or a split that do not fit.
    """
    rows = np.arange(len(X))
    split = check_fraction("validation_split", validation_split)
    if validation_data is not None:
        if split:
            raise ValueError("give validation_data or validation_split, not both")
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data must be a pair (X_val, y_val), or (X_val, y_val, sample_weight)"
            )
        X_val, y_val = validation_data[:2]
        val_weights = validation_data[2] if len(validation_data) == 3 else None
        try:
            return rows, model.check_weighted_data(X_val, y_val, val_weights)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation_data: {error}") from None
    held_back = round(split * len(X))
    if not split:
        return rows, None
    if not 0 < held_back < len(X):
        raise ValueError(
            f"validation_split={validation_split} of {len(X)} samples leaves none to "
            f"{'train on' if held_back else 'validate on'}"
        )
    if shuffle:
        # The same rows for as many samples: what was trained on must not validate later.
        rows = np.random.default_rng(len(X)).permutation(rows)
    kept, aside = rows[:-held_back], rows[-held_back:]
    return kept, (X[aside], y[aside], None if weights is None else weights[aside])


def warn_if_sorted_by_class(y: Array, stacklevel: int) -> None:
    """Warn if the labels ``y`` come class after class, so that batches hold a single one."""
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    count = len(np.unique(classes))
    changes = np.count_nonzero(classes[1:] != classes[:-1])
    if 1 < count == changes + 1 and 2 * count <= len(classes):
        warnings.warn(
            "the labels come sorted by class and shuffle=False: most batches hold a single "
            "class, so the network unlearns one class while it learns the next, and may end at "
            "chance level. Train with shuffle=True, or shuffle the data first.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
