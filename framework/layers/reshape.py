"""Reshape: the same values of each sample along other axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import ArrayLike

from framework.checks import as_dvalues, check_count
from framework.layers.sample_shapes import check_inputs
from framework.operation import LastAxis, Operation, Shape, smooth
from optimizers.arrays import Array


class Reshape(Operation):
    """Gives each sample another shape, and its gradient the one it came in.

    The values stay in their order, the last axis going fastest. Nothing is computed, so the
    gradient is passed on as it is.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, ...)``; ``output`` and ``dvalues``
    ``(samples, *shape)``.

    Args:
        shape: of one sample: whole numbers of at least 1, of which one can be -1, for as many as
            are left.

    Raises:
        TypeError, ValueError: for another ``shape``; in ``forward``, for samples of another
            number of values.

    >>> Reshape((2, 2)).forward([[1.0, 2.0, 3.0, 4.0]])
    array([[[1., 2.],
            [3., 4.]]])
    """

    independent_samples = True
    kink_sides = smooth

    def __init__(self, shape: Sequence[int]) -> None:
        if not isinstance(shape, (tuple, list)) or not shape:
            raise TypeError(
                f"shape must be that of one sample, such as (28, 28, 1), received {shape!r}"
            )
        self.shape = tuple(n if n == -1 else check_count("a number of shape", n) for n in shape)
        if self.shape.count(-1) > 1:
            raise ValueError(f"only one number of shape can be -1, received {shape!r}")

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        self.input_shape = inputs.shape
        shape = self.output_shape(inputs.shape[1:])
        assert shape is not None
        self.output = output = inputs.reshape(len(inputs), *shape).copy()
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues).reshape(self.input_shape).copy()
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape is None or isinstance(input_shape, LastAxis):
            return None if -1 in self.shape else self.shape
        values, known = math.prod(input_shape), math.prod(n for n in self.shape if n != -1)
        if values % known or (-1 not in self.shape and values != known):
            times = "a multiple of " if -1 in self.shape else ""
            raise ValueError(f"{self!r} expects samples of {times}{known} values, not {values}")
        return tuple(values // known if n == -1 else n for n in self.shape)

    @classmethod
    def for_features(cls, n_features: int) -> Reshape:
        return cls((1, -1))
