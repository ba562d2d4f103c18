"""Flatten: from images, or any other shape, to one row for each sample."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from framework.checks import as_dvalues, as_floats
from framework.operation import LastAxis, Operation, Shape, smooth
from optimizers.arrays import Array


class Flatten(Operation):
    """Reshapes each sample to one row, and its gradient back to the shape of the sample.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, a, b, ...)``; ``output`` and ``dvalues``
    ``(samples, a · b · …)``.

    Raises:
        ValueError: in ``forward``, for inputs without a samples axis.

    >>> Flatten().forward([[[1.0, 2.0], [3.0, 4.0]]])
    array([[1., 2., 3., 4.]])
    """

    independent_samples = True
    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        if inputs.ndim < 1:
            raise ValueError("Flatten() expects inputs of shape (samples, ...), received ()")
        self.input_shape = inputs.shape
        self.output = output = inputs.reshape(len(inputs), math.prod(inputs.shape[1:])).copy()
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues).reshape(self.input_shape).copy()
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape is None or isinstance(input_shape, LastAxis):
            return None
        return (math.prod(input_shape),)
