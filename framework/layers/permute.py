"""Permute: the axes of each sample in another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_dvalues, check_count
from framework.layers.sample_shapes import check_inputs
from framework.operation import LastAxis, Operation, Shape, smooth
from optimizers.arrays import Array


class Permute(Operation):
    """Puts the axes of each sample into another order, such as channels first.

        output[s, j, i] = inputs[s, i, j]         for dims=(2, 1)
        dinputs[s, i, j] = dvalues[s, j, i]

    Nothing is computed: each gradient goes back to the place that its value came from.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, ...)``; ``output`` and ``dvalues`` the same
    with their axes in the new order.

    Args:
        dims: the axis of the inputs that comes first, second, … Axis 0 is that of the samples and
            stays, so these are the numbers from 1, each once.

    Raises:
        TypeError, ValueError: for other ``dims``; in ``forward``, for inputs of more axes or fewer.

    >>> image = np.arange(6.0).reshape(1, 1, 2, 3)  # one row of two pixels with three colours
    >>> Permute((3, 1, 2)).forward(image)[0].tolist()
    [[[0.0, 3.0]], [[1.0, 4.0]], [[2.0, 5.0]]]
    """

    independent_samples = True
    kink_sides = smooth
    example_axes = (4, 3)

    def __init__(self, dims: Sequence[int]) -> None:
        if not isinstance(dims, (tuple, list)):
            raise TypeError(f"dims must be numbers such as (2, 1), received {dims!r}")
        self.dims = tuple(check_count("a number of dims", axis) for axis in dims)
        if sorted(self.dims) != list(range(1, len(dims) + 1)) or not dims:
            raise ValueError(f"dims must be the numbers from 1, each once, received {dims!r}")

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        self.output = output = inputs.transpose(0, *self.dims).copy()
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        back = np.argsort((0, *self.dims))
        self.dinputs = as_dvalues(self, dvalues).transpose(back).copy()
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape is None or isinstance(input_shape, LastAxis):
            return None
        if len(input_shape) != len(self.dims):
            raise ValueError(f"{self!r} expects samples of {len(self.dims)} axes")
        return tuple(input_shape[axis - 1] for axis in self.dims)

    @classmethod
    def for_features(cls, n_features: int) -> Permute:
        return cls((3, 1, 2))
