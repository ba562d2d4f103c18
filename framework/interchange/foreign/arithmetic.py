"""Numbers for each feature, or for all, that are added, subtracted, multiplied or divided by."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from framework.activations import ReLU
from framework.interchange.assembly import Assembly
from framework.interchange.builders import build, number_of
from framework.interchange.foreign.normalization import MOST_FEATURES, add_folded_normalization
from framework.layers import Normalization, Scale
from framework.layers.weighted import Weighted
from optimizers.arrays import Array

LARGEST_LIMIT = 100.0


def add_arithmetic(
    assembly: Assembly,
    *,
    mean: Array | None = None,
    rest: Array | None = None,
    deviation: Array | None = None,
    weights: Array | None = None,
    biases: Array | None = None,
) -> None:
    """Add ``(inputs - mean - rest) / deviation * weights + biases``, with those that are given.

    They broadcast to a sample as the other program has it. What is added depends on them:

    - biases alone: those of the dense layer or convolution just before, if it has none;
    - single numbers: ``Scale``;
    - mean, weights and biases: ``BatchNormalization``, which this is in prediction;
    - others: ``Normalization``, which has no negative weights; with such, as before.

    Raises ValueError for arrays that do not broadcast to a sample, and for a division by 0.
    """
    given = {"mean": mean, "rest": rest, "deviation": deviation}
    given |= {"weights": weights, "biases": biases}
    arrays = {name: array for name, array in given.items() if array is not None}
    if deviation is not None and not np.all(deviation):
        raise ValueError("it divides by 0")
    if arrays.keys() == {"biases"} and _became_biases(assembly, arrays["biases"]):
        return
    vectors = _vectors(assembly, arrays)
    if vectors is None:
        _add_scale(assembly, {name: number_of(array) for name, array in arrays.items()})
    elif vectors.keys() == {"mean", "weights", "biases"}:
        add_folded_normalization(assembly, **vectors)
    else:
        _add_normalization(assembly, vectors)


def add_clip(assembly: Assembly, low: float | None, high: float | None) -> None:
    """Add a limit of all values from below, from above, or both.

    ``ReLU`` is the limit from below by 0. The others are made of it, with ``Scale`` around it:

        max(x, low)  = ReLU(x - low) + low
        min(x, high) = high - ReLU(high - x)

    Raises ValueError for limits so large that this would cost digits.
    """
    limits = [limit for limit in (low, high) if limit is not None]
    if any(abs(limit) > LARGEST_LIMIT for limit in limits) or sorted(limits) != limits:
        raise ValueError(f"limits {low} and {high}: expected numbers up to {LARGEST_LIMIT:g}")
    if low is not None:
        _add_scale(assembly, {"mean": low})
        assembly.append(ReLU())
        _add_scale(assembly, {"biases": low})
    if high is not None:
        _add_scale(assembly, {"weights": -1.0, "biases": high})
        assembly.append(ReLU())
        _add_scale(assembly, {"weights": -1.0, "biases": high})


def _vectors(assembly: Assembly, arrays: Mapping[str, Array]) -> dict[str, Array] | None:
    """Bring the features that the arrays are for to our last axis, and the arrays into its order.

    Returns None for single numbers, which are for all values.
    """
    shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    sizes, added = assembly.sizes, len(assembly.sizes) + 1 - len(shape)
    full = (1,) * added + shape
    if added < 0 or full[0] != 1:
        raise ValueError(f"numbers of shape {shape} for samples of shape {sizes}")
    features = [axis - 1 for axis, size in enumerate(full) if size != 1]
    if not features:
        # A list of one number is for a single feature, if there is one.
        features = [axis for axis in range(max(added - 1, 0), len(sizes)) if sizes[axis] == 1][:1]
    if not features:
        return None
    length = math.prod(full)
    if length > max(MOST_FEATURES, *(array.size for array in arrays.values())):
        raise ValueError(f"numbers that are broadcast to {length:,}")
    assembly.features(*features)
    order = assembly.order(length)
    return {name: np.broadcast_to(a, full).reshape(-1)[order] for name, a in arrays.items()}


def _became_biases(assembly: Assembly, biases: Array) -> bool:
    """Whether the last operation has taken ``biases`` for its own."""
    layer = assembly.last
    if not isinstance(layer, Weighted) or layer.use_bias:
        return False
    attempt = assembly.copy()
    vectors = _vectors(attempt, {"biases": biases})
    vector = biases.reshape(-1) if vectors is None else vectors["biases"]
    outputs = layer.weights.shape[-1]
    if attempt.last is not layer or len(vector) not in (1, outputs):
        return False
    complete = build(
        type(layer),
        **(layer.configuration() | {"use_bias": True}),
        weights=layer.weights,
        biases=np.broadcast_to(vector, outputs).astype(layer.weights.dtype),
    )
    assembly.replace_last(complete)
    return True


def _add_scale(assembly: Assembly, numbers: Mapping[str, float]) -> None:
    factor = numbers.get("weights", 1.0) / numbers.get("deviation", 1.0)
    mean = numbers.get("mean", 0.0) + numbers.get("rest", 0.0)
    offset = numbers.get("biases", 0.0) - factor * mean
    if (factor, offset) != (1.0, 0.0):
        assembly.append(Scale(factor, offset))


def _add_normalization(assembly: Assembly, vectors: Mapping[str, Array]) -> None:
    dtype = np.result_type(np.float32, *vectors.values())
    exact = {name: vector.astype(np.float64) for name, vector in vectors.items()}
    ones = np.ones(len(next(iter(vectors.values()))))
    deviation = exact.get("deviation", ones)
    biases = exact.get("biases", 0 * ones)
    mean = exact.get("mean", 0 * ones) + exact.get("rest", 0 * ones)
    with np.errstate(all="ignore"):
        factor = exact.get("weights", ones) / deviation
        shifted = np.where(biases == 0, mean, mean - biases / factor)
        if "weights" in exact:
            deviation = np.where(factor == 0, 0, 1 / factor)
    deviation = np.where(np.isinf(deviation), 0, deviation)
    if (deviation < 0).any() or not np.isfinite(shifted.astype(dtype)).all():
        add_folded_normalization(
            assembly, mean.astype(dtype), factor.astype(dtype), biases.astype(dtype)
        )
    else:
        assembly.append(
            Normalization(len(ones), mean=shifted, deviation=deviation, dtype=dtype.name)
        )
