"""Metrics of numbers: R², mean absolute and mean squared error, and its root.

Outputs with more axes than two are taken as so many outputs for each sample. Everything is computed
in float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats
from framework.losses.targets import numeric_targets
from framework.metrics.decisions import weights_of
from optimizers.arrays import Array


def mean_absolute_error(
    outputs: ArrayLike, targets: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean of ``|output - target|`` over all samples and outputs.

    Args:
        outputs: ``(samples, outputs)`` or ``(samples,)``.
        targets: numbers of the same shape; for a single output, also ``(samples,)``.
        sample_weight: how much each sample counts, ``(samples,)``.

    Raises TypeError or ValueError for arrays that do not fit each other.

    >>> mean_absolute_error([[1.0], [2.0], [5.0]], [1.0, 4.0, 4.0])
    1.0
    """
    errors, _, weights = _errors(outputs, targets, sample_weight)
    return float(np.average(np.abs(errors), axis=0, weights=weights).mean())


def mean_squared_error(
    outputs: ArrayLike, targets: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the mean of ``(output - target)²`` over all samples and outputs.

    Arguments and errors are those of ``mean_absolute_error``.

    >>> mean_squared_error([[1.0], [2.0], [5.0]], [1.0, 4.0, 4.0])
    1.6666666666666667
    """
    return float(_mean_squares(outputs, targets, sample_weight).mean())


def root_mean_squared_error(
    outputs: ArrayLike, targets: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Return the root of the mean squared error, in the units of the targets.

    For several outputs it is the mean of their roots, as in scikit-learn. Arguments and errors are
    those of ``mean_absolute_error``.

    >>> root_mean_squared_error([[1.0], [2.0]], [4.0, 5.0])
    3.0
    """
    return float(np.sqrt(_mean_squares(outputs, targets, sample_weight)).mean())


def r2(outputs: ArrayLike, targets: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Return the coefficient of determination, ``R² = 1 - Σ (target - output)² / Σ (target - t̄)²``.

    It is 1 for perfect outputs, 0 for the mean ``t̄`` of the targets, and below 0 for worse; for
    several outputs, the mean of theirs. Where all targets are equal it is 1 if the outputs are too,
    else 0. Of a single sample it is NaN.

    Arguments and errors are those of ``mean_absolute_error``.

    >>> r2([[1.0], [2.0], [3.0]], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    errors, true, weights = _errors(outputs, targets, sample_weight)
    if len(errors) < 2:
        return math.nan
    mean = np.average(true, axis=0, weights=weights)
    unexplained = weights @ np.square(errors)
    total = weights @ np.square(true - mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(total == 0, unexplained != 0, unexplained / total)
    return float((1 - shares).mean())


def _mean_squares(outputs: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None) -> Array:
    """Return the mean squared error of each output."""
    errors, _, weights = _errors(outputs, targets, sample_weight)
    return np.asarray(np.average(np.square(errors), axis=0, weights=weights))


def _errors(
    outputs: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """Return ``outputs - targets`` and the targets, ``(samples, outputs)``, and the weights."""
    predicted = as_floats(outputs, "outputs")
    if not predicted.ndim or not predicted.size:
        raise ValueError(f"outputs must be (samples, outputs), received shape {predicted.shape}")
    true = numeric_targets(targets, predicted.shape, "targets").astype(np.float64)
    samples = len(predicted)
    errors = (predicted - true).reshape(samples, -1)
    return errors, true.reshape(samples, -1), weights_of(sample_weight, samples)
