"""Hinge accuracy: the share of answers whose sign is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_floats
from framework.losses.targets import numeric_targets
from framework.utils.classes import NO_CLASS, yes_or_no
from optimizers.arrays import Array


class HingeAccuracy(Accuracy):
    """The accuracy for ``Hinge``: a prediction is correct if it is above 0 where its target is.

    Shapes: predictions ``(samples, outputs)``, as any numbers or as 0 and 1; ``y`` likewise, or
    ``(samples,)`` for a single output, with 1 for yes and 0 or -1 for no. Each output counts on its
    own, and is wrong if it is NaN.

    Raises:
        TypeError, ValueError: ``y`` does not fit the predictions.

    >>> HingeAccuracy().calculate([[0.2], [-0.4], [3.0]], [1, -1, -1])
    0.6666666666666666
    """

    def predictions(self, outputs: Array) -> Array:
        """Return 1 where an output is above 0, else 0; ``NO_CLASS`` for NaN."""
        return yes_or_no(outputs, 0.0)

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        answers = as_floats(predictions, "predictions")
        missing = np.isnan(answers) | (answers == NO_CLASS)
        correct: Array = np.equal(answers > 0, numeric_targets(y, answers.shape) > 0)
        return correct & ~missing
