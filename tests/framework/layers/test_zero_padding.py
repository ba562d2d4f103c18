from typing import Any

import numpy as np
import pytest

from framework import Conv2D, ZeroPadding2D
from tests.strategies import Array


def image() -> Array:
    return np.random.default_rng(0).normal(size=(2, 4, 5, 3))


@pytest.mark.parametrize(
    ("padding", "around"),
    [
        (0, ((0, 0), (0, 0))),
        (1, ((1, 1), (1, 1))),
        ((2, 0), ((2, 2), (0, 0))),
        (((1, 0), (0, 2)), ((1, 0), (0, 2))),
    ],
)
def test_zeros_are_put_around_and_their_gradient_is_dropped(padding: Any, around: Any) -> None:
    layer, images = ZeroPadding2D(padding), image()
    expected = np.pad(images, ((0, 0), *around, (0, 0)))
    output = layer.forward(images)
    np.testing.assert_array_equal(output, expected)
    assert layer.output_shape((4, 5, 3)) == expected.shape[1:]
    np.testing.assert_array_equal(layer.backward(output + (output == 0)), images)


def test_before_a_convolution_it_is_the_padding_of_that() -> None:
    padded, plain = Conv2D(3, 2, 3, padding=(1, 2)), Conv2D(3, 2, 3)
    plain.weights = padded.weights
    inside = plain.forward(ZeroPadding2D((1, 2)).forward(image()))
    np.testing.assert_array_equal(padded.forward(image()), inside)


@pytest.mark.parametrize(
    ("padding", "error"),
    [(-1, ValueError), ((1, 2, 3), ValueError), (((1, 2), 3), ValueError), (1.5, TypeError)],
)
def test_impossible_borders_are_refused(padding: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="padding must be"):
        ZeroPadding2D(padding)


def test_inputs_without_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="no axis for channels"):
        ZeroPadding2D(1).forward(np.ones((2, 28, 28)))
