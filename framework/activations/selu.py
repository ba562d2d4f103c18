"""SELU: an ELU scaled so that layers keep the mean and the variance of their signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from optimizers.arrays import Array

# The solution of two equations: a standard normal input gives an output of mean 0 and variance 1.
ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


class SELU(Activation):
    """Scaled exponential linear unit, element by element.

        output  = λ * inputs                        where inputs > 0
                  λ * α * (e^inputs - 1)            elsewhere
        dinputs = dvalues * λ                       where inputs > 0
                  dvalues * λ * α * e^inputs        elsewhere

    ``λ = 1.0507…`` and ``α = 1.6732…`` are such that normally distributed inputs of mean 0 and
    variance 1 give outputs of mean 0 and variance 1. Through many layers that holds if the inputs
    of the network are standardized and each weight has the variance ``1 / n_inputs``, as
    ``initializers.normal(n_inputs**-0.5)`` gives it, or ``"glorot_normal"`` between layers of the
    same size.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks",
    NIPS 2017.

    >>> SELU().forward([[-10_000.0, 0.0, 2.0]]).round(4)
    array([[-1.7581,  0.    ,  2.1014]])
    """

    preferred_initializer = "glorot_normal"

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs = as_floats(inputs)
        negative = SCALE * ALPHA * np.expm1(np.minimum(inputs, 0))
        self.output = output = np.where(inputs > 0, SCALE * inputs, negative)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        slope = SCALE * ALPHA * np.exp(np.minimum(self.inputs, 0))
        self.dinputs = dvalues * np.where(self.inputs > 0, SCALE, slope)
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.inputs > 0
