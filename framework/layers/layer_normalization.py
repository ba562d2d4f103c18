"""Layer normalization: each sample gets mean 0 and variance 1 over its features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import as_dvalues, check_count, check_dtype, check_positive
from framework.layers.sample_shapes import check_features, check_inputs
from framework.operation import Operation, Shape, smooth
from framework.parameters import Parameter
from optimizers.arrays import Array


class LayerNormalization(Operation):
    """Normalizes each sample over its features, then scales and shifts each feature.

    With the mean and the variance over the last axis, of each row by itself:

        variance   = mean((inputs - mean(inputs))²)
        normalized = (inputs - mean(inputs)) / √(variance + epsilon)
        output     = weights * normalized + biases

    The mean and the variance depend on every feature of the row, so the gradient of one input has
    three parts: its own, and one through each of the two. Moving all features alike moves the
    mean with them and changes nothing, so the mean of the gradient is taken out; and stretching
    them changes nothing either, so the part along ``normalized`` is.

        g        = dvalues * weights
        dinputs  = (g - mean(g) - normalized * mean(g * normalized)) / √(variance + epsilon)
        dweights = Σ dvalues * normalized      over all rows
        dbiases  = Σ dvalues                   over all rows

    Unlike ``BatchNormalization`` it treats each sample alone, in training as in prediction, and
    so has no running statistics.

    Shapes: ``inputs``, ``output``, ``dvalues``, ``dinputs`` ``(samples, …, n_features)``;
    ``weights`` (the scale) and ``biases`` (the shift) ``(1, n_features)``.

    Args:
        n_features: length of the last axis, at least 1.
        epsilon: greater than 0.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape.

    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.

    The mean of 1 and 3 is 2, their standard deviation 1:

    >>> layer = LayerNormalization(2, epsilon=1e-12)
    >>> layer.forward([[1.0, 3.0], [30.0, 10.0]])
    array([[-1.,  1.],
           [ 1., -1.]], dtype=float32)
    >>> layer.backward([[1.0, 1.0], [2.0, 0.0]])  # neither a shift nor a stretch has an effect
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """

    parameters = ("weights", "biases")
    independent_samples = True
    kink_sides = smooth
    weights = Parameter()
    biases = Parameter()
    dweights = Parameter()
    dbiases = Parameter()

    def __init__(
        self, n_features: int, *, epsilon: float = 1e-5, dtype: DTypeLike = "float32"
    ) -> None:
        self.n_features = check_count("n_features", n_features)
        self.epsilon = check_positive("epsilon", epsilon)
        number_type = check_dtype(dtype)
        shape = (1, self.n_features)
        self.weights = np.ones(shape, dtype=number_type)
        self.biases = np.zeros(shape, dtype=number_type)
        self.dweights = np.zeros(shape, dtype=number_type)
        self.dbiases = np.zeros(shape, dtype=number_type)

    @property
    def dtype(self) -> str:
        """The dtype of the parameters, which is also that of the computation."""
        return self.weights.dtype.name

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        weights = self.weights
        inputs = check_inputs(self, inputs).astype(weights.dtype, copy=False)
        centred = inputs - inputs.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        self.deviation = deviation = np.sqrt(variance + self.epsilon)
        self.normalized = normalized = np.divide(centred, deviation, out=centred)
        output = normalized * weights[0]
        output += self.biases[0]
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        normalized = self.normalized
        if self.trainable:
            self.parameter_gradients(dvalues)
        g = dvalues * self.weights[0]
        along = normalized * (g * normalized).mean(axis=-1, keepdims=True)
        self.dinputs = (g - g.mean(axis=-1, keepdims=True) - along) / self.deviation
        return self.dinputs

    def parameter_gradients(self, dvalues: ArrayLike) -> None:
        """Compute ``dweights`` and ``dbiases`` alone, for a layer whose inputs are the data."""
        dvalues = as_dvalues(self, dvalues)
        rows = dvalues.reshape(-1, self.n_features)
        weighted = rows * self.normalized.reshape(rows.shape)
        self.dweights = weighted.sum(axis=0, keepdims=True, dtype=np.float64)
        self.dbiases = rows.sum(axis=0, keepdims=True, dtype=np.float64)

    def output_shape(self, input_shape: Shape) -> Shape:
        return check_features(self, input_shape, self.n_features)

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(cls.parameters, (1, arguments["n_features"]))
