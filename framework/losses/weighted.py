"""Weighted means over samples, and their gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from optimizers.arrays import Array


def weighted_mean(values: ArrayLike, sample_weight: Array) -> float:
    """Return ``Σ w·value / Σ w``, where a sample's value is the mean of its row of ``values``.

    Raises ValueError if ``values`` is not ``(samples, ...)``.
    """
    values = np.asarray(values)
    if values.shape[:1] != sample_weight.shape:
        raise ValueError(
            f"sample_weight needs a value for each of the {len(sample_weight)} samples of a "
            f"batch, received values of shape {values.shape}"
        )
    per_sample = values.reshape(len(values), -1).mean(axis=1)
    return float(np.average(per_sample, weights=sample_weight))


def weighted_gradient(dinputs: Array, sample_weight: Array) -> Array:
    """Return the gradient of the weighted mean loss, given that of the plain mean.

    A sample has the share ``1 / samples`` of the plain mean and ``w / Σ w`` of the weighted one,
    so its row is multiplied by ``w / mean(w)``.
    """
    factors = (sample_weight / sample_weight.mean()).astype(dinputs.dtype)
    return dinputs * factors.reshape(-1, *[1] * (dinputs.ndim - 1))
