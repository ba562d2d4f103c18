"""Regression accuracy: the share of outputs within a given precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_array, as_floats, check_positive
from framework.losses.targets import numeric_targets
from optimizers.arrays import Array


class RegressionAccuracy(Accuracy):
    """An output is correct if ``|prediction - y| <= precision``.

    Shapes: predictions ``(samples, outputs)``; ``y`` likewise, or ``(samples,)`` for a single
    output. Each output counts on its own.

    Args:
        precision: greater than 0, in the units of ``y``. None takes ``std(y) / 250`` of the
            first targets given to ``init``: a model gives the targets of its first training.
            Before ``init``, it is computed from the targets that are compared.

    Raises:
        TypeError, ValueError: ``precision`` is not a number, or not above 0; ``y`` does not fit.

    Source: *Neural Networks from Scratch*, chapter 17.
    """

    state = ("current_precision",)

    def __init__(self, precision: float | None = None) -> None:
        self.precision = None if precision is None else check_positive("precision", precision)
        self.current_precision = self.precision

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        """Set the precision from ``y`` if none is set; with ``reinit``, if none was given."""
        if self.current_precision is None or (reinit and self.precision is None):
            self.current_precision = _usual_precision(as_floats(y, "y"))

    def predictions(self, outputs: Array) -> Array:
        """Return the outputs themselves, after any last activation."""
        return outputs

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        outputs = as_array(predictions, "predictions")
        targets = numeric_targets(y, outputs.shape)
        precision = self.current_precision
        if precision is None:
            precision = _usual_precision(targets)
        return np.less_equal(np.abs(outputs - targets), precision)


def _usual_precision(targets: Array) -> float:
    return float(np.std(targets)) / 250
