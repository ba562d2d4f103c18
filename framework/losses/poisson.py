"""Poisson loss: the negative log likelihood of counts, given their expected values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.losses.loss import CLIP, Loss
from framework.losses.targets import numeric_targets
from optimizers.arrays import Array


class Poisson(Loss):
    """Poisson loss, averaged over the outputs of a sample.

        loss_s  = mean over j of (y_pred - y_true log y_pred)
        dinputs = (1 - y_true / y_pred) / outputs / samples

    The predictions are expected counts, at least 0: end the network with ``Softplus``. In the
    logarithm and the quotient they are not taken below 1e-7. The term ``log y_true!`` of the
    likelihood, which no parameter changes, is left out.

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``.

    Raises:
        TypeError, ValueError: targets that do not fit the predictions, or below 0.

    Source: Nelder and Wedderburn, "Generalized Linear Models", Journal of the Royal Statistical
    Society A 135, 1972.

    >>> Poisson().forward([[1.0], [2.0]], [3, 0])
    array([1., 2.])
    """

    regression = True

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        losses = y_pred - y_true * np.log(np.maximum(y_pred, CLIP))
        return losses.reshape(len(losses), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        gradient = (1 - y_true / np.maximum(y_pred, CLIP)) / y_pred.size
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, _ = self.check(y_pred, y_true)
        return y_pred < CLIP

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        targets = numeric_targets(y_true, shape)
        if targets.size and targets.min() < 0:
            raise ValueError(f"y must be counts of 0 or more, received {targets.min():g}")
        return targets

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        return generator.uniform(0.5, 4, size=shape), generator.integers(0, 5, size=shape)
