"""Gaussian error linear unit: each input times the probability of a smaller one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array

SCALE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


class GELU(Activation):
    """Gaussian error linear unit, in its tanh approximation.

        u       = √(2/π) * (inputs + 0.044715 * inputs³)
        output  = inputs * (1 + tanh(u)) / 2
        dinputs = dvalues * ((1 + tanh(u)) / 2
                             + inputs * (1 - tanh²(u)) / 2 * √(2/π) * (1 + 0.134145 * inputs²))

    It differs from the exact ``inputs * Φ(inputs)`` by less than 0.0005. The exact form needs the
    error function, which NumPy does not have.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    >>> GELU().forward([[-10_000.0, 0.0, 10_000.0]])
    array([[   -0.,     0., 10000.]])
    """

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        self.tanh = tanh = np.tanh(SCALE * inputs * (1 + CUBIC * inputs * inputs))
        self.output = output = inputs * (0.5 * (1 + tanh))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        inputs = self.inputs
        slope_of_u = SCALE * (1 + 3 * CUBIC * inputs * inputs)
        slope_of_tanh = (1 - self.tanh * self.tanh) * slope_of_u
        self.dinputs = dvalues * (0.5 * (1 + self.tanh) + 0.5 * inputs * slope_of_tanh)
        return self.dinputs
