"""Rectified linear unit: passes positive inputs, and sets the others to 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from optimizers.arrays import Array


class ReLU(Activation):
    """Rectified linear unit, ``output = max(0, inputs)``, element by element.

    Its slope is 1 where the input is positive and 0 elsewhere (0 is chosen at 0), so

        dinputs = dvalues  where output > 0
                  0        elsewhere

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann
    Machines", ICML 2010.

    >>> relu = ReLU()
    >>> relu.forward([[-2.0, 0.0, 3.0]])
    array([[0., 0., 3.]])
    >>> relu.backward([[10.0, 10.0, 10.0]])
    array([[ 0.,  0., 10.]])
    """

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        # NumPy compares two arrays two to three times faster than an array and a number.
        output = np.zeros(inputs.shape, inputs.dtype)
        self.output = np.maximum(inputs, output, out=output)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues) * (self.output > 0)
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.output > 0
