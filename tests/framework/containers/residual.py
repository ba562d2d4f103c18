"""A container of the user's own."""

from collections.abc import Mapping
from typing import Any

from framework import Container
from optimizers.arrays import Array


class Residual(Container):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> Mapping[str, Any]:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Array:
        self.output: Array = inputs + self.inner.forward(inputs, training)
        return self.output

    def backward(self, dvalues: Any) -> Array:
        self.dinputs: Array = dvalues + self.inner.backward(dvalues)
        return self.dinputs
