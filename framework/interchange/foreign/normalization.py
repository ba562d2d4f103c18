"""Batch and layer normalization, over channels that come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.builders import build
from framework.interchange.layout import size_of
from framework.layers import BatchNormalization, LayerNormalization
from optimizers.arrays import Array

# A small file can declare any number of features. Of more, a network has weights.
MOST_FEATURES = 1_000_000


def add_batch_normalization(
    assembly: Assembly, arrays: dict[str, Array], **settings: float
) -> None:
    """Add a batch normalization of their channels, the first axis of a sample.

    Args:
        arrays: by the names of ours.
        settings: ``epsilon`` and ``momentum``, which is the weight of the old statistics.

    Raises ValueError for arrays that do not fit.
    """
    assembly.features(0)
    sizes = {array.size for array in arrays.values() if array.ndim == 1}
    if len(sizes) != 1 or any(array.ndim != 1 for array in arrays.values()):
        shapes = ", ".join(str(array.shape) for array in arrays.values())
        raise ValueError(f"expected arrays of one number for each channel, received {shapes}")
    order = assembly.order(sizes.pop())
    ordered: Any = {name: array[order] for name, array in arrays.items()}
    assembly.append(build(BatchNormalization, **settings, **ordered))


def add_folded_normalization(
    assembly: Assembly, mean: Array, weights: Array, biases: Array
) -> None:
    """Add one of our last axis whose weights are divided by its deviation already."""
    layer = build(BatchNormalization, running_mean=mean, weights=weights, biases=biases)
    # The deviation, √(running_variance + epsilon), is 1.
    layer.running_variance = np.ones_like(layer.running_variance) - layer.epsilon
    assembly.append(layer)


def add_layer_normalization(
    assembly: Assembly,
    axes: Sequence[int],
    epsilon: float,
    weights: Array | None = None,
    biases: Array | None = None,
) -> None:
    """Add a layer normalization over these of their axes.

    Args:
        weights, biases: of the shape of these axes; ones and zeros if not given.

    Raises ValueError for arrays that do not fit.
    """
    assembly.features(*axes)
    arrays = {"weights": weights, "biases": biases}
    given = {name: array.reshape(-1) for name, array in arrays.items() if array is not None}
    n_features = len(next(iter(given.values()))) if given else size_of(assembly.layout.ours[-1])
    if n_features is None or (not given and n_features > MOST_FEATURES):
        raise ValueError(f"it normalizes {n_features or 'an unknown number of'} features")
    order = assembly.order(n_features)
    ordered: Any = {name: array[order] for name, array in given.items()}
    assembly.append(build(LayerNormalization, n_features=n_features, epsilon=epsilon, **ordered))
