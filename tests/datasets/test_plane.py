"""Synthetic data in the plane."""

import itertools
from typing import Any

import numpy as np
import pytest

from datasets import circle_data, gaussian_data, moons_data, plane_data, xor_data

CLASSES = [circle_data, gaussian_data, moons_data, xor_data]


@pytest.mark.parametrize("make", [*CLASSES, plane_data])
def test_a_seed_repeats_the_points(make: Any) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    X, y = make(50, seed=4)
    again, same = make(50, seed=4)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, same)
    assert (make(50, seed=5)[0] != X).any() and (make(50)[0] != X).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]


@pytest.mark.parametrize("make", CLASSES)
def test_there_are_as_many_points_of_each_class(make: Any) -> None:
    X, y = make(50, seed=0)
    assert X.shape == (100, 2) and y.dtype == np.uint8
    np.testing.assert_array_equal(y, np.repeat([0, 1], 50))
    assert np.abs(X).max() < 2


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_circles_are_rings_with_gaps_between_them(classes: int) -> None:
    X, y = circle_data(200, classes, seed=0)
    radius = np.hypot(*X.T)
    ends = [(radius[y == label].min(), radius[y == label].max()) for label in range(classes)]
    assert ends[-1][1] <= 1
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))


def test_clouds_have_their_centres_around_the_middle() -> None:
    X, y = gaussian_data(2000, 4, seed=0)
    centres = np.array([X[y == label].mean(axis=0) for label in range(4)])
    np.testing.assert_allclose(np.hypot(*centres.T), 0.6, atol=0.02)


def test_exclusive_or_goes_by_the_signs() -> None:
    X, y = xor_data(100, seed=0)
    np.testing.assert_array_equal(y, X[:, 0] * X[:, 1] < 0)
    assert np.abs(X).min() >= 0.05
    assert all((np.sign(X) == signs).all(axis=1).any() for signs in [(1, 1), (-1, 1), (1, -1)])


def test_moons_are_no_two_sides_of_a_line_but_do_not_touch() -> None:
    X, y = moons_data(500, seed=0)
    apart = X[y == 0][:, np.newaxis] - X[y == 1]
    assert np.hypot(apart[..., 0], apart[..., 1]).min() > 0.1
    design = np.column_stack([X, np.ones(len(X))])
    plane = np.linalg.lstsq(design, 2.0 * y - 1, rcond=None)[0]
    assert 0.7 < ((design @ plane > 0) == y).mean() < 1


def test_the_plane_is_tilted() -> None:
    X, y = plane_data(20, seed=0)
    assert X.shape == (20, 2)
    np.testing.assert_allclose(y[:, 0], (X[:, 0] + X[:, 1]) / 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: circle_data(0), ValueError, "samples must be at least 1"),
        (lambda: circle_data(5, 1), ValueError, "classes must be at least 2"),
        (lambda: gaussian_data(5, 257), ValueError, "classes must be at most 256"),
        (lambda: moons_data(2.5), TypeError, "samples must be a whole number"),  # type: ignore[arg-type]
        (lambda: plane_data(5, seed=-1), ValueError, "seed must be at least 0"),
    ],
)
def test_impossible_sizes_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
