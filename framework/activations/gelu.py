"""Gaussian error linear unit: each input times the probability of a smaller one."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.erf import erfc
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array

SCALE = math.sqrt(2 / math.pi)
CUBIC = 0.044715
# Beyond, in float64 as well, Φ is 0 or 1 and its derivative 0; the powers here do not overflow.
BOUND = 40.0


class GELU(Activation):
    """Gaussian error linear unit, ``inputs * Φ(inputs)``.

    ``Φ(x)`` is the probability that a number from the normal distribution is less than ``x``, and
    its derivative the density of that distribution. By the product rule, with
    ``approximate="none"``:

        Φ       = (1 + erf(inputs / √2)) / 2
        output  = inputs * Φ
        dinputs = dvalues * (Φ + inputs * exp(-inputs² / 2) / √(2π))

    The error function ``erf`` takes time, so by default Φ is approximated by a tanh, with which
    the output differs by less than 0.0005:

        u       = √(2/π) * (inputs + 0.044715 * inputs³)
        output  = inputs * (1 + tanh(u)) / 2
        dinputs = dvalues * ((1 + tanh(u)) / 2
                             + inputs * (1 - tanh²(u)) / 2 * √(2/π) * (1 + 0.134145 * inputs²))

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Args:
        approximate: "tanh" or "none", as in PyTorch, whose default is "none".

    Raises:
        ValueError: ``approximate`` is anything else.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    >>> GELU().forward([[-10_000.0, 0.0, 10_000.0]])
    array([[   -0.,     0., 10000.]])
    >>> GELU(approximate="none").forward([[1.0]])  # Φ(1), by every table of the distribution
    array([[0.84134475]])
    """

    kink_sides = smooth
    later_arguments = ("approximate",)

    def __init__(self, approximate: Literal["tanh", "none"] = "tanh") -> None:
        if approximate not in ("tanh", "none"):
            raise ValueError(f"approximate must be 'tanh' or 'none', received {approximate!r}")
        self.approximate = approximate

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        if self.approximate == "none":
            self.probability = probability = 0.5 * erfc(inputs * -math.sqrt(0.5))
        else:
            near = np.clip(inputs, -BOUND, BOUND)
            self.tanh = tanh = np.tanh(SCALE * near * (1 + CUBIC * near * near))
            probability = 0.5 * (1 + tanh)
        self.output = output = inputs * probability
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        near = np.clip(self.inputs, -BOUND, BOUND)
        if self.approximate == "none":
            density = np.exp(-0.5 * near * near) / math.sqrt(2 * math.pi)
            self.dinputs = dvalues * (self.probability + near * density)
        else:
            slope_of_u = SCALE * (1 + 3 * CUBIC * near * near)
            slope_of_tanh = (1 - self.tanh * self.tanh) * slope_of_u
            self.dinputs = dvalues * (0.5 * (1 + self.tanh) + 0.5 * near * slope_of_tanh)
        return self.dinputs
