"""Mish: a smooth relative of Swish, gated by the tanh of a softplus."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.sigmoid import sigmoid
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array


class Mish(Activation):
    """Mish, ``output = inputs * t`` with ``t = tanh(log(1 + e^inputs))``, element by element.

    The slope of the softplus is the sigmoid, ``s = 1 / (1 + e^(-inputs))``, so
    ``t' = (1 - t²) s``, and by the product rule:

        dinputs = dvalues * (t + inputs * (1 - t²) * s)

    As ``tanh(u) = (e^(2u) - 1) / (e^(2u) + 1)``, neither logarithm nor tanh is needed, and with
    ``q = e^(-|inputs|)`` nothing overflows:

        t = (1 + 2q) / (1 + 2q + 2q²)      where inputs > 0
            (q² + 2q) / (q² + 2q + 2)      elsewhere

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", BMVC 2020.

    >>> Mish().forward([[-10_000.0, -1.0, 0.0, 1.0]]).round(4)
    array([[-0.    , -0.3034,  0.    ,  0.8651]])
    """

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        exponential = np.exp(-np.abs(inputs))
        square = exponential * exponential
        positive = inputs > 0
        numerator = 2 * exponential + np.where(positive, 1, square)
        gate = numerator / (numerator + np.where(positive, 2 * square, 2))
        self.gate = gate
        self.output = output = inputs * gate
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        slope_of_gate = (1 - self.gate * self.gate) * sigmoid(self.inputs)
        self.dinputs = dvalues * (self.gate + self.inputs * slope_of_gate)
        return self.dinputs
