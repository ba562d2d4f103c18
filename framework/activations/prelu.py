"""Parametric ReLU: a leaky ReLU that learns the slope of its negative side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.activations.activation import Activation
from framework.checks import as_dvalues, as_floats, check_count, check_dtype, check_number
from framework.operation import Shape
from framework.parameters import Parameter
from optimizers.arrays import Array


class PReLU(Activation):
    """Parametric rectified linear unit, element by element, with trained slopes ``weights``.

        output   = inputs                      where inputs > 0
                   weights * inputs            elsewhere
        dinputs  = dvalues                     where inputs > 0
                   weights * dvalues           elsewhere
        dweights = Σ dvalues * min(inputs, 0)

    The output changes with a slope by the input where that is negative, and not at all elsewhere;
    the sum goes over the samples, and over all positions and features that share the slope.

    ``PReLU()`` has one slope for any number of features, like PyTorch's.
    ``PReLU(64)`` has one for each of 64 features (or channels of images), as Keras's has; so do
    those that estimators and commands make by name. Weight decay, as that of ``AdamW``, pulls the
    slopes towards ReLU; the paper does without.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, ...)``, with
    ``n_features`` numbers along the last axis unless that is 1; ``weights`` and ``dweights``
    ``(1, n_features)``. Everything is computed in the dtype of the weights; the sum in float64.

    Args:
        n_features: the number of features, each with a slope of its own; 1 for a single slope.
        initial_slope: the slopes before training, any finite number.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs with another number of features.

    Source: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers: Surpassing Human-Level
    Performance on ImageNet Classification", ICCV 2015.

    >>> prelu = PReLU()
    >>> prelu.forward([[-2.0, 0.0, 3.0]])
    array([[-0.5,  0. ,  3. ]], dtype=float32)
    >>> prelu.backward([[10.0, 10.0, 10.0]])
    array([[ 2.5,  2.5, 10. ]], dtype=float32)
    >>> prelu.dweights
    array([[-20.]], dtype=float32)
    """

    parameters = ("weights",)
    weights = Parameter()
    dweights = Parameter()

    def __init__(
        self, n_features: int = 1, *, initial_slope: float = 0.25, dtype: DTypeLike = "float32"
    ) -> None:
        self.n_features = check_count("n_features", n_features)
        self.initial_slope = check_number("initial_slope", initial_slope)
        shape = (1, self.n_features)
        self.weights = np.full(shape, self.initial_slope, dtype=check_dtype(dtype))
        self.dweights = np.zeros_like(self.weights)

    @property
    def dtype(self) -> str:
        """The dtype of the weights, which is also that of the computation."""
        return self.weights.dtype.name

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        if not self._takes(inputs.shape):
            raise ValueError(f"{self._expectation()}, received {inputs.shape}")
        self.inputs = inputs = inputs.astype(self.weights.dtype, copy=False)
        self.output = output = np.where(inputs > 0, inputs, self.weights[0] * inputs)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        if self.trainable:
            by_slope = (dvalues * np.minimum(self.inputs, 0)).reshape(-1, self.n_features)
            self.dweights = by_slope.sum(axis=0, keepdims=True, dtype=np.float64)
        self.dinputs = np.where(self.inputs > 0, dvalues, self.weights[0] * dvalues)
        return self.dinputs

    def kink_sides(self) -> Array:
        return self.inputs > 0

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape is not None and not self._takes(input_shape):
            raise ValueError(self._expectation())
        return input_shape

    @classmethod
    def for_features(cls, n_features: int) -> PReLU:
        return cls(n_features)

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        return {"weights": (1, arguments["n_features"])}

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return self.n_features == 1 or shape[-1:] == (self.n_features,)

    def _expectation(self) -> str:
        return f"{self!r} expects inputs of shape (samples, ..., {self.n_features})"
