"""The book's losses, and softmax fused with its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations import Softmax
from framework.checks import as_floats
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCategoricalCrossentropy,
)
from framework.losses import Loss as FrameworkLoss
from framework.nnfs_book.activations import Activation_Softmax
from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.nnfs_book.passes import Passes
from framework.operation import KinkSides
from optimizers.arrays import Array


class Loss(Passes, FrameworkLoss):
    """``framework.Loss``, whose mean has the dtype of the predictions and is accumulated."""

    def check(self, y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        y_pred = as_floats(y_pred, "y_pred")
        if nnfs_multiplies() and getattr(y_true, "dtype", None) == np.float64:
            y_pred = y_pred.astype(np.float64)
        y_pred, targets = super().check(y_pred, y_true)
        return y_pred, (
            targets.astype(y_pred.dtype, copy=False) if targets.dtype.kind == "f" else targets
        )

    def calculate(
        self, y_pred: ArrayLike, y_true: ArrayLike, *, include_regularization: bool = False
    ) -> Any:
        y_pred = as_floats(y_pred, "y_pred")
        mean = super().calculate(y_pred, y_true)
        self._accumulate(mean, len(y_pred))
        data_loss = y_pred.dtype.type(mean)
        return (data_loss, self.regularization_loss()) if include_regularization else data_loss

    def calculate_accumulated(self, *, include_regularization: bool = False) -> Any:
        """Return the mean loss of all samples since ``new_pass``.

        With ``include_regularization=True`` it returns a pair, as ``calculate`` does. Raises
        RuntimeError if there are none.
        """
        data_loss = self._accumulated_mean()
        return (data_loss, self.regularization_loss()) if include_regularization else data_loss


class Loss_CategoricalCrossentropy(Loss, CategoricalCrossentropy):
    """``CategoricalCrossentropy`` under the book's name."""


class Loss_BinaryCrossentropy(Loss, BinaryCrossentropy):
    """``BinaryCrossentropy`` under the book's name."""


class Loss_MeanSquaredError(Loss, MeanSquaredError):
    """``MeanSquaredError`` under the book's name."""


class Loss_MeanAbsoluteError(Loss, MeanAbsoluteError):
    """``MeanAbsoluteError`` under the book's name."""


class Activation_Softmax_Loss_CategoricalCrossentropy(SoftmaxCategoricalCrossentropy):
    """Softmax, then the mean loss of its probabilities, clipped as in the book.

    ``backward`` is that of ``SoftmaxCategoricalCrossentropy``.
    """

    def __init__(self) -> None:
        self.activation: Softmax = Activation_Softmax()
        self.loss = Loss_CategoricalCrossentropy()

    def forward(self, inputs: ArrayLike, y_true: ArrayLike) -> Any:
        self.output = output = self.activation.forward(inputs)
        return self.loss.calculate(output, y_true)

    def outputs_and_losses(self, inputs: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        self.output = output = self.activation.forward(inputs)
        return output, self.loss.forward(output, y_true)

    def kink_sides(  # type: ignore[override]
        self, inputs: ArrayLike, y_true: ArrayLike
    ) -> KinkSides:
        return self.loss.kink_sides(self.output, y_true)
