"""Which class the outputs predict, and how often that is right, class by class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, as_floats
from framework.utils.classes import NO_CLASS, largest_class
from optimizers.arrays import Array

AVERAGES = ("auto", "binary", "macro", "micro", "weighted")
# How far the probabilities of a softmax may be from a sum of 1.
SUM_TOLERANCE = 1e-3


class Targets(NamedTuple):
    """Outputs and targets that fit each other.

    Attributes:
        outputs: ``(samples,)`` for a single output, else ``(samples, outputs)``.
        true: the class of each sample, ``(samples,)``; or whether it has each of several labels,
            ``(samples, labels)``.
        n_classes: of the former, 2 for a single output; 0 for several labels.
    """

    outputs: Array
    true: Array
    n_classes: int


class Counts(NamedTuple):
    """The total weight of samples, for each class or label.

    Attributes:
        correct: predicted as this class, and of this class.
        predicted, actual: predicted as this class; of this class.
        present: whether any sample is either.
        n_classes: see ``Targets``.
    """

    correct: Array
    predicted: Array
    actual: Array
    present: Array
    n_classes: int


def read(outputs: ArrayLike, targets: ArrayLike, multilabel: bool | None = None) -> Targets:
    """Return outputs and targets that fit each other: see ``precision`` for their shapes.

    Raises TypeError or ValueError if they do not.
    """
    outputs, targets = as_floats(outputs, "outputs"), as_array(targets, "targets")
    samples = len(outputs) if outputs.ndim else 0
    if outputs.ndim not in (1, 2) or not outputs.size:
        raise ValueError(f"outputs must be (samples, outputs), received shape {outputs.shape}")
    if outputs.size == samples:
        if targets.shape not in ((samples,), (samples, 1)):
            raise ValueError(
                f"targets must have one value for each of {samples} samples, received shape "
                f"{targets.shape}"
            )
        _check_answers(targets)
        return Targets(outputs.ravel(), (targets.ravel() > 0).astype(np.intp), 2)
    classes = outputs.shape[1]
    if targets.shape == outputs.shape:
        if multilabel is None:
            multilabel = not _are_distributions(outputs)
        if multilabel:
            return Targets(outputs, targets > 0.5, 0)
        return Targets(outputs, targets.argmax(axis=1), classes)
    if targets.shape not in ((samples,), (samples, 1)):
        raise ValueError(
            f"targets must be classes of shape ({samples},), or have the shape of the outputs, "
            f"{outputs.shape}, received {targets.shape}"
        )
    true = targets.ravel().astype(np.intp)
    if not np.array_equal(true, targets.ravel()) or true.min() < 0 or true.max() >= classes:
        raise ValueError(
            f"targets must be class numbers from 0 to {classes - 1}, since there are {classes} "
            f"outputs, received {targets.min():g} to {targets.max():g}"
        )
    return Targets(outputs, true, classes)


def count(
    outputs: ArrayLike,
    targets: ArrayLike,
    threshold: float,
    multilabel: bool | None,
    sample_weight: ArrayLike | None,
) -> Counts:
    """Return the counts of all classes. An output of NaN is always wrong.

    Raises as ``read``, and ValueError for weights that are not one for each sample.
    """
    found = read(outputs, targets, multilabel)
    weights = weights_of(sample_weight, len(found.outputs))
    if found.n_classes and found.outputs.ndim == 2:
        return _of_classes(largest_class(found.outputs), found.true, weights, found.n_classes)
    yes = found.true > 0
    answers = np.where(np.isnan(found.outputs), ~yes, found.outputs > threshold)
    if found.n_classes:
        return _of_classes(answers.astype(np.intp), found.true, weights, 2)
    column = weights[:, np.newaxis]
    correct, predicted, actual = (
        (column * where).sum(axis=0) for where in (answers & yes, answers, yes)
    )
    return Counts(correct, predicted, actual, np.ones(len(actual), bool), 0)


def _of_classes(predictions: Array, true: Array, weights: Array, n_classes: int) -> Counts:
    is_class = predictions != NO_CLASS
    classes, right = predictions[is_class], predictions == true
    present = np.zeros(n_classes, bool)
    present[true] = present[classes] = True
    return Counts(
        np.bincount(true[right], weights[right], minlength=n_classes),
        np.bincount(classes, weights[is_class], minlength=n_classes),
        np.bincount(true, weights, minlength=n_classes),
        present,
        n_classes,
    )


def averaged(counts: Counts, parts: Array, wholes: Array, average: str) -> float:
    """Return ``parts / wholes`` averaged over the classes; a class with a whole of 0 has 0.

    Raises ValueError for an unknown ``average``, or "binary" where there are not two classes.
    """
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {', '.join(AVERAGES)}, received {average!r}")
    if average == "auto":
        average = "binary" if counts.n_classes == 2 else "macro"
    if average == "micro":
        whole = float(wholes.sum())
        return float(parts.sum()) / whole if whole else 0.0
    shares = np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)
    if average == "binary":
        if counts.n_classes != 2:
            raise ValueError(
                'average="binary" is for two classes: for more, take "macro", "micro" or "weighted"'
            )
        return float(shares[1])
    if average == "macro":
        return float(shares[counts.present].mean())
    return float(np.average(shares, weights=counts.actual)) if counts.actual.any() else 0.0


def weights_of(sample_weight: ArrayLike | None, samples: int) -> Array:
    """Return the weight of each sample as float64, 1 without any.

    Raises ValueError if they are not one for each.
    """
    if sample_weight is None:
        return np.ones(samples)
    weights = as_array(sample_weight, "sample_weight").astype(np.float64)
    if weights.shape != (samples,):
        raise ValueError(
            f"sample_weight must be of shape ({samples},), received shape {weights.shape}"
        )
    return weights


def _check_answers(targets: Array) -> None:
    """Raise ValueError if targets of a single output are neither 0 and 1 nor -1 and 1."""
    if not (np.isin(targets, (0, 1)).all() or np.isin(targets, (-1, 1)).all()):
        found = ", ".join(f"{value:g}" for value in np.unique(targets)[:5].tolist())
        raise ValueError(
            "targets of a single output must be 1 for yes and 0 (or -1) for no, received values "
            f"such as {found}"
        )


def _are_distributions(outputs: Array) -> bool:
    """Whether all rows are probabilities of classes, as those of a softmax."""
    rows = outputs[~np.isnan(outputs).any(axis=1)]
    sums = rows.sum(axis=1, dtype=np.float64)
    return bool((rows >= 0).all() and (np.abs(sums - 1) < SUM_TOLERANCE).all())
