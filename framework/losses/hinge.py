"""Hinge loss: yes-or-no answers that are right by a margin cost nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.losses.loss import Loss
from framework.losses.targets import numeric_targets
from optimizers.arrays import Array


class Hinge(Loss):
    """Hinge loss, averaged over the outputs of a sample, with answers ``y`` of -1 and 1:

        loss_s  = mean over j of max(0, 1 - y y_pred)
        dinputs = -y / outputs / samples    where y y_pred < 1
                  0                         elsewhere

    The predictions are any numbers, whose sign is the answer: end the network with ``Linear``. Its
    accuracy is ``HingeAccuracy``.

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``. It holds 1 for yes, and 0 or -1 for no.

    Raises:
        TypeError, ValueError: targets that do not fit the predictions, or other than -1, 0 and 1.

    Source: Cortes and Vapnik, "Support-Vector Networks", Machine Learning 20, 1995.

    >>> Hinge().forward([[0.5], [2.0], [0.5]], [1, 1, 0])
    array([0.5, 0. , 1.5])
    """

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        losses = np.maximum(1 - y_true * y_pred, 0)
        return losses.reshape(len(losses), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        gradient = np.where(y_true * y_pred < 1, -y_true, 0) / y_pred.size
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        return y_true * y_pred < 1

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        targets = numeric_targets(y_true, shape)
        if not np.isin(targets, (-1, 0, 1)).all():
            raise ValueError(
                f"y must be 1 for yes and 0 or -1 for no, received values from {targets.min():g} "
                f"to {targets.max():g}"
            )
        return np.where(targets > 0, 1, -1).astype(targets.dtype)

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        return generator.normal(size=shape), generator.integers(0, 2, size=shape)
