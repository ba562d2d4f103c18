"""Huber loss: squared for small errors, absolute for large ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_positive
from framework.losses.loss import Loss
from framework.losses.targets import numeric_targets
from optimizers.arrays import Array


class Huber(Loss):
    """Huber loss, averaged over the outputs of a sample. With ``e = y_pred - y_true``:

        huber   = e² / 2                       where |e| <= delta
                  delta * (|e| - delta / 2)    elsewhere
        loss_s  = mean over j of huber
        dinputs = clip(e, -delta, delta) / outputs / samples

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``.

    Args:
        delta: the error at which the parabola becomes a line, greater than 0.

    Raises:
        TypeError, ValueError: ``delta`` is not a number, or not above 0; targets that do not fit
            the predictions.

    Source: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical
    Statistics 35, 1964.

    >>> Huber(delta=1.0).forward([[0.5], [3.0]], [[0.0], [0.0]])
    array([0.125, 2.5  ])
    """

    regression = True

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = check_positive("delta", delta)

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        errors = np.abs(y_pred - y_true)
        # Both branches are |e| * c - c² / 2, with c = min(|e|, delta).
        capped = np.minimum(errors, self.delta)
        losses = capped * (errors - 0.5 * capped)
        return losses.reshape(len(losses), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        gradient = np.clip(y_pred - y_true, -self.delta, self.delta) / y_pred.size
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        # The slope is continuous, but the second derivative jumps at ±delta.
        errors = y_pred - y_true
        return np.sign(errors) * (np.abs(errors) > self.delta)

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return numeric_targets(y_true, shape)
