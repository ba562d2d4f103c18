"""R² and the errors are those of scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest

from framework.metrics import mean_absolute_error, mean_squared_error, r2, root_mean_squared_error

reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

PAIRS = [
    (mean_absolute_error, reference.mean_absolute_error),
    (mean_squared_error, reference.mean_squared_error),
    (root_mean_squared_error, reference.root_mean_squared_error),
    (r2, reference.r2_score),
]
pairs = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda one: one.__name__)


@pairs
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_they_are_those_of_scikit_learn(
    ours: Any, theirs: Any, outputs: int, weighted: bool
) -> None:
    random = np.random.default_rng(outputs)
    y, predicted = random.normal(5, 2, (50, outputs)), random.normal(5, 2, (50, outputs))
    weights = random.random(50) if weighted else None
    found = ours(predicted, y, sample_weight=weights)
    assert type(found) is float
    assert found == pytest.approx(theirs(y, predicted, sample_weight=weights), rel=1e-12)
    if outputs == 1:
        assert ours(predicted, y[:, 0], sample_weight=weights) == found
        assert ours(predicted[:, 0], y[:, 0], sample_weight=weights) == found


@pairs
def test_images_are_so_many_outputs(ours: Any, theirs: Any) -> None:
    random = np.random.default_rng(0)
    y, predicted = random.normal(size=(2, 6, 3, 2)), random.normal(size=(2, 6, 3, 2))
    expected = theirs(y[0].reshape(6, -1), predicted[0].reshape(6, -1))
    assert ours(predicted[0], y[0]) == pytest.approx(expected, rel=1e-12)


@pairs
def test_float32_is_computed_in_float64(ours: Any, theirs: Any) -> None:
    random = np.random.default_rng(0)
    y, predicted = random.normal(1e4, 1, (2, 10_000, 1)).astype(np.float32)
    expected = theirs(y.astype(float), predicted.astype(float))
    assert ours(predicted, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("predicted", [[2.0, 2.0], [2.0, 3.0]])
def test_r2_of_equal_targets_is_that_of_scikit_learn(predicted: list[float]) -> None:
    assert r2(predicted, [2.0, 2.0]) == reference.r2_score([2.0, 2.0], predicted)


def test_r2_of_one_sample_is_nan_and_so_is_that_of_nan() -> None:
    assert math.isnan(r2([[1.0]], [1.0]))
    assert math.isnan(r2([[np.nan], [1.0]], [1.0, 2.0]))


@pairs
def test_what_does_not_fit_is_refused(ours: Any, theirs: Any) -> None:
    with pytest.raises(ValueError, match=r"targets must have the shape of the predictions, \(2, 1"):
        ours([[1.0], [2.0]], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="outputs must be"):
        ours([], [])
