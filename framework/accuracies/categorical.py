"""Categorical accuracy: the share of samples whose class is predicted correctly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_array
from framework.utils.classes import NO_CLASS, largest_class
from optimizers.arrays import Array


class CategoricalAccuracy(Accuracy):
    """A prediction is correct if its class is that of the target; with a NaN in it, never.

    Shapes: predictions and ``y`` are each class indices ``(samples,)``, or one score for each
    class, ``(samples, classes)``; the class is that of the largest score (``y`` may be one-hot).

    Raises:
        TypeError, ValueError: the numbers of samples differ, or the shapes do not fit.

    >>> CategoricalAccuracy().calculate([[0.7, 0.1, 0.2], [0.5, 0.1, 0.4]], [0, 1])
    0.5
    """

    def predictions(self, outputs: Array) -> Array:
        """Return the class with the largest output, after any last activation.

        A row with a NaN in it has none, but ``NO_CLASS``.
        """
        return _classes(outputs, "outputs")

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        predicted, true = _classes(predictions, "predictions"), _classes(y, "y")
        if predicted.shape != true.shape:
            raise ValueError(
                f"predictions of {len(predicted)} samples do not fit y of {len(true)} samples"
            )
        return np.equal(predicted, true) & (predicted != NO_CLASS)


def _classes(values: ArrayLike, name: str) -> Array:
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] > 1:
        return largest_class(array)
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be (samples,) or (samples, classes) with two classes or more, received "
            f"{array.shape}; for a single output there are BinaryAccuracy and RegressionAccuracy"
        )
    return array
