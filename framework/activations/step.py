"""Step: the perceptron's activation, 0 or 1."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_floats
from optimizers.arrays import Array


class Step(Activation):
    """Heaviside step, ``output = 1 where inputs >= 0, else 0``.

    Its slope is 0 on both sides of the jump and undefined at it, so there is no gradient to
    train with: ``backward`` raises NotImplementedError. The weights of a perceptron are set by
    hand or by the perceptron rule.

    Shapes: ``inputs`` and ``output`` are ``(samples, ...)``.

    Source: Rosenblatt, "The Perceptron", Psychological Review 65, 1958.

    >>> Step().forward([[-0.5, 0.0, 2.0]])
    array([[0., 1., 1.]])
    """

    differentiable = False

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        self.output = output = (inputs >= 0).astype(inputs.dtype)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        raise NotImplementedError(
            "Step() cannot be trained by gradients: its slope is 0 on both sides of the jump. "
            "Train with Sigmoid() or Tanh() in its place."
        )

    def kink_sides(self) -> Array:
        return self.output > 0
