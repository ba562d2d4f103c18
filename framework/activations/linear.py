"""Linear activation: the identity, for outputs that may be any number."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from optimizers.arrays import Array


class Linear(Activation):
    """Identity, ``output = inputs``, with slope 1 everywhere: ``dinputs = dvalues``.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Source: *Neural Networks from Scratch*, chapter 17.
    """

    kink_sides = smooth
    preferred_initializer = "glorot_uniform"

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.output = output = as_floats(inputs).copy()
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues).copy()
        return self.dinputs
