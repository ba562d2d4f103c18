"""Sigmoid: squeezes any number into a probability between 0 and 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from framework.utils.classes import yes_or_no
from optimizers.arrays import Array


def sigmoid(inputs: Array) -> Array:
    """Return ``1 / (1 + e^(-inputs))``.

    Where the exponential overflows to infinity, the quotient is 0, which is correct.
    """
    with np.errstate(over="ignore"):
        output = np.exp(-inputs)
    output += 1
    return np.divide(1, output, out=output)


class Sigmoid(Activation):
    """Logistic sigmoid, ``output = 1 / (1 + e^(-inputs))``, element by element.

    Its slope follows from its value:

        dinputs = dvalues * (1 - output) * output

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: *Neural Networks from Scratch*, chapter 16.

    >>> Sigmoid().forward([[-10_000.0, 0.0, 10_000.0]])
    array([[0. , 0.5, 1. ]])
    """

    kink_sides = smooth
    preferred_initializer = "glorot_uniform"

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.output = output = sigmoid(as_floats(inputs))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        self.dinputs = dvalues * (1 - self.output) * self.output
        return self.dinputs

    def predictions(self, outputs: Array) -> Array:
        """Return 1 where the probability is above one half, else 0; ``NO_CLASS`` for NaN."""
        return yes_or_no(outputs)
