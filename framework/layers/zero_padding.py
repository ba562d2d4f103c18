"""Zero padding: a border of zeros around images."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_dvalues
from framework.layers.sample_shapes import IMAGE, are_known, channels_of, check_inputs
from framework.layers.windows import Margins, Sizes, check_sizes, crop, pad
from framework.operation import Operation, Shape, smooth
from optimizers.arrays import Array

Border: TypeAlias = Sizes | tuple[tuple[int, int], tuple[int, int]]


class ZeroPadding2D(Operation):
    """Puts rows and columns of zeros around each image.

    The pixels of the border are always 0, whatever the inputs are, so their gradient is dropped:
    ``dinputs`` is ``dvalues`` without the border.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, height, width, channels)``; ``output`` and
    ``dvalues`` ``(samples, top + height + bottom, left + width + right, channels)``.

    Args:
        padding: a whole number for all sides; a pair ``(height, width)`` for above and below, and
            left and right; or ``((top, bottom), (left, right))``.

    Raises:
        TypeError, ValueError: for another ``padding``; in ``forward``, for inputs of another
            shape.

    >>> ZeroPadding2D(((1, 0), (0, 2))).forward([[[[5.0]]]])[0, :, :, 0]
    array([[0., 0., 0.],
           [5., 0., 0.]])
    """

    independent_samples = True
    kink_sides = smooth
    axes = IMAGE
    example_axes = (4, 3)

    def __init__(self, padding: Border = 1) -> None:
        self.padding = _checked(padding)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        padded = pad(check_inputs(self, inputs), self.margins)
        self.output = output = np.array(padded) if padded is inputs else padded
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        cropped = crop(dvalues, self.margins)
        self.dinputs = cropped.copy() if cropped is dvalues else cropped
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        if not are_known(self, input_shape, self.axes) or input_shape is None:
            return channels_of(input_shape)
        lengths = zip(input_shape[:-1], self.margins, strict=True)
        return (*(length + sum(both) for length, both in lengths), input_shape[-1])

    @property
    def margins(self) -> Margins:
        """Rows above and below, and columns to the left and to the right."""
        padding = self.padding
        pair = padding if isinstance(padding, tuple) else (padding, padding)
        return [both if isinstance(both, tuple) else (both, both) for both in pair]


def _checked(padding: Any) -> Any:
    if isinstance(padding, (tuple, list)) and any(isinstance(n, (tuple, list)) for n in padding):
        if [len(both) if isinstance(both, (tuple, list)) else 0 for both in padding] != [2, 2]:
            raise ValueError(
                f"padding must be ((top, bottom), (left, right)), received {padding!r}"
            )
        sides = ("first", "last")
        return tuple(check_sizes("padding", both, sides, minimum=0) for both in padding)
    return check_sizes("padding", padding, IMAGE, minimum=0)
