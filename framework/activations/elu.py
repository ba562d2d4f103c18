"""Exponential linear unit: a ReLU whose negative side levels off smoothly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats, check_non_negative
from optimizers.arrays import Array


class ELU(Activation):
    """Exponential linear unit, element by element.

        output  = inputs                         where inputs > 0
                  alpha * (e^inputs - 1)         elsewhere
        dinputs = dvalues                        where inputs > 0
                  dvalues * alpha * e^inputs     elsewhere

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Args:
        alpha: the negative side tends to ``-alpha``; at least 0.

    Raises:
        TypeError, ValueError: ``alpha`` is not a number, or negative.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by
    Exponential Linear Units", ICLR 2016.

    >>> ELU().forward([[-10_000.0, 0.0, 3.0]])
    array([[-1.,  0.,  3.]])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_non_negative("alpha", alpha)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        negative = self.alpha * np.expm1(np.minimum(inputs, 0))
        self.output = output = np.where(inputs > 0, inputs, negative)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        slope = self.alpha * np.exp(np.minimum(self.inputs, 0))
        self.dinputs = np.where(self.inputs > 0, dvalues, dvalues * slope)
        return self.dinputs

    def kink_sides(self) -> Array:
        # With alpha = 1 the slope is continuous, but the second derivative jumps.
        return self.inputs > 0
