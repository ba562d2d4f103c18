"""The base of the book's operations without parameters."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_dvalues
from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.operation import Operation
from optimizers.arrays import Array


class BookOperation(Operation):
    """Stores the last ``inputs``, and lets float64 be float64 after ``nnfs.init()``."""

    inputs: ArrayLike

    def __getstate__(self) -> dict[str, Any]:
        return without_neighbours(self)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs
        return super().forward(inputs, training)

    def kink_sides(self) -> Any:
        return super().kink_sides()

    def backward(self, dvalues: ArrayLike) -> Array:
        if nnfs_multiplies():
            # Gradients take the dtype of the output. The book rounds nothing but products.
            dvalues = check_dvalues(self, dvalues)
            self.output = self.output.astype(np.result_type(self.output, dvalues), copy=False)
        return super().backward(dvalues)


def without_neighbours(layer: Any) -> dict[str, Any]:
    """What a copy of ``layer`` takes along: not the network around it, as its model sets that."""
    return {name: value for name, value in vars(layer).items() if name not in ("prev", "next")}
