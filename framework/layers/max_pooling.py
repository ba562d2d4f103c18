"""Max pooling: the largest value of each window."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_dvalues
from framework.layers.pooling import Pooling
from framework.layers.sample_shapes import IMAGE, SEQUENCE, check_inputs
from framework.layers.windows import crop, pad
from optimizers.arrays import Array


class MaxPooling(Pooling):
    """Base class of the max poolings over ``axes``, those between samples and channels."""

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        windows, self.lengths = self.windows, inputs.shape[1:-1]
        padded = pad(inputs, windows.margins(self.lengths), -np.inf)
        counts = windows.counts(self.lengths)
        output = np.full((len(inputs), *counts, inputs.shape[-1]), -np.inf, inputs.dtype)
        # Where all values are -inf, padding must not win either.
        first = windows.first_inside(self.lengths)
        small = np.min_scalar_type(np.prod(windows.size) - 1)
        largest = np.broadcast_to(first, output.shape).astype(small, order="C")
        for number, (_, seen) in enumerate(windows.positions(counts)):
            values = np.ascontiguousarray(padded[seen])  # read twice below
            # The numbers go up, so this is the assignment where it is larger, ten times as fast.
            larger = (values > output).astype(small)
            np.maximum(largest, larger * small.type(number), out=largest)
            np.maximum(output, values, out=output)
        if np.isnan(output).any():
            for number, (_, seen) in enumerate(windows.positions(counts)):
                largest[np.isnan(padded[seen])] = number
        self.largest = largest
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        lengths, counts = self.windows.padded_lengths(self.lengths), dvalues.shape[1:-1]
        dpadded = np.zeros((len(dvalues), *lengths, dvalues.shape[-1]), dvalues.dtype)
        for number, (_, seen) in enumerate(self.windows.positions(counts)):
            chosen = self.largest == number
            if self.windows.overlap:
                dpadded[seen] += dvalues * chosen
            else:
                np.multiply(dvalues, chosen, out=dpadded[seen])
        self.dinputs = crop(dpadded, self.windows.margins(self.lengths))
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.largest


class MaxPooling2D(MaxPooling):
    """The largest value of each window of an image, for each channel by itself.

        output = max of the window

    The image gets smaller, and a pattern that was found may move by a pixel or so without the
    output changing. Only the largest value has an influence, so all of the gradient goes to it:

        dinputs = Σ dvalues of the windows in which this value is the largest

    A tie goes to the first of the largest, row by row, and a NaN wins, the last of several, all as
    in PyTorch. Padding never wins.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, height, width, channels)``; ``output`` and
    ``dvalues`` ``(samples, rows, columns, channels)``, with
    ``⌊(padded height - size) / stride⌋ + 1`` rows, and columns likewise. Rows and columns that no
    window reaches are left out. ``largest``, of the shape of the output, has the position of the
    largest value in each window, counted row by row from 0.

    Args:
        size: of a window, a whole number of at least 1, or a pair for height and width.
        stride: from one window to the next, likewise. None takes ``size``.
        padding: "valid" for none; "same" for ``⌈height / stride⌉`` rows (see ``Conv2D``); or a
            whole number for both sides, less than ``size``, or a pair for height and width.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape, or smaller than a window.

    Source: Riesenhuber and Poggio, "Hierarchical models of object recognition in cortex", Nature
    Neuroscience 1999.

    >>> pooling = MaxPooling2D(2)
    >>> image = np.reshape([[1.0, 7.0, 2.0, 2.0], [3.0, 5.0, 2.0, 0.0]], (1, 2, 4, 1))
    >>> pooling.forward(image)[0, :, :, 0]
    array([[7., 2.]])
    >>> pooling.backward(np.reshape([10.0, 20.0], (1, 1, 2, 1)))[0, :, :, 0]
    array([[ 0., 10., 20.,  0.],
           [ 0.,  0.,  0.,  0.]])
    """

    axes = IMAGE
    example_axes = (4, 3)


class MaxPooling1D(MaxPooling):
    """The largest value of each window of a sequence, for each channel by itself.

        output  = max of the window
        dinputs = Σ dvalues of the windows in which this value is the largest

    A tie goes to the first of the largest. Padding never wins. See ``MaxPooling2D``.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, steps, channels)``; ``output``, ``dvalues`` and
    ``largest`` ``(samples, ⌊(padded steps - size) / stride⌋ + 1, channels)``.

    Args:
        size, stride: whole numbers of at least 1. A stride of None takes ``size``.
        padding: "valid", "same", or a whole number for both sides, less than ``size``.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape, or shorter than a window.

    Source: as ``MaxPooling2D``.

    >>> MaxPooling1D(2).forward([[[1.0], [7.0], [2.0], [3.0]]])[0, :, 0]
    array([7., 3.])
    """

    axes = SEQUENCE
    example_axes = (4,)
