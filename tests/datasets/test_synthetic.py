import numpy as np
import pytest
from nnfs.datasets import spiral_data as book_spiral_data

from datasets import sine_data, spiral_data, vertical_data


@pytest.mark.parametrize("make", [spiral_data, vertical_data])
def test_a_seed_repeats_the_points_and_leaves_numpys_generator_alone(make: object) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    X, y = make(50, 3, seed=4)  # type: ignore[operator]
    again, _ = make(50, 3, seed=4)  # type: ignore[operator]
    other, _ = make(50, 3, seed=5)  # type: ignore[operator]
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]
    np.testing.assert_array_equal(X, again)
    assert (X != other).any()
    assert X.shape == (150, 2)
    np.testing.assert_array_equal(y, np.repeat([0, 1, 2], 50))


def test_without_a_seed_numpys_generator_decides_as_in_the_book() -> None:
    state = np.random.get_state()
    try:
        np.random.seed(11)
        expected, labels = book_spiral_data(20, 4)
        np.random.seed(11)
        X, y = spiral_data(20, 4)
        np.testing.assert_array_equal(X, expected)
        np.testing.assert_array_equal(y, labels)
    finally:
        np.random.set_state(state)


def test_sine_data_is_one_period() -> None:
    X, y = sine_data(100, seed=1)
    assert X.shape == y.shape == (100, 1)
    np.testing.assert_allclose(y, np.sin(2 * np.pi * X))
    assert X.min() == 0
    assert X.max() == 0.99


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"samples": 0, "classes": 3}, ValueError, "samples must be at least 1"),
        ({"samples": 5, "classes": 0}, ValueError, "classes must be at least 1"),
        ({"samples": 5, "classes": 257}, ValueError, "classes must be at most 256"),
        ({"samples": 2.5, "classes": 3}, TypeError, "samples must be a whole number"),
        ({"samples": 5, "classes": 3, "seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
def test_impossible_sizes_are_refused(
    arguments: dict[str, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        spiral_data(**arguments)
