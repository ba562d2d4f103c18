"""Which samples are set aside for early stopping."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from framework.data.validation_split import split_by_class
from framework.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor

COUNTS = st.lists(st.integers(1, 12), min_size=1, max_size=6).filter(lambda counts: max(counts) > 1)


@given(counts=COUNTS, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 10))
def test_every_class_gives_its_share_and_keeps_a_sample(
    counts: list[int], fraction: float, seed: int
) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    kept, aside = split_by_class(classes, fraction, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, aside])), np.arange(len(classes)))
    assert 1 <= len(aside) <= math.ceil(fraction * len(classes))
    for label, count in enumerate(counts):
        given_up = np.count_nonzero(classes[aside] == label)
        share = fraction * count
        assert min(math.floor(share), count - 1) <= given_up <= min(math.ceil(share), count - 1)


def test_as_many_are_set_aside_as_asked_for_where_no_class_is_rare() -> None:
    classes = np.arange(103) % 4
    kept, aside = split_by_class(classes, 0.1, np.random.default_rng(0))
    assert (len(kept), len(aside)) == (92, 11)
    assert np.bincount(classes[aside]).tolist() in (
        [2, 3, 3, 3],
        [3, 2, 3, 3],
        [3, 3, 2, 3],
        [3, 3, 3, 2],
    )


def test_any_row_of_a_class_may_be_set_aside() -> None:
    rows = {
        int(row)
        for seed in range(40)
        for row in split_by_class(np.zeros(5), 0.2, np.random.default_rng(seed))[1]
    }
    assert rows == set(range(5))


@pytest.mark.parametrize("rare", [1, 2])
def test_early_stopping_trains_on_a_rare_class(rare: int) -> None:
    random = np.random.default_rng(0)
    # Three clouds, far from each other; the third has a sample or two.
    y = np.array(["a"] * 30 + ["b"] * 30 + ["c"] * rare)
    centres = {"a": (0, 0), "b": (9, 0), "c": (0, 9)}
    X = np.array([centres[label] for label in y]) + random.normal(scale=0.1, size=(len(y), 2))
    network = NeuralNetworkClassifier((16,), early_stopping=True, epochs=200, random_state=0)
    network.fit(X, y)
    assert network.classes_.tolist() == ["a", "b", "c"]
    assert network.score(X, y) == 1


def test_more_classes_than_validation_samples_are_no_error() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    network = NeuralNetworkClassifier((4,), early_stopping=True, epochs=2, random_state=0)
    assert len(network.fit(X, np.arange(20) % 5).validation_scores_) == 2


def test_where_every_class_has_one_sample_the_error_says_so() -> None:
    with pytest.raises(ValueError, match="no class has two samples: each of 5"):
        NeuralNetworkClassifier((4,), early_stopping=True).fit(np.eye(5), np.arange(5))


@pytest.mark.parametrize("network", [NeuralNetworkClassifier(), NeuralNetworkRegressor()])
def test_no_fraction_is_refused(network: NeuralNetworkClassifier) -> None:
    network.set_params(early_stopping=True, validation_fraction=0.0)
    with pytest.raises(ValueError, match="validation_fraction must be greater than 0"):
        network.fit(np.eye(4), np.arange(4) % 2)
