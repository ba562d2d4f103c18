"""Sample weights: the weight of each sample in the loss and in every metric.

A sample of weight 2 counts like two equal samples, a sample of weight 0 is left out. Only
the ratios of the weights matter: the loss of a batch is the weighted mean ``Σ w·loss / Σ w``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_finite
from optimizers.arrays import Array


def check_sample_weight(sample_weight: ArrayLike, samples: int) -> Array:
    """Return the weights as float64 ``(samples,)``, scaled so that the largest is 1.

    Raises:
        TypeError: they are not real numbers.
        ValueError: not one for each sample, NaN, infinite, negative, or all of them zero.
    """
    weights = as_array(sample_weight, "sample_weight")
    if weights.shape != (samples,):
        raise ValueError(
            f"sample_weight must be one number for each sample, of shape ({samples},), received "
            f"shape {weights.shape}"
        )
    weights = weights.astype(np.float64)
    check_finite(weights, "sample_weight")
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise ValueError(f"sample_weight must be 0 or greater, but row {row} is {weights[row]:g}")
    if not weights.any():
        raise ValueError("sample_weight must not be zero for every sample")
    return weights / weights.max()


def drop_weightless(
    X: Array, y: Array, sample_weight: ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Return the samples of ``X`` and ``y`` whose weight is not 0, and their checked weights.

    Without weights every sample is kept, and None is returned for them. Raises as
    ``check_sample_weight``.
    """
    if sample_weight is None:
        return X, y, None
    weights = check_sample_weight(sample_weight, len(X))
    if not weights.all():
        rows = np.flatnonzero(weights)
        X, y, weights = X[rows], y[rows], weights[rows]
    return X, y, weights
