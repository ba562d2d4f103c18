"""The book's accuracies."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies import Accuracy as FrameworkAccuracy
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, RegressionAccuracy
from framework.nnfs_book.passes import Passes
from optimizers.arrays import Array


class Accuracy(Passes, FrameworkAccuracy):
    """``framework.Accuracy``, accumulated."""

    def calculate(self, predictions: ArrayLike, y: ArrayLike) -> float:
        mean = super().calculate(predictions, y)
        self._accumulate(mean, len(np.asarray(y)))
        return mean

    def calculate_accumulated(self) -> float:
        """Return the accuracy on all samples since ``new_pass``.

        Raises RuntimeError if there are none.
        """
        return self._accumulated_mean()


class Accuracy_Categorical(Accuracy):
    """``CategoricalAccuracy``, or ``BinaryAccuracy`` for labels in columns of 0 and 1."""

    def __init__(self, *, binary: bool = False) -> None:
        self.binary = bool(binary)
        self._accuracy = BinaryAccuracy() if self.binary else CategoricalAccuracy()

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        return self._accuracy.compare(predictions, y)


class Accuracy_Regression(Accuracy, RegressionAccuracy):
    """``RegressionAccuracy``, with a ``precision`` of ``std(y) / 250`` after ``init(y)``."""

    def __init__(self) -> None:
        super().__init__()

    @property
    def precision(self) -> float | None:
        """The largest error of a correct output; None before ``init``."""
        return self.current_precision

    @precision.setter
    def precision(self, precision: float | None) -> None:
        self.current_precision = precision

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        if reinit:
            self.precision = None
        super().init(y)
