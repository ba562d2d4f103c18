"""Metrics of the order in which outputs put samples or classes: ROC AUC and top-k accuracy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.metrics.decisions import read, weights_of
from optimizers.arrays import Array

AVERAGES = ("macro", "weighted", "micro")


def roc_auc(
    outputs: ArrayLike,
    targets: ArrayLike,
    *,
    average: str = "macro",
    multilabel: bool | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the area under the ROC curve.

    That is the probability that a sample of the class has a larger output than one that is not of
    it; equal outputs count one half. For more than two classes it is the average over the classes,
    each against all others; for several labels, over the labels. Of two softmax outputs, the
    second is taken.

    Args:
        outputs, targets: as for ``precision``; of single outputs, any scores will do.
        average: "macro" for the mean over the classes; "weighted" for the mean weighted by how
            often each occurs; "micro" for the area over all outputs at once.
        multilabel: see ``precision``.
        sample_weight: how much each sample counts, ``(samples,)``.

    Classes of which there is no sample, or no other, have no area, and are left out; without any
    area, and with outputs of NaN, the result is NaN.

    Raises TypeError or ValueError for arrays that do not fit each other, or an unknown average.

    Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.

    >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {', '.join(AVERAGES)}, received {average!r}")
    found = read(outputs, targets, multilabel)
    weights = weights_of(sample_weight, len(found.outputs))
    if found.n_classes == 2:
        scores = found.outputs if found.outputs.ndim == 1 else found.outputs[:, 1]
        return _area(scores, found.true == 1, weights)
    yes = found.true
    if found.n_classes:
        yes = found.true[:, np.newaxis] == np.arange(found.n_classes)
    if average == "micro":
        return _area(found.outputs.ravel(), yes.ravel(), weights.repeat(yes.shape[1]))
    # An output of NaN has no place in any order.
    if np.isnan(found.outputs).any():
        return math.nan
    areas = np.array([_area(s, y, weights) for s, y in zip(found.outputs.T, yes.T, strict=True)])
    known = ~np.isnan(areas)
    if not known.any():
        return math.nan
    share = weights @ yes if average == "weighted" else np.ones(len(areas))
    return float(np.average(areas[known], weights=share[known]))


def top_k(
    outputs: ArrayLike,
    targets: ArrayLike,
    *,
    k: int = 5,
    threshold: float = 0.5,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the share of samples whose true class is among the ``k`` largest outputs.

    Of equal outputs, those of the later classes come first; but of two, the first class, as in
    scikit-learn. A sample with an output of NaN counts as wrong.

    Args:
        outputs: ``(samples, classes)``; or one for each sample, for two classes.
        targets: classes ``(samples,)`` or one-hot rows ``(samples, classes)``.
        k: at least 1. With all classes or more, every sample is right.
        threshold: of a single output: above it, the class is 1.
        sample_weight: how much each sample counts, ``(samples,)``.

    Raises TypeError or ValueError for arrays that do not fit each other, or such a ``k``.

    >>> top_k([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]], [1, 2], k=2)
    0.5
    """
    found = read(outputs, targets, multilabel=False)
    scores = found.outputs.reshape(len(found.outputs), -1)
    if check_count("k", k) >= found.n_classes:
        hits = np.ones(len(scores), bool)
    elif found.n_classes == 2:
        is_second = scores[:, -1] > (threshold if scores.shape[1] == 1 else scores[:, 0])
        hits = is_second == found.true
    else:
        order = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :k]
        hits = (order == found.true[:, np.newaxis]).any(axis=1)
    hits &= ~np.isnan(scores).any(axis=1)
    return float(np.average(hits, weights=weights_of(sample_weight, len(hits))))


def _area(scores: Array, yes: Array, weights: Array) -> float:
    """Return the area under the ROC curve of ``scores``, NaN where there is none."""
    total_yes, total_no = float(weights[yes].sum()), float(weights[~yes].sum())
    if not total_yes or not total_no or np.isnan(scores).any():
        return math.nan
    order = np.argsort(scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    # Up to the last of each run of equal scores.
    found = np.where(yes, weights, 0)[order].cumsum()[ends]
    others = np.where(yes, 0, weights)[order].cumsum()[ends]
    heights = np.diff(found, prepend=0)
    below = others - np.diff(others, prepend=0) / 2
    return float(heights @ below / (total_yes * total_no))
