"""Average pooling: the mean of each window."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_dvalues
from framework.layers.pooling import Pooling
from framework.layers.sample_shapes import IMAGE, SEQUENCE, check_inputs
from framework.layers.windows import crop, pad
from framework.operation import smooth
from optimizers.arrays import Array


class AveragePooling(Pooling):
    """Base class of the average poolings over ``axes``, those between samples and channels."""

    kink_sides = smooth

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        windows, self.lengths = self.windows, inputs.shape[1:-1]
        padded = pad(inputs, windows.margins(self.lengths))
        counts = windows.counts(self.lengths)
        output = np.zeros((len(inputs), *counts, inputs.shape[-1]), inputs.dtype)
        for _, seen in windows.positions(counts):
            output += padded[seen]
        output /= windows.inside(self.lengths)
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        lengths, counts = self.windows.padded_lengths(self.lengths), dvalues.shape[1:-1]
        dpadded = np.zeros((len(dvalues), *lengths, dvalues.shape[-1]), dvalues.dtype)
        shared = dvalues / self.windows.inside(self.lengths).astype(dvalues.dtype)
        for _, seen in self.windows.positions(counts):
            dpadded[seen] += shared
        self.dinputs = crop(dpadded, self.windows.margins(self.lengths))
        return self.dinputs


class AveragePooling2D(AveragePooling):
    """The mean of each window of an image, for each channel by itself.

        output  = Σ inputs / n            over the n values of the window
        dinputs = Σ dvalues / n           over the windows that have this value

    Each of the ``n`` values moves the mean by an ``n``-th of its own change, so it gets an
    ``n``-th of the gradient, from each window that it is in. Padding is left out of ``n``.

    Shapes, ``Args`` and ``Raises``: as ``MaxPooling2D``, without ``largest``.

    Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998.

    >>> pooling = AveragePooling2D(2)
    >>> image = np.reshape([[1.0, 7.0, 2.0, 2.0], [3.0, 5.0, 2.0, 0.0]], (1, 2, 4, 1))
    >>> pooling.forward(image)[0, :, :, 0]
    array([[4. , 1.5]])
    >>> pooling.backward(np.reshape([4.0, 8.0], (1, 1, 2, 1)))[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    """

    axes = IMAGE
    example_axes = (4, 3)


class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence, for each channel by itself.

        output  = Σ inputs / n            over the n values of the window
        dinputs = Σ dvalues / n           over the windows that have this value

    Padding is left out of ``n``. See ``AveragePooling2D``.

    Shapes, ``Args`` and ``Raises``: as ``MaxPooling1D``, without ``largest``.

    Source: as ``AveragePooling2D``.

    >>> AveragePooling1D(2).forward([[[1.0], [7.0], [2.0], [3.0]]])[0, :, 0]
    array([4. , 2.5])
    """

    axes = SEQUENCE
    example_axes = (4,)
