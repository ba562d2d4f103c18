"""Base class of layers with weights and biases: their arguments, and the gradients of penalties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from framework.checks import check_dtype, check_non_negative
from framework.initializers import Initializer, check_initializer, initialize
from framework.operation import Operation, smooth
from framework.parameters import Parameter
from optimizers.arrays import Array


class Weighted(Operation):
    """Base class of layers with ``weights`` and, with ``use_bias``, ``biases``.

    The shape of the weights ends with the number of outputs, of which each has a bias: ``biases``
    is ``(1, n_outputs)``. Without ``use_bias`` there is no such attribute.
    """

    parameters: tuple[str, ...] = ("weights", "biases")
    independent_samples = True
    kink_sides = smooth
    weights = Parameter()
    biases = Parameter()
    dweights = Parameter()
    dbiases = Parameter()

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        use_bias: bool,
        weight_initializer: str | Initializer,
        bias_initializer: str | Initializer,
        weight_regularizer_l1: float,
        weight_regularizer_l2: float,
        bias_regularizer_l1: float,
        bias_regularizer_l2: float,
        dtype: DTypeLike,
    ) -> None:
        if not isinstance(use_bias, (bool, np.bool_)):
            raise TypeError(f"use_bias must be True or False, received {use_bias!r}")
        self.use_bias = bool(use_bias)
        self.weight_initializer = check_initializer("weight_initializer", weight_initializer)
        self.bias_initializer = check_initializer("bias_initializer", bias_initializer)
        self.weight_regularizer_l1 = check_non_negative(
            "weight_regularizer_l1", weight_regularizer_l1
        )
        self.weight_regularizer_l2 = check_non_negative(
            "weight_regularizer_l2", weight_regularizer_l2
        )
        self.bias_regularizer_l1 = check_non_negative("bias_regularizer_l1", bias_regularizer_l1)
        self.bias_regularizer_l2 = check_non_negative("bias_regularizer_l2", bias_regularizer_l2)
        if not self.use_bias and (self.bias_regularizer_l1 or self.bias_regularizer_l2):
            raise ValueError("without use_bias there are no biases to regularize")
        number_type = check_dtype(dtype)
        self.weights = initialize(self.weight_initializer, shape, number_type, "weight_initializer")
        self.dweights = np.zeros_like(self.weights)
        if self.use_bias:
            self.biases = initialize(
                self.bias_initializer, (1, shape[-1]), number_type, "bias_initializer"
            )
            self.dbiases = np.zeros_like(self.biases)
        else:
            self.parameters = ("weights",)

    @property
    def dtype(self) -> str:
        """The dtype of the parameters, which is also that of the computation."""
        return self.weights.dtype.name

    def add_penalty_gradients(self) -> None:
        """Add the gradients of the four penalties to ``dweights`` and ``dbiases``."""
        l1, l2 = self.weight_regularizer_l1, self.weight_regularizer_l2
        if l1 or l2:
            add_penalty_gradient(self.dweights, self.weights, l1, l2)
        l1, l2 = self.bias_regularizer_l1, self.bias_regularizer_l2
        if (l1 or l2) and self.use_bias:
            add_penalty_gradient(self.dbiases, self.biases, l1, l2)


def add_penalty_gradient(gradient: Array, parameter: Array, l1: float, l2: float) -> None:
    """Add to ``gradient`` that of the penalties ``l1`` and ``l2`` on ``parameter``."""
    if l1:
        gradient += np.where(parameter < 0, -l1, l1).astype(parameter.dtype)
    if l2:
        gradient += (2 * l2) * parameter


def weighted_shapes(
    shape: tuple[int, ...], arguments: Mapping[str, Any]
) -> dict[str, tuple[int, ...]]:
    """Return the ``stored_shapes`` of a layer whose weights have this shape.

    Files that were saved before there was ``use_bias`` do not have it.
    """
    shapes = {"weights": shape}
    if arguments.get("use_bias", True):
        shapes["biases"] = (1, shape[-1])
    return shapes
