"""The networks that the command ``train`` trains, and the unit of their targets."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    MeanSquaredError,
    Model,
    Normalization,
    ReLU,
    Scale,
    Softmax,
    metrics,
)
from framework.commands.options import finalize
from framework.utils.text import printable
from optimizers import Adam
from optimizers.arrays import Array

# A column is computed in float32 if that moves its values by less than this share of their standard
# deviation, and if the deviation and its inverse are far from the ends of float32.
LARGEST_ROUNDING = 1e-4
DEVIATIONS = (1e-30, 1e30)
# More columns than this are counted, not named.
MOST_NAMED = 20


class TargetUnit(NamedTuple):
    """What standardized targets are multiplied by, and what is added, to have them in their unit.

    The network learns standardized targets, whatever their unit, so that neither the loss nor the
    gradients are too large or too small for the optimizer.
    """

    deviation: float
    mean: float

    @classmethod
    def of(cls, targets: Array) -> TargetUnit:
        """Return the one that brings ``targets`` to mean 0 and standard deviation 1."""
        first = float(targets[0, 0])
        if (targets == first).all():
            return cls(1.0, first)
        return cls(float(targets.std()), float(targets.mean()))

    def standardized(self, targets: Array) -> Array:
        """Return the targets that the network learns."""
        return (targets - self.mean) / self.deviation

    def returned_by(self, model: Model, options: argparse.Namespace) -> Model:
        """Return ``model``, trained on standardized targets, as one with outputs in their unit."""
        whole = Model([*model.layers, Scale(self.deviation, self.mean)])
        whole.set(loss=MeanSquaredError(), optimizer=Adam(options.learning_rate))
        finalize(whole, options.accelerated)
        return whole


def network(
    X: Array, targets: Array, names: list[str] | None, options: argparse.Namespace
) -> Model:
    """Return an untrained network for features ``X``, float64.

    It gives probabilities of the classes ``names``; without these, standardized ``targets``. It
    computes in float32 unless that cannot hold the features or the targets.
    """
    columns = X if names is not None else np.column_stack([X, targets])
    dtype = "float32" if _fit_float32(columns) else "float64"
    normalization = Normalization(X.shape[1], dtype=dtype)
    with warnings.catch_warnings():
        # ``print_remarks`` says it by the names of the columns.
        warnings.filterwarnings("ignore", ".*the same value everywhere")
        normalization.adapt(X)
    layers: list[Any] = [normalization]
    width = X.shape[1]
    for size in options.hidden:
        layers += [Dense(width, size, weight_initializer="he_normal", dtype=dtype), ReLU()]
        layers += [Dropout(options.dropout)] if options.dropout else []
        width = size
    if names is not None:
        model = Model([*layers, Dense(width, len(names), dtype=dtype), Softmax()])
        scores = {"f1": metrics.f1, "auc": metrics.auc}
        loss: Any = CategoricalCrossentropy()
        model.set(loss=loss, accuracy=CategoricalAccuracy(), metrics=scores)
    else:
        model = Model([*layers, Dense(width, 1, dtype=dtype)])
        # It is the same in any unit, unlike the other errors.
        model.set(loss=MeanSquaredError(), metrics={"r2": metrics.r2})
    model.set(optimizer=Adam(options.learning_rate))
    finalize(model, options.accelerated)
    return model


def print_remarks(X: Array, features: Sequence[str]) -> None:
    """Print which of ``features`` have one value in all rows of ``X``, those to train on."""
    constant = [repr(features[i]) for i in np.flatnonzero((X[:1] == X).all(axis=0)).tolist()]
    if constant:
        print(
            f"the same value in all rows to train on, so of no use: {named(constant)}",
            file=sys.stderr,
        )


def named(columns: Sequence[str]) -> str:
    """Return a list of ``columns`` to print, of which the first are named."""
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return printable(", ".join(columns[:MOST_NAMED])) + more


def errors_of(model: Model, X: Array, y: Array) -> dict[str, float]:
    """Return the errors of predicted numbers, in the unit of ``y``, computed in float64."""
    predicted = np.asarray(model.predict(X), np.float64)
    return {
        "r2": metrics.r2(predicted, y),
        "rmse": metrics.root_mean_squared_error(predicted, y),
        "mae": metrics.mean_absolute_error(predicted, y),
    }


def _fit_float32(columns: Array) -> bool:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        moved = np.abs(columns - columns.astype(np.float32)).max(axis=0)
        deviation = columns.std(axis=0)
    low, high = DEVIATIONS
    fit = (moved < LARGEST_ROUNDING * deviation) & (low < deviation) & (deviation < high)
    constant = (columns == columns[0]).all(axis=0)
    return bool((fit | constant).all())
