"""Sigmoid fused with binary cross-entropy: the gradient is a difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid, sigmoid
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.loss import FusedLoss
from framework.operation import smooth
from optimizers.arrays import Array


class SigmoidBinaryCrossentropy(FusedLoss):
    """Binary cross-entropy of the sigmoid of the logits ``inputs``.

    With ``s`` the sigmoid, ``-y log s(x) - (1 - y) log s(-x)`` is ``log(1 + e^x) - x y``. In a
    form that does not overflow and needs no clipping, that is

        loss_s  = mean over j of (max(inputs, 0) + log(1 + e^(-|inputs|)) - inputs y)

    The derivative of ``log(1 + e^x)`` is the sigmoid, so

        dinputs = (output - y) / outputs / samples

    Shapes: ``inputs``, ``output``, ``y_true`` and ``dinputs`` are all ``(samples, outputs)``;
    for a single output, ``y_true`` may also be ``(samples,)``.

    Attributes:
        activation: the ``Sigmoid``; its ``output`` is set too.
        loss: the ``BinaryCrossentropy``.

    Raises:
        TypeError, ValueError: targets that do not fit the logits, or outside 0…1.

    Source: *Neural Networks from Scratch*, chapter 16.

    >>> round(SigmoidBinaryCrossentropy().forward([[0.0], [10_000.0]], [1, 1]), 6)
    0.346574
    """

    activation: Sigmoid
    kink_sides = smooth

    def __init__(self) -> None:
        self.activation = Sigmoid()
        self.loss = BinaryCrossentropy()

    def outputs_and_losses(self, inputs: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        inputs, y_true = self.check(inputs, y_true)
        output = sigmoid(inputs)
        self._store(output)
        losses = np.maximum(inputs, 0) + np.log1p(np.exp(-np.abs(inputs))) - inputs * y_true
        return output, losses

    def backward(self, output: ArrayLike, y_true: ArrayLike) -> Array:
        output, y_true = self.check(output, y_true)
        gradient = (output - y_true) / output.size
        self.dinputs = dinputs = gradient.astype(output.dtype, copy=False)
        return dinputs
