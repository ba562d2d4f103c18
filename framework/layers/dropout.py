"""Dropout: sets a random share of the inputs to 0, so that neurons do not co-adapt."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.checks import as_dvalues, as_floats, check_fraction
from framework.operation import Operation, Shape, smooth
from framework.utils import rng
from optimizers.arrays import Array


class Dropout(Operation):
    """Inverted dropout.

    In training, each input is set to 0 with probability ``rate``, and the others are divided by
    ``1 - rate``, so that the expected output is the input:

        mask    = 0                 with probability rate
                  1 / (1 - rate)    otherwise
        output  = inputs * mask
        dinputs = dvalues * mask

    With ``training=False`` the inputs pass unchanged.

    Shapes: ``inputs``, ``output``, ``dvalues``, ``dinputs`` and ``mask`` are all
    ``(samples, ...)``. ``mask`` is None after a forward pass with ``training=False``.

    Args:
        rate: the probability to drop an input, at least 0 and less than 1.

    Raises:
        TypeError, ValueError: ``rate`` is not a number, or out of its range.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", JMLR 2014; *Neural Networks from Scratch*, chapter 15.
    """

    independent_samples = True
    kink_sides = smooth

    def __init__(self, rate: float) -> None:
        self.rate = check_fraction("rate", rate)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        mask = self._draw_mask(inputs) if training else None
        self.mask: Array | None = mask
        self.output = output = inputs.copy() if mask is None else inputs * mask
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        self.dinputs = dvalues.copy() if self.mask is None else dvalues * self.mask
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    @classmethod
    def for_features(cls, n_features: int) -> Dropout:
        return cls(0.3)

    def _draw_mask(self, inputs: Array) -> Array:
        uniforms = rng.generator().random(inputs.shape, dtype=inputs.dtype)
        mask = (uniforms >= self.rate).astype(inputs.dtype)
        mask *= 1 / (1 - self.rate)
        return mask
