"""Scale: brings data into a range that suits training."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.checks import as_dvalues, as_floats, check_number
from framework.operation import Operation, Shape, smooth
from optimizers.arrays import Array


class Scale(Operation):
    """Multiplies by a constant and adds another.

        output  = factor * inputs + offset
        dinputs = factor * dvalues

    As the first operation of a model it scales each batch, so that images can stay in bytes, and
    the scaling is saved with the model: ``Scale(1 / 127.5, -1)`` brings 0…255 to -1…1.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``.

    Args:
        factor: a number other than 0.
        offset: a number.

    Raises:
        TypeError, ValueError: for any other argument.

    >>> Scale(1 / 127.5, -1).forward([[0, 255]])
    array([[-1.,  1.]])
    """

    independent_samples = True
    kink_sides = smooth

    def __init__(self, factor: float, offset: float = 0.0) -> None:
        self.factor = check_number("factor", factor)
        if not self.factor:
            raise ValueError("factor must not be 0, which would silence the inputs")
        self.offset = check_number("offset", offset)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        output = as_floats(inputs) * self.factor
        output += self.offset
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues) * self.factor
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    @classmethod
    def for_features(cls, n_features: int) -> Scale:
        return cls(0.5, offset=-1.0)
