import math

import numpy as np
import pytest

import framework
from framework import Conv1D, Conv2D, Dense, initializers

SHAPE = (300, 200)


def drawn(initializer: object) -> np.ndarray:
    return Dense(*SHAPE, weight_initializer=initializer, dtype="float64").weights  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("normal", 0.01),
        ("uniform", 0.2 / math.sqrt(12)),
        ("glorot_uniform", math.sqrt(2 / 500)),
        ("glorot_normal", math.sqrt(2 / 500)),
        ("he_uniform", math.sqrt(2 / 300)),
        ("he_normal", math.sqrt(2 / 300)),
    ],
)
def test_each_has_its_spread_around_0(name: str, deviation: float) -> None:
    weights = drawn(name)
    # 60,000 draws: the mean is within 5 standard errors, the deviation within 2 %.
    assert abs(weights.mean()) < 5 * deviation / math.sqrt(weights.size)
    assert weights.std() == pytest.approx(deviation, rel=0.02)
    if name.endswith("uniform"):
        assert np.abs(weights).max() <= deviation * math.sqrt(3)


def test_a_name_the_class_and_an_object_are_the_same() -> None:
    for name, cls in initializers.BY_NAME.items():
        framework.seed(1)
        by_name = drawn(name)
        for other in (cls, cls()):
            framework.seed(1)
            np.testing.assert_array_equal(drawn(other), by_name)


def test_zeros_and_constants() -> None:
    assert not drawn("zeros").any()
    assert (drawn(initializers.constant(0.5)) == 0.5).all()
    assert np.unique(np.sign(drawn(initializers.uniform(1, 2)))).tolist() == [1]
    assert drawn(initializers.normal(3)).std() == pytest.approx(3, rel=0.02)


def test_any_function_of_shape_and_generator_will_do() -> None:
    framework.seed(2)
    expected = np.random.default_rng(2).exponential(size=SHAPE)
    np.testing.assert_array_equal(drawn(lambda shape, g: g.exponential(size=shape)), expected)


def test_a_function_that_returns_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must return an array of shape \(2, 3\), returned \(3,"):
        Dense(2, 3, weight_initializer=lambda shape, generator: np.ones((3, 2)))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("glorot_unifrm", "did you mean 'glorot_uniform'"), ("xyz", "known are zeros, constant")],
)
def test_an_unknown_name_brings_the_nearest_known_one(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"bias_initializer: there is no .* {name!r}; {hint}"):
        Dense(2, 3, bias_initializer=name)


def test_what_is_no_initializer_is_refused() -> None:
    with pytest.raises(TypeError, match="weight_initializer must be the name"):
        Dense(2, 3, weight_initializer=0.1)  # type: ignore[arg-type]


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="low must not exceed high"):
        initializers.uniform(1, -1)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        # The 3 · 5 positions see 4 channels, and give 8 filters.
        ("glorot_uniform", (6 / (15 * 4 + 15 * 8)) ** 0.5),
        ("he_uniform", (6 / (15 * 4)) ** 0.5),
    ],
)
def test_kernels_count_every_position_as_an_input(name: str, limit: float) -> None:
    weights = Conv2D(4, 8, (3, 5), weight_initializer=name).weights
    assert 0.95 * limit < np.abs(weights).max() <= limit


@pytest.mark.parametrize(
    ("name", "variance"),
    [("glorot_normal", 2 / (7 * 20 + 7 * 40)), ("he_normal", 2 / (7 * 20))],
)
def test_normal_kernels_count_every_position_as_an_input(name: str, variance: float) -> None:
    weights = Conv1D(20, 40, 7, weight_initializer=name).weights
    assert weights.var() == pytest.approx(variance, rel=0.1)
