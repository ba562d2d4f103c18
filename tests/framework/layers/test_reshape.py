from typing import Any

import numpy as np
import pytest

from framework import Conv2D, Dense, Flatten, Model, Reshape


def test_rows_become_images_and_gradients_become_rows_again() -> None:
    layer, rows = Reshape((2, 3, 1)), np.arange(24.0).reshape(4, 6)
    output = layer.forward(rows)
    np.testing.assert_array_equal(output, rows.reshape(4, 2, 3, 1))
    np.testing.assert_array_equal(layer.backward(2 * output), 2 * rows)


def test_one_number_can_be_left_open() -> None:
    assert Reshape((-1, 4)).output_shape((3, 8)) == (6, 4)
    assert Reshape((-1, 4)).output_shape(None) is None
    assert Reshape((2, 4)).output_shape(None) == (2, 4)


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        (4, TypeError, "shape must be that of one sample"),
        ((), TypeError, "shape must be that of one sample"),
        ((2, 0), ValueError, "a number of shape must be at least 1, received 0"),
        ((2, -2), ValueError, "a number of shape must be at least 1, received -2"),
        ((-1, -1), ValueError, "only one number of shape can be -1"),
        ((2, 1.5), TypeError, "a number of shape must be a whole number"),
    ],
)
def test_impossible_shapes_are_refused(shape: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Reshape(shape)


def test_samples_of_another_size_are_refused() -> None:
    message = r"Reshape\(\(2, 3\)\) expects samples of 6 values, not 5, received \(4, 5\)"
    with pytest.raises(ValueError, match=message):
        Reshape((2, 3)).forward(np.ones((4, 5)))
    with pytest.raises(ValueError, match="expects samples of a multiple of 3 values, not 5"):
        Reshape((-1, 3)).forward(np.ones((4, 5)))


def test_neighbours_are_checked_with_the_new_shape() -> None:
    model = Model([Dense(2, 16), Reshape((4, 4, 1)), Conv2D(1, 3, 3), Flatten(), Dense(12, 2)])
    model.finalize()
    assert model.predict([[1.0, 2.0]]).shape == (1, 2)
    with pytest.raises(ValueError, match=r"Conv2D\(3, 3, 3\) expects.*Reshape\(\(4, 4, 1\)\)"):
        Model([Dense(2, 16), Reshape((4, 4, 1)), Conv2D(3, 3, 3)]).finalize()
