"""Precision, recall and F1: how many of the predicted, and of the true, are right."""

from __future__ import annotations

from numpy.typing import ArrayLike

from framework.metrics.decisions import averaged, count


def precision(
    outputs: ArrayLike,
    targets: ArrayLike,
    *,
    average: str = "auto",
    threshold: float = 0.5,
    multilabel: bool | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the precision, ``correct / predicted``: how many predictions of a class are right.

    It is 0 for a class that is never predicted.

    Args:
        outputs: one probability for each sample, ``(samples,)`` or ``(samples, 1)``; one for each
            class, ``(samples, classes)``, of which the largest is predicted; or one for each of
            several labels. NaN is never right.
        targets: classes ``(samples,)``, for a single output 0 and 1 (or -1 and 1); or a column for
            each output, see ``multilabel``.
        average: "macro" for the mean over the classes, of those that occur in the targets or the
            predictions; "weighted" for the mean weighted by how often each class occurs in the
            targets; "micro" for ``Σ correct / Σ predicted``; "binary" for class 1 of two classes.
            "auto" takes "binary" for two classes, else "macro".
        threshold: of a single output or of labels: above it, the answer is yes. As a metric of a
            model with the loss ``Hinge`` it is 0, unless it is given.
        multilabel: what targets with a column for each output are: True for any number of labels
            of a sample, False for the one-hot row of its class. A model tells its metrics, by its
            accuracy, its loss or its last activation. With None and no model, they are taken for
            one-hot rows where the outputs of all samples add up to 1, as those of a softmax.
        sample_weight: how much each sample counts, ``(samples,)``.

    Raises TypeError or ValueError for arrays that do not fit each other, or an unknown average.

    >>> precision([0.9, 0.8, 0.3, 0.6], [1, 0, 1, 1])
    0.6666666666666666
    """
    counts = count(outputs, targets, threshold, multilabel, sample_weight)
    return averaged(counts, counts.correct, counts.predicted, average)


def recall(
    outputs: ArrayLike,
    targets: ArrayLike,
    *,
    average: str = "auto",
    threshold: float = 0.5,
    multilabel: bool | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the recall, ``correct / actual``: how many samples of a class are found.

    It is 0 for a class that does not occur. Arguments and errors are those of ``precision``.

    >>> recall([0.9, 0.8, 0.3, 0.6], [1, 0, 1, 1])
    0.6666666666666666
    """
    counts = count(outputs, targets, threshold, multilabel, sample_weight)
    return averaged(counts, counts.correct, counts.actual, average)


def f1(
    outputs: ArrayLike,
    targets: ArrayLike,
    *,
    average: str = "auto",
    threshold: float = 0.5,
    multilabel: bool | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return F1, the harmonic mean of precision and recall, ``2 correct / (predicted + actual)``.

    Arguments and errors are those of ``precision``; the average is taken of the F1 of the classes.

    Source: van Rijsbergen, *Information Retrieval*, 1979, chapter 7.

    >>> f1([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], [0, 1, 0])
    0.5555555555555555
    """
    counts = count(outputs, targets, threshold, multilabel, sample_weight)
    return averaged(counts, 2 * counts.correct, counts.predicted + counts.actual, average)
