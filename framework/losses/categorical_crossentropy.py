"""Categorical cross-entropy: the negative logarithm of the true class's probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_fraction
from framework.losses.loss import CLIP, Loss, clip_sides
from framework.losses.targets import class_targets
from optimizers.arrays import Array


class CategoricalCrossentropy(Loss):
    """Categorical cross-entropy, ``loss_s = -Σₖ y_true[s, k] log y_pred[s, k]``.

    For class indices only the true class counts: ``loss_s = -log y_pred[s, y_true[s]]``. The
    gradient of the mean is

        dinputs = -y_true / y_pred / samples

    Probabilities are clipped to 1e-7 … 1 - 1e-7 in both formulas, so that the loss and the
    gradient of a wrong prediction of probability 1 are large but finite.

    With label smoothing ``s``, ``y_true`` is replaced by ``(1 - s) y_true + s / classes``, so that
    no probability has to become 0 or 1 (Szegedy et al., "Rethinking the Inception Architecture for
    Computer Vision", CVPR 2016).

    Shapes: ``y_pred`` and ``dinputs`` ``(samples, classes)``; ``y_true`` class indices
    ``(samples,)`` or one-hot rows ``(samples, classes)``.

    Args:
        label_smoothing: at least 0 and less than 1.

    Raises:
        TypeError, ValueError: ``label_smoothing`` out of its range; targets that do not fit the
            predictions.

    Source: *Neural Networks from Scratch*, chapters 5 and 9.

    >>> CategoricalCrossentropy().forward([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4]], [0, 1]).round(6)
    array([0.356675, 0.693147])
    """

    later_arguments = ("label_smoothing",)
    label_smoothing = 0.0  # of a class of one's own that does not call this constructor

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = check_fraction("label_smoothing", label_smoothing)

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        if y_true.ndim == 1:
            confidences = y_pred[np.arange(len(y_pred)), y_true]
            return -np.log(np.clip(confidences, CLIP, 1 - CLIP))
        return -(y_true * np.log(np.clip(y_pred, CLIP, 1 - CLIP))).sum(axis=1)

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        samples = len(y_pred)
        dinputs = np.zeros_like(y_pred)
        if y_true.ndim == 1:
            rows = np.arange(samples)
            confidences = np.clip(y_pred[rows, y_true], CLIP, 1 - CLIP)
            dinputs[rows, y_true] = -1 / confidences / samples
        else:
            dinputs -= y_true / np.clip(y_pred, CLIP, 1 - CLIP) / samples
        self.dinputs = dinputs
        return dinputs

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        y_pred, y_true = self.check(y_pred, y_true)
        if y_true.ndim == 1:
            return clip_sides(y_pred[np.arange(len(y_pred)), y_true])
        return clip_sides(y_pred * (y_true != 0))

    def check(self, y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        predictions, targets = super().check(y_pred, y_true)
        return predictions, self.smoothed(targets, predictions)

    def smoothed(self, targets: Array, predictions: Array) -> Array:
        """Return checked targets with label smoothing, as rows; without it, as they are."""
        if not self.label_smoothing:
            return targets
        classes = predictions.shape[1]
        rows = np.eye(classes)[targets] if targets.ndim == 1 else targets
        smoothed = (1 - self.label_smoothing) * rows + self.label_smoothing / classes
        return smoothed.astype(predictions.dtype, copy=False)

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return class_targets(y_true, shape)

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        return generator.uniform(0.05, 0.95, size=shape), generator.integers(
            0, shape[1], size=shape[0]
        )
