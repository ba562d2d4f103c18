"""Hyperbolic tangent: a sigmoid from -1 to 1, centred on 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array


class Tanh(Activation):
    """Hyperbolic tangent, ``output = tanh(inputs)``, element by element.

    Its slope follows from its value:

        dinputs = dvalues * (1 - output²)

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: LeCun et al., "Efficient BackProp", 1998.

    >>> Tanh().forward([[-10_000.0, 0.0, 10_000.0]])
    array([[-1.,  0.,  1.]])
    """

    kink_sides = smooth
    preferred_initializer = "glorot_uniform"

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.output = output = np.tanh(as_floats(inputs))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        self.dinputs = dvalues * (1 - self.output * self.output)
        return self.dinputs
