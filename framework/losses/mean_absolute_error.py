"""Mean absolute error: a loss for regression that is robust to outliers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.losses.loss import Loss
from framework.losses.targets import numeric_targets
from optimizers.arrays import Array


class MeanAbsoluteError(Loss):
    """Mean absolute error, averaged over the outputs of a sample.

        loss_s  = mean over j of |y_pred - y_true|
        dinputs = sign(y_pred - y_true) / outputs / samples     (0 where they are equal)

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``.

    Raises:
        TypeError, ValueError: targets that do not fit the predictions.

    Source: *Neural Networks from Scratch*, chapter 17.

    >>> MeanAbsoluteError().calculate([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 4.0]])
    0.5
    """

    regression = True

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        errors = np.abs(y_pred - y_true)
        return errors.reshape(len(errors), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        gradient = np.sign(y_pred - y_true) / y_pred.size
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        return np.sign(y_pred - y_true)

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return numeric_targets(y_true, shape)
