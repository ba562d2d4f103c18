"""Sample weights: the weight of each sample in the loss and in every metric.

A sample of weight 2 counts like two equal samples, a sample of weight 0 is left out. Only the
ratios of the weights matter. The loss of a batch in training is

    Σ w·loss / (samples · w̄)

with ``w̄`` the mean weight of all training samples. Its mean over the batches of an epoch is then
that of all data, whatever the size of a batch is. Divided by ``Σ w`` of the batch, a sample would
count the less the heavier the others in its batch are, and nothing but its own loss in a batch of
one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_finite
from optimizers.arrays import Array


@dataclass
class WeightsSeen:
    """The weights of all samples that a training has been given so far.

    Attributes:
        total, samples: their sum, and how many samples there were.
    """

    total: float = 0.0
    samples: int = 0

    def add(self, total: float, samples: int) -> None:
        """Count further samples, whose weights add up to ``total``."""
        self.total += total
        self.samples += samples

    @property
    def mean(self) -> float:
        return self.total / self.samples


def check_sample_weight(sample_weight: ArrayLike, samples: int) -> Array:
    """Return the weights as float64 ``(samples,)``, scaled so that the largest is 1.

    Raises as ``check_weights``, and ValueError if all of them are zero.
    """
    weights = check_weights(sample_weight, samples)
    if not weights.any():
        raise ValueError("sample_weight must not be zero for every sample")
    return weights / weights.max()


def check_weights(sample_weight: ArrayLike, samples: int) -> Array:
    """Return the weights as float64 ``(samples,)``.

    Raises:
        TypeError: they are not real numbers.
        ValueError: not one for each sample, NaN, infinite or negative.
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
    return weights


def drop_weightless(
    X: Array, y: Array, sample_weight: ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Return the samples of ``X`` and ``y`` whose weight is not 0, and their checked weights.

    Without weights every sample is kept, and None is returned for them. Raises as
    ``check_sample_weight``.
    """
    if sample_weight is None:
        return X, y, None
    weights = check_sample_weight(sample_weight, len(y))
    if not weights.all():
        rows = np.flatnonzero(weights)
        X, y, weights = X[rows], y[rows], weights[rows]
    return X, y, weights
