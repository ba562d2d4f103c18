"""Softmax fused with categorical cross-entropy: the gradient is a difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.softmax import Softmax
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.loss import FusedLoss
from framework.operation import smooth
from optimizers.arrays import Array


class SoftmaxCategoricalCrossentropy(FusedLoss):
    """Categorical cross-entropy of the softmax of the logits ``inputs``.

    For a one-hot ``y`` with true class ``c``, ``-log(e^(inputs_c) / Σₖ e^(inputs_k))`` is

        loss_s  = log Σₖ e^(inputs_k) - inputs_c

    With the largest logit subtracted first, nothing overflows and no logarithm of 0 is taken, so
    nothing is clipped. The derivative of ``log Σ e^(inputs_k)`` with respect to ``inputs_j`` is
    the softmax, that of ``inputs_c`` is 1 for the true class and 0 for the others. So

        dinputs = (output - y) / samples

    ``label_smoothing`` changes ``y`` as in ``CategoricalCrossentropy``. With a softmax of
    temperature ``T``, the logits are divided by ``T``, and so is ``dinputs``.

    Shapes: ``inputs``, ``output`` and ``dinputs`` ``(samples, classes)``; ``y_true`` class
    indices ``(samples,)`` or one-hot rows ``(samples, classes)``.

    Attributes:
        activation: the ``Softmax``; its ``output`` is set too.
        loss: the ``CategoricalCrossentropy``.

    Raises:
        TypeError, ValueError: targets that do not fit the logits.

    Source: *Neural Networks from Scratch*, chapter 9.

    >>> loss_activation = SoftmaxCategoricalCrossentropy()
    >>> round(loss_activation.forward([[2.0, 1.0, 0.1]], [0]), 6)
    0.41703
    >>> loss_activation.backward(loss_activation.output, [0]).round(3)
    array([[-0.341,  0.242,  0.099]])
    """

    activation: Softmax
    kink_sides = smooth

    later_arguments = ("label_smoothing",)
    loss: CategoricalCrossentropy

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.activation = Softmax()
        self.loss = CategoricalCrossentropy(label_smoothing)

    @property
    def label_smoothing(self) -> float:
        """That of ``loss``."""
        return self.loss.label_smoothing

    def check(self, y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        logits, targets = super().check(y_pred, y_true)
        return logits, self.loss.smoothed(targets, logits)

    def outputs_and_losses(self, inputs: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        inputs, y_true = self.check(inputs, y_true)
        # With a row for each class: NumPy is slow at many short rows.
        logits = inputs.T.copy()
        logits -= np.maximum.reduce(logits)
        if self.activation.temperature != 1:
            logits /= self.activation.temperature
        exponentials = np.exp(logits)
        sums = np.add.reduce(exponentials)
        exponentials /= sums
        output = exponentials.T.copy()
        self._store(output)
        if y_true.ndim == 1:
            scores = logits[y_true, np.arange(len(y_true))]
        else:
            scores = np.add.reduce(y_true.T * logits)
        return output, np.log(sums) - scores

    def backward(self, output: ArrayLike, y_true: ArrayLike) -> Array:
        output, y_true = self.check(output, y_true)
        samples, classes = output.shape
        dinputs = output.copy()
        if y_true.ndim == 1:
            # Numbered through all rows, since NumPy finds elements faster by one index than by two.
            dinputs.ravel()[np.arange(0, dinputs.size, classes) + y_true] -= 1
        else:
            dinputs -= y_true
        dinputs /= samples * self.activation.temperature
        self.dinputs = dinputs
        return dinputs
