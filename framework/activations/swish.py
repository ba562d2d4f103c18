"""Swish, also called SiLU: each input times its sigmoid."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.sigmoid import sigmoid
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array


class Swish(Activation):
    """Swish (sigmoid linear unit), ``output = inputs * s`` with ``s = 1 / (1 + e^(-inputs))``.

    By the product rule, with ``s' = s (1 - s)``:

        dinputs = dvalues * (s + output * (1 - s))

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Ramachandran, Zoph and Le, "Searching for Activation Functions", 2017 (β = 1).

    >>> Swish().forward([[-10_000.0, 0.0, 10_000.0]])
    array([[   -0.,     0., 10000.]])
    """

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        self.sigmoid = slope = sigmoid(inputs)
        self.output = output = inputs * slope
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        self.dinputs = dvalues * (self.sigmoid + self.output * (1 - self.sigmoid))
        return self.dinputs
