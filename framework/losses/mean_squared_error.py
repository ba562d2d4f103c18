"""Mean squared error: the usual loss for regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.losses.loss import Loss
from framework.losses.targets import numeric_targets
from framework.operation import smooth
from optimizers.arrays import Array


class MeanSquaredError(Loss):
    """Mean squared error, averaged over the outputs of a sample.

        loss_s  = mean over j of (y_pred - y_true)²
        dinputs = 2 (y_pred - y_true) / outputs / samples

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``.

    Raises:
        TypeError, ValueError: targets that do not fit the predictions.

    Source: *Neural Networks from Scratch*, chapter 17.

    >>> MeanSquaredError().calculate([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 4.0]])
    1.0
    """

    regression = True
    kink_sides = smooth

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        squares = np.square(y_pred - y_true)
        return squares.reshape(len(squares), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        gradient = (y_pred - y_true) / (y_pred.size / 2)
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return numeric_targets(y_true, shape)
