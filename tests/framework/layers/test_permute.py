from typing import Any

import numpy as np
import pytest
from hypothesis import given

from framework import Model, Permute
from tests.strategies import Array, images


@given(inputs=images())
def test_channels_first_and_last_again(inputs: Array) -> None:
    first, last = Permute((3, 1, 2)), Permute((2, 3, 1))
    output = first.forward(inputs)
    np.testing.assert_array_equal(output, np.moveaxis(inputs, -1, 1))
    np.testing.assert_array_equal(last.forward(output), inputs)
    np.testing.assert_array_equal(first.backward(2 * output), 2 * inputs)


def test_the_shape_is_told_before() -> None:
    assert Permute((3, 1, 2)).output_shape((4, 5, 6)) == (6, 4, 5)
    assert Permute((2, 1)).output_shape(None) is None


@pytest.mark.parametrize(
    ("dims", "error", "message"),
    [
        (2, TypeError, "dims must be numbers such as"),
        ((), ValueError, "dims must be the numbers from 1"),
        ((0, 1), ValueError, "a number of dims must be at least 1, received 0"),
        ((1, 1), ValueError, "each once, received"),
        ((1, 3), ValueError, "each once, received"),
    ],
)
def test_other_dims_are_refused(dims: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Permute(dims)


def test_samples_with_other_axes_are_refused() -> None:
    message = r"Permute\(\(2, 1\)\) expects samples of 2 axes, received \(4, 5\)"
    with pytest.raises(ValueError, match=message):
        Permute((2, 1)).forward(np.ones((4, 5)))
    model = Model([Permute((2, 1)), Permute((3, 1, 2))])
    with pytest.raises(ValueError, match="expects samples of 3 axes"):
        model.finalize()
        model.predict(np.ones((1, 2, 3)))
