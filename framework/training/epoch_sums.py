"""Adds up the losses and accuracies of an epoch, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from framework.utils.deprecation import RenamedAttribute
from optimizers.arrays import Array


@dataclass
class EpochSums:
    """Weighted sums over the batches of an epoch so far.

        total_weight = Σ w        data_loss = Σ w · data loss of the batch

    and likewise for ``penalties`` and ``correct`` (the accuracy), where ``w`` is the total weight
    of a batch: the number of its samples, or the sum of their weights.
    """

    total_weight: float = 0.0
    data_loss: float = 0.0
    penalties: float = 0.0
    correct: float = 0.0
    amount = RenamedAttribute("total_weight")
    right = RenamedAttribute("correct")

    def add(self, total_weight: float, data_loss: float, penalties: float, accuracy: float) -> None:
        """Add the means of a batch, which has ``total_weight``."""
        self.total_weight += total_weight
        self.data_loss += data_loss * total_weight
        self.penalties += penalties * total_weight
        self.correct += accuracy * total_weight

    def add_all(self, total_weights: ArrayLike, means: Array) -> None:
        """Add the means of several batches, ``(batches, 3)``, with the same sums as ``add``."""
        terms = np.empty((len(means) + 1, 4))
        terms[0] = self.total_weight, self.data_loss, self.penalties, self.correct
        terms[1:, 0] = total_weights
        np.multiply(means, terms[1:, :1], out=terms[1:, 1:])
        # One after the other, so that the rounding does not depend on how many come together.
        sums = np.add.accumulate(terms)[-1].tolist()
        self.total_weight, self.data_loss, self.penalties, self.correct = sums
