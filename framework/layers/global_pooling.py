"""Global pooling: one number for each channel of an image or a sequence."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_dvalues
from framework.layers.pooling import GlobalPooling
from framework.layers.sample_shapes import IMAGE, SEQUENCE, check_inputs
from framework.operation import smooth
from optimizers.arrays import Array


class GlobalAveragePooling(GlobalPooling):
    """Base class of the global average poolings over ``axes``."""

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        self.input_shape = inputs.shape
        self.output = output = inputs.mean(axis=tuple(range(1, inputs.ndim - 1)))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        samples, *lengths, channels = self.input_shape
        shared = dvalues / math.prod(lengths)
        shared = shared.reshape(samples, *(1 for _ in lengths), channels)
        self.dinputs = np.broadcast_to(shared, self.input_shape).copy()
        return self.dinputs


class GlobalMaxPooling(GlobalPooling):
    """Base class of the global max poolings over ``axes``."""

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        self.input_shape = inputs.shape
        rows = inputs.reshape(len(inputs), math.prod(inputs.shape[1:-1]), inputs.shape[-1])
        self.largest = largest = rows.argmax(axis=1, keepdims=True)
        self.output = output = np.take_along_axis(rows, largest, axis=1)[:, 0]
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        samples, *lengths, channels = self.input_shape
        rows = np.zeros((samples, math.prod(lengths), channels), dvalues.dtype)
        np.put_along_axis(rows, self.largest, dvalues[:, np.newaxis], axis=1)
        self.dinputs = rows.reshape(self.input_shape)
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.largest


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of an image.

        output  = Σ inputs / n      over the n = height · width pixels
        dinputs = dvalues / n       at every pixel

    In place of ``Flatten``, it lets a network take images of any size, and leaves fewer weights
    to the dense layer behind it.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, height, width, channels)``; ``output`` and
    ``dvalues`` ``(samples, channels)``.

    Raises:
        ValueError: in ``forward``, for inputs of another shape, or without a pixel.

    Source: Lin, Chen and Yan, "Network In Network", ICLR 2014.

    >>> pooling = GlobalAveragePooling2D()
    >>> pooling.forward(np.reshape([[1.0, 7.0], [3.0, 5.0]], (1, 2, 2, 1)))
    array([[4.]])
    >>> pooling.backward([[8.0]])[0, :, :, 0]
    array([[2., 2.],
           [2., 2.]])
    """

    axes = IMAGE
    example_axes = (4, 3)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel of a sequence.

        output  = Σ inputs / n      over the n steps
        dinputs = dvalues / n       at every step

    Shapes: ``inputs`` and ``dinputs`` ``(samples, steps, channels)``; ``output`` and ``dvalues``
    ``(samples, channels)``.

    Raises:
        ValueError: in ``forward``, for inputs of another shape, or without a step.

    Source: as ``GlobalAveragePooling2D``.

    >>> GlobalAveragePooling1D().forward([[[1.0], [7.0], [4.0]]])
    array([[4.]])
    """

    axes = SEQUENCE
    example_axes = (4,)


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel of an image.

        output  = max over all pixels
        dinputs = dvalues   at the largest
                  0         elsewhere

    A tie goes to the first of the largest, row by row.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, height, width, channels)``; ``output`` and
    ``dvalues`` ``(samples, channels)``; ``largest`` ``(samples, 1, channels)``, the position of
    the largest value, counted row by row from 0.

    Raises:
        ValueError: in ``forward``, for inputs of another shape, or without a pixel.

    Source: Oquab et al., "Is object localization for free?", CVPR 2015.

    >>> pooling = GlobalMaxPooling2D()
    >>> pooling.forward(np.reshape([[1.0, 7.0], [3.0, 5.0]], (1, 2, 2, 1)))
    array([[7.]])
    >>> pooling.backward([[8.0]])[0, :, :, 0]
    array([[0., 8.],
           [0., 0.]])
    """

    axes = IMAGE
    example_axes = (4, 3)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel of a sequence.

        output  = max over all steps
        dinputs = dvalues   at the largest
                  0         elsewhere

    A tie goes to the first of the largest.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, steps, channels)``; ``output`` and ``dvalues``
    ``(samples, channels)``; ``largest`` ``(samples, 1, channels)``, the step of the largest value.

    Raises:
        ValueError: in ``forward``, for inputs of another shape, or without a step.

    Source: as ``GlobalMaxPooling2D``.

    >>> GlobalMaxPooling1D().forward([[[1.0], [7.0], [4.0]]])
    array([[7.]])
    """

    axes = SEQUENCE
    example_axes = (4,)
