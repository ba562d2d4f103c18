"""Precision, recall, F1, ROC AUC and top-k accuracy are those of scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest

from framework.metrics import auc, f1, precision, recall, roc_auc, top_k
from tests.strategies import Array

reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

PAIRS = [
    (precision, reference.precision_score),
    (recall, reference.recall_score),
    (f1, reference.f1_score),
]
pairs = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda one: one.__name__)
seeds = pytest.mark.parametrize("seed", range(6))
weighted = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def data(seed: int, classes: int, weighted: bool = False) -> tuple[Array, Array, Array | None]:
    """Probabilities with many ties, targets of which some classes may be missing, and weights."""
    random = np.random.default_rng(seed)
    samples = (5, 40, 300)[seed % 3]
    scores = random.integers(1, 6, (samples, classes)).astype(float)
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    weights = random.random(samples) if weighted else None
    return probabilities, random.integers(0, classes, samples), weights


def equal(found: float, expected: Any) -> None:
    assert type(found) is float
    assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-12)


@pairs
@seeds
@weighted
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_they_are_averaged_over_classes_as_in_scikit_learn(
    ours: Any, theirs: Any, seed: int, weighted: bool, average: str
) -> None:
    outputs, y, weights = data(seed, 4, weighted)
    options = {"average": average, "sample_weight": weights}
    expected = theirs(y, outputs.argmax(axis=1), zero_division=0, **options)
    equal(ours(outputs, y, **options), expected)
    equal(ours(outputs, np.eye(4)[y], **options), expected)
    if average == "macro":
        equal(ours(outputs, y, sample_weight=weights), expected)


@pairs
@seeds
@weighted
def test_of_two_classes_it_is_that_of_class_1(
    ours: Any, theirs: Any, seed: int, weighted: bool
) -> None:
    outputs, y, weights = data(seed, 2, weighted)
    column = outputs[:, 1]
    expected = theirs(y, column > 0.5, sample_weight=weights, zero_division=0)
    for single, targets in ((column, y), (column[:, np.newaxis], y[:, np.newaxis])):
        equal(ours(single, targets, sample_weight=weights), expected)
    two = np.stack([1 - column, column + 1e-9], axis=1)
    expected = theirs(y, two.argmax(axis=1), sample_weight=weights, zero_division=0)
    equal(ours(two, y, sample_weight=weights), expected)
    for average in ("macro", "micro", "weighted"):
        options = {"average": average, "sample_weight": weights}
        equal(ours(column, y, **options), theirs(y, column > 0.5, zero_division=0, **options))


@pairs
@seeds
@weighted
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_several_labels_for_a_sample_are_columns_of_yes_and_no(
    ours: Any, theirs: Any, seed: int, weighted: bool, average: str
) -> None:
    random = np.random.default_rng(seed)
    outputs, y = random.random((60, 5)), random.integers(0, 2, (60, 5))
    y[:, 3] = 0
    options = {"average": average, "sample_weight": random.random(60) if weighted else None}
    for threshold in (0.5, 0.8):
        expected = theirs(y, outputs > threshold, zero_division=0, **options)
        equal(ours(outputs, y, threshold=threshold, **options), expected)


@seeds
@weighted
def test_the_area_under_the_curve_is_that_of_scikit_learn(seed: int, weighted: bool) -> None:
    outputs, y, weights = data(seed, 2, weighted)
    y[:2] = 0, 1
    expected = reference.roc_auc_score(y, outputs[:, 1], sample_weight=weights)
    equal(auc(outputs[:, 1:], y, sample_weight=weights), expected)
    equal(roc_auc(outputs, y, sample_weight=weights), expected)
    equal(roc_auc(10 * outputs[:, 1] - 7, y, sample_weight=weights), expected)  # any scores


@seeds
@weighted
@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_the_area_of_several_classes_is_each_against_all_others(
    seed: int, weighted: bool, average: str
) -> None:
    outputs, y, weights = data(seed, 4, weighted)
    y[:4] = range(4)
    options = {"average": average, "sample_weight": weights}
    expected = reference.roc_auc_score(y, outputs, multi_class="ovr", **options)
    equal(roc_auc(outputs, y, **options), expected)
    scores = np.random.default_rng(seed).random((len(y), 4))
    labels = scores.round() if len(y) > 5 else np.eye(4)[y] > 0
    labels[:2] = np.eye(2).repeat(2, axis=1)
    expected = reference.roc_auc_score(labels, outputs[:, ::-1] + scores, **options)
    equal(roc_auc(outputs[:, ::-1] + scores, labels, **options), expected)


@seeds
@weighted
@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_is_that_of_scikit_learn_ties_included(seed: int, weighted: bool, k: int) -> None:
    outputs, y, weights = data(seed, 4, weighted)
    expected = reference.top_k_accuracy_score(
        y, outputs, k=k, labels=range(4), sample_weight=weights
    )
    equal(top_k(outputs, y, k=k, sample_weight=weights), expected)
    logits = 3 * outputs - 1
    equal(top_k(logits, np.eye(4)[y], k=k, sample_weight=weights), expected)
    if k == 1:
        two = outputs[:, :2] / outputs[:, :2].sum(axis=1, keepdims=True)  # many ties of one half
        expected = reference.top_k_accuracy_score(y < 2, two[:, 1], k=1, sample_weight=weights)
        for single in (two, two[:, 1], two[:, 1:]):
            equal(top_k(single, y < 2, k=1, sample_weight=weights), expected)


def test_an_area_that_does_not_exist_is_nan_and_does_not_count_in_the_mean() -> None:
    assert math.isnan(roc_auc([0.1, 0.9], [1, 1]))
    assert math.isnan(roc_auc([[0.2, 0.3, 0.5]], [2]))
    outputs, y, _ = data(1, 4)
    y[y == 3] = 2
    y[:3] = range(3)
    expected = np.mean([reference.roc_auc_score(y == c, outputs[:, c]) for c in range(3)])
    equal(roc_auc(outputs, y), expected)


def test_nan_is_never_right() -> None:
    nan = np.nan
    assert precision([nan, 0.9], [0, 1]) == 0.5
    assert recall([nan, 0.9], [1, 1]) == 0.5
    assert recall([[nan, 0.4], [0.3, 0.7]], [0, 1], average="macro") == 0.5
    assert top_k([[nan, 0.5, 0.1], [0.2, 0.7, 0.1]], [1, 1], k=1) == 0.5
    assert math.isnan(roc_auc([nan, 0.5, 0.2], [0, 1, 0]))
    assert math.isnan(roc_auc([[nan, 0.5, 0.1], [0.2, 0.7, 0.1]], [0, 1]))
    # Two labels, each of a column: a NaN counts against the answer that is right.
    assert precision([[nan, 0.9], [0.9, 0.9]], [[0, 1], [1, 1]], average="macro") == 0.75


def test_columns_are_labels_or_classes_as_they_are_said_to_be() -> None:
    yes = np.random.default_rng(0).random(50)
    complementary, labels = np.stack([yes, 1 - yes], axis=1), np.eye(2)[(yes > 0.3).astype(int)]
    for theirs, ours in ((reference.f1_score, f1), (reference.roc_auc_score, roc_auc)):
        outputs = complementary > 0.5 if ours is f1 else complementary
        expected = theirs(labels, outputs, average="macro")
        equal(ours(complementary, labels, multilabel=True), expected)
        one = outputs.argmax(axis=1) if ours is f1 else outputs[:, 1]
        equal(ours(complementary, labels, multilabel=False), theirs(labels.argmax(axis=1), one))


def test_with_all_classes_top_k_is_1() -> None:
    assert top_k(np.eye(3)[[1, 2, 0]], [0, 1, 2]) == 1
    assert top_k([0.5, 0.1], [0, 1], k=2) == 1
    assert top_k([[np.nan, 0.5], [0.1, 0.9]], [0, 0]) == 0.5


def test_no_is_0_or_minus_1() -> None:
    outputs, yes = [0.9, 0.8, 0.3, 0.6], np.array([1, -1, 1, 1])
    equal(f1(outputs, yes), reference.f1_score(yes > 0, np.array(outputs) > 0.5))
    equal(roc_auc(outputs, yes), reference.roc_auc_score(yes, outputs))


def test_a_single_sample_will_do() -> None:
    assert (precision([[0.9]], [1]), recall([[0.9]], [0]), f1([[0.2, 0.8]], [1])) == (1, 0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f1([0.5], [1], average="samples"), "average must be one of auto, binary, macro"),
        (lambda: roc_auc([0.5], [1], average="binary"), "average must be one of macro, weighted"),
        (lambda: f1(np.eye(3), [0, 1, 2], average="binary"), "is for two classes"),
        (lambda: f1(np.eye(3), [0, 1, 3]), "targets must be class numbers from 0 to 2.* 0 to 3"),
        (lambda: f1(np.eye(3), [0, 0.5, 1]), "targets must be class numbers from 0 to 2"),
        (lambda: f1(np.eye(3), [0, 1]), r"targets must be classes of shape \(3,\), or have the"),
        (lambda: f1([0.5, 0.1], [1]), "one value for each of 2 samples, received shape"),
        (lambda: f1([], []), r"outputs must be \(samples, outputs\), received shape \(0,\)"),
        (lambda: f1(np.ones((2, 2, 2)), [0, 1]), "outputs must be .* received shape"),
        (lambda: f1([0.5], [1], sample_weight=[1, 2]), r"sample_weight must be of shape \(1,\)"),
        (lambda: top_k(np.eye(3), [0, 1, 2], k=0), "k must be at least 1"),
        (lambda: f1([0.5, 0.1, 0.9], [0, 1, 2]), "must be 1 for yes and 0 .* such as 0, 1, 2"),
        (lambda: precision([[0.5], [0.1]], [[1], [np.nan]]), "must be 1 for yes .* such as 1, nan"),
        (lambda: recall([0.5, 0.1], [0.5, 1]), "must be 1 for yes .* such as 0.5, 1"),
        (lambda: roc_auc([0.5, 0.1, 0.2], [-1, 0, 1]), "must be 1 for yes .* such as -1, 0, 1"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
