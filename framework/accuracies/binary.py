"""Binary accuracy: the share of correct yes-or-no predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_floats
from framework.losses.targets import binary_targets
from framework.utils.classes import NO_CLASS, yes_or_no
from optimizers.arrays import Array


class BinaryAccuracy(Accuracy):
    """A prediction is correct if it lies on the same side of one half as its target.

    Shapes: predictions ``(samples, outputs)``, as 0 and 1 or as probabilities; ``y`` likewise,
    or ``(samples,)`` for a single output. Each output counts on its own, and is wrong if it is NaN.

    Raises:
        TypeError, ValueError: ``y`` does not fit the predictions, or either has values outside
            0…1.

    >>> BinaryAccuracy().calculate([[0.9], [0.4], [0.2]], [1, 1, 0])
    0.6666666666666666
    """

    def predictions(self, outputs: Array) -> Array:
        """Return 1 where an output is above one half, else 0; ``NO_CLASS`` for NaN."""
        return yes_or_no(outputs)

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        answers = as_floats(predictions, "predictions")
        missing = np.isnan(answers) | (answers == NO_CLASS)
        answers = binary_targets(np.where(missing, 0, answers), answers.shape, "predictions")
        correct: Array = np.equal(answers > 0.5, binary_targets(y, answers.shape) > 0.5)
        return correct & ~missing
