"""Softmax: turns the scores of the classes into probabilities that add up to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats, check_positive
from framework.operation import smooth
from framework.utils.classes import largest_class
from optimizers.arrays import Array


def reduce_classes(ufunc: np.ufunc, values: Array) -> Array:
    """Return ``ufunc.reduce`` over the last axis of ``values``, kept with length 1.

    NumPy is slow at reducing many short rows. Transposed, all rows are reduced at once, and fewer
    than 8 numbers are added up in the same order.
    """
    classes = values.shape[-1]
    if classes >= 8:
        return ufunc.reduce(values, axis=-1, keepdims=True)
    columns = values.reshape(-1, classes).T.copy()
    return ufunc.reduce(columns, axis=0).reshape(*values.shape[:-1], 1)


class Softmax(Activation):
    """Softmax over the last axis, at a temperature of ``T = temperature``:

        output_j  = e^(inputs_j / T) / Σₖ e^(inputs_k / T)

    The largest input is subtracted first: the result is the same, and nothing overflows. Every
    output depends on every input of its row. The Jacobian of a row is
    ``(diag(output) - output outputᵀ) / T``, and its product with ``dvalues`` is

        dinputs_j = output_j * (dvalues_j - Σₖ dvalues_k output_k) / T

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, classes)``.

    Args:
        temperature: ``T``, greater than 0. Above 1, probabilities are more even; below 1,
            sharper.

    Raises:
        TypeError, ValueError: ``temperature`` is not a number, or not above 0.

    Source: *Neural Networks from Scratch*, chapters 4 and 9; Hinton, Vinyals and Dean,
    "Distilling the Knowledge in a Neural Network", 2015 (temperature).

    >>> Softmax().forward([[2.0, 1.0, 0.1]]).round(3)
    array([[0.659, 0.242, 0.099]])
    """

    kink_sides = smooth
    preferred_initializer = "glorot_uniform"

    def __init__(self, temperature: float = 1.0) -> None:
        self.temperature = check_positive("temperature", temperature)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        output = inputs - reduce_classes(np.maximum, inputs)
        output /= self.temperature
        np.exp(output, out=output)
        output /= reduce_classes(np.add, output)
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        weighted_mean = (dvalues * self.output).sum(axis=-1, keepdims=True)
        self.dinputs = self.output * (dvalues - weighted_mean) / self.temperature
        return self.dinputs

    def predictions(self, outputs: Array) -> Array:
        """Return the most probable class of each sample, ``(samples,)``; ``NO_CLASS`` for NaN."""
        return largest_class(outputs)
