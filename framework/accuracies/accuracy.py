"""The base class of accuracies: the share of correct predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optimizers.arrays import Array
from optimizers.configuration import Configurable


class Accuracy(Configurable):
    """Base class of the accuracies. A subclass writes ``compare``.

    A prediction of NaN is never correct.

    Attributes:
        state: names of the numbers that ``init`` sets; they are saved with a model.

    Source: *Neural Networks from Scratch*, chapters 5 and 18.
    """

    state: tuple[str, ...] = ()

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        """Set ``state`` from the targets ``y``, if it is not set or ``reinit``: here, nothing."""

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        """Return True where a prediction is correct."""
        raise NotImplementedError(f"{type(self).__name__} has no compare method")

    def calculate(self, predictions: ArrayLike, y: ArrayLike) -> float:
        """Return the share of correct predictions, from 0 to 1.

        Raises TypeError or ValueError if predictions and targets do not fit each other.
        """
        correct: Any = self.compare(predictions, y)
        return float(np.count_nonzero(correct) / np.size(correct))
