"""The base class of the book's operations without parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_dvalues
from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.operation import Operation
from optimizers.arrays import Array


class BookOperation(Operation):
    """Stores the last ``inputs``, and keeps float64 gradients after ``nnfs.init()``."""

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
            # Gradients take the dtype of the output, and the book rounds only products.
            dvalues = check_dvalues(self, dvalues)
            self.output = self.output.astype(np.result_type(self.output, dvalues), copy=False)
        return super().backward(dvalues)


def without_neighbours(layer: Any) -> dict[str, Any]:
    """Return the attributes that are copied with ``layer``: all but ``prev`` and ``next``."""
    return {name: value for name, value in vars(layer).items() if name not in ("prev", "next")}
