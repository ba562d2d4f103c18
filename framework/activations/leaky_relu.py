"""Leaky ReLU: a small slope for negative inputs, so that no neuron dies."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats, check_non_negative
from optimizers.arrays import Array


class LeakyReLU(Activation):
    """Leaky rectified linear unit, element by element.

        output  = inputs             where inputs > 0
                  alpha * inputs     elsewhere
        dinputs = dvalues            where inputs > 0
                  alpha * dvalues    elsewhere

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Args:
        alpha: the slope of the negative side, at least 0.

    Raises:
        TypeError, ValueError: ``alpha`` is not a number, or negative.

    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic
    Models", ICML 2013.

    >>> LeakyReLU(alpha=0.1).forward([[-2.0, 0.0, 3.0]])
    array([[-0.2,  0. ,  3. ]])
    """

    def __init__(self, alpha: float = 0.01) -> None:
        self.alpha = check_non_negative("alpha", alpha)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        self.output = output = np.where(inputs > 0, inputs, self.alpha * inputs)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        self.dinputs = np.where(self.inputs > 0, dvalues, self.alpha * dvalues)
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.inputs > 0
