"""Binary cross-entropy: each output is an independent yes-or-no question."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.losses.loss import CLIP, Loss, clip_sides
from framework.losses.targets import binary_targets
from optimizers.arrays import Array


class BinaryCrossentropy(Loss):
    """Binary cross-entropy, averaged over the outputs of a sample.

        loss_s  = -mean over j of (y_true log y_pred + (1 - y_true) log(1 - y_pred))
        dinputs = -(y_true / y_pred - (1 - y_true) / (1 - y_pred)) / outputs / samples

    Probabilities are clipped to 1e-7 … 1 - 1e-7 in both formulas.

    Shapes: ``y_pred``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``; for a single
    output, ``y_true`` may also be ``(samples,)``.

    Raises:
        TypeError, ValueError: targets that do not fit the predictions, or outside 0…1.

    Source: *Neural Networks from Scratch*, chapter 16.
    """

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        yes = np.clip(y_pred, CLIP, 1 - CLIP)
        losses = -(y_true * np.log(yes) + (1 - y_true) * np.log(1 - yes))
        return losses.reshape(len(losses), -1).mean(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        yes = np.clip(y_pred, CLIP, 1 - CLIP)
        gradient = (1 - y_true) / (1 - yes) - y_true / yes
        gradient /= y_pred.size
        self.dinputs = dinputs = gradient.astype(y_pred.dtype, copy=False)
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, _ = self.check(y_pred, y_true)
        return clip_sides(y_pred)

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return binary_targets(y_true, shape)

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        answers = generator.integers(0, 2, size=shape)
        return generator.uniform(0.05, 0.95, size=shape), answers
