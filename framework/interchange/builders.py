"""What handing a network over to other programs, and taking one over, have in common."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.layers import BatchNormalization, Dense
from framework.operation import Array, Operation, describe


def kind_of(operation: Any, kinds: Collection[type[Operation]], what: str) -> type[Operation]:
    """Return the one of ``kinds`` that ``operation`` computes as.

    That is its class, or one it is derived from without another ``forward``, or what such a class
    is declared to compute (``Operation.computes_as``).

    Raises TypeError, with ``what`` is missing, if there is none.
    """
    for cls in type(operation).__mro__:
        kind = vars(cls).get("computes_as", cls)
        if issubclass(cls, Operation) and kind in kinds:
            if type(operation).forward is cls.forward:
                return kind
            break
    raise TypeError(f"{describe(operation)} has no {what}")


def dense(weights: Array, biases: ArrayLike = 0.0) -> Dense:
    """Return a layer with these parameters, in the dtype of ``weights``.

    Raises ValueError if they are not a matrix and a bias for each of its columns.
    """
    if weights.ndim != 2:
        raise ValueError(f"expected a matrix of weights, received shape {weights.shape}")
    layer = Dense(*weights.shape, dtype=weights.dtype)
    layer.weights = weights
    layer.biases = np.broadcast_to(biases, (1, layer.n_neurons))
    return layer


def batch_normalization(
    weights: Array, biases: Array, mean: Array, variance: Array, **options: Any
) -> BatchNormalization:
    """Return a layer with these parameters and running statistics, in the dtype of ``weights``.

    Args:
        weights, biases, mean, variance: ``(features,)`` or ``(1, features)``.
        options: ``momentum`` and ``epsilon``.

    Raises ValueError if a shape is another, or the features are not as many.
    """
    row = (1, weights.size)
    layer = BatchNormalization(weights.size, dtype=weights.dtype, **options)
    for name, values in {
        "weights": weights,
        "biases": biases,
        "running_mean": mean,
        "running_variance": variance,
    }.items():
        if values.shape not in (row, row[1:]):
            raise ValueError(f"expected {name} of shape {row[1:]}, received {values.shape}")
        setattr(layer, name, values.reshape(row))
    return layer
