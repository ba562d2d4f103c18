import numpy as np
import pytest

import framework
from framework import Dropout


def test_rate_is_the_share_that_is_dropped_and_the_rest_grows_to_make_up_for_it() -> None:
    output = Dropout(0.25).forward(np.ones((1000, 100)))
    assert set(np.unique(output)) == {0.0, 1 / 0.75}
    # The share dropped has a standard deviation of √(0.25 · 0.75 / 100,000) = 0.0014.
    assert abs((output == 0).mean() - 0.25) < 0.007


def test_the_gradient_goes_where_the_inputs_went() -> None:
    layer = Dropout(0.5)
    output = layer.forward(np.ones((20, 20)))
    np.testing.assert_array_equal(layer.backward(np.ones((20, 20))), output)


def test_nothing_is_dropped_when_not_training() -> None:
    layer = Dropout(0.9)
    inputs = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(layer.forward(inputs, training=False), inputs)
    np.testing.assert_array_equal(layer.backward(inputs), inputs)
    assert layer.mask is None


def test_masks_repeat_with_the_seed_and_differ_without() -> None:
    layer, inputs = Dropout(0.5), np.ones((10, 10))
    framework.seed(3)
    first, second = layer.forward(inputs), layer.forward(inputs)
    framework.seed(3)
    np.testing.assert_array_equal(layer.forward(inputs), first)
    assert (first != second).any()


@pytest.mark.parametrize(
    ("rate", "error"),
    [(1.0, ValueError), (-0.1, ValueError), (float("nan"), ValueError), ("half", TypeError)],
)
def test_impossible_rates_are_refused(rate: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="rate must be"):
        Dropout(rate)
