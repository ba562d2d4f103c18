"""Dense layers."""

from __future__ import annotations

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.builders import build
from framework.layers import Dense
from optimizers.arrays import Array


def add_dense(
    assembly: Assembly, weights: Array, biases: Array | None = None, axis: int = -1
) -> None:
    """Add a dense layer over their ``axis``.

    Args:
        weights: ``(n_inputs, n_neurons)``.
        biases: None, or an array that broadcasts to ``(1, n_neurons)``.

    Raises ValueError for other shapes.
    """
    if weights.ndim != 2:
        raise ValueError(f"expected a matrix of weights, received shape {weights.shape}")
    assembly.features(axis)
    n_inputs, n_neurons = weights.shape
    arrays = {"weights": weights[assembly.order(n_inputs)] if n_inputs else weights}
    if biases is not None:
        arrays["biases"] = np.broadcast_to(biases, (1, n_neurons)).astype(weights.dtype)
    layer = build(
        Dense, n_inputs=n_inputs, n_neurons=n_neurons, use_bias=biases is not None, **arrays
    )
    assembly.add_dense(layer, n_neurons, axis)
