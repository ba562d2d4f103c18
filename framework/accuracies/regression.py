"""Regression accuracy: the share of outputs that come close enough."""

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_array, as_floats, check_positive
from framework.losses.targets import numeric_targets
from optimizers.optimizer import Array


class RegressionAccuracy(Accuracy):
    """An output is right if ``|prediction - y| <= precision``.

    Shapes: predictions ``(samples, outputs)``; ``y`` likewise, or ``(samples,)`` for a single
    output. Each output counts on its own.

    Args:
        precision: greater than 0, in the units of ``y``. None takes ``std(y) / 250`` of the
            first targets given to ``init``: for a model, those it is first trained on.

    Raises:
        TypeError, ValueError: ``precision`` is no number or not above 0; ``y`` does not fit.
        RuntimeError: ``compare`` without a precision, given or found by ``init``.

    Source: *Neural Networks from Scratch*, chapter 17.
    """

    state = ("current_precision",)

    def __init__(self, precision: float | None = None) -> None:
        self.precision = None if precision is None else check_positive("precision", precision)
        self.current_precision = self.precision

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        """Take the precision from ``y``, unless it is known; ``reinit=True``, unless given."""
        if self.current_precision is None or (reinit and self.precision is None):
            self.current_precision = float(np.std(as_floats(y, "y"))) / 250

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        if self.current_precision is None:
            raise RuntimeError("RegressionAccuracy() has no precision yet: give one, or call init")
        outputs = as_array(predictions, "predictions")
        errors = np.abs(outputs - numeric_targets(y, outputs.shape))
        return np.less_equal(errors, self.current_precision)
