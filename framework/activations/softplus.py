"""Softplus: a smooth ReLU."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.sigmoid import sigmoid
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array


class Softplus(Activation):
    """Softplus, ``output = log(1 + e^inputs)``, element by element.

    It is computed as ``max(inputs, 0) + log(1 + e^(-|inputs|))``, which does not overflow. Its
    slope is the sigmoid of the inputs:

        dinputs = dvalues / (1 + e^(-inputs))

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option
    Pricing", NIPS 2000.

    >>> Softplus().forward([[-10_000.0, 0.0, 10_000.0]]).round(6)
    array([[0.00000e+00, 6.93147e-01, 1.00000e+04]])
    """

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        self.output = output = np.maximum(inputs, 0) + np.log1p(np.exp(-np.abs(inputs)))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues) * sigmoid(self.inputs)
        return self.dinputs
