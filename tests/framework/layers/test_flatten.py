import numpy as np
import pytest

from framework import Flatten


def test_samples_become_rows_and_gradients_become_samples_again() -> None:
    layer, images = Flatten(), np.arange(24.0).reshape(2, 3, 4)
    output = layer.forward(images)
    np.testing.assert_array_equal(output, images.reshape(2, 12))
    np.testing.assert_array_equal(layer.backward(output), images)


def test_one_number_per_sample_becomes_a_column() -> None:
    layer = Flatten()
    assert layer.forward([1.0, 2.0]).shape == (2, 1)
    assert layer.backward([[1.0], [2.0]]).shape == (2,)


def test_output_shape_is_the_product() -> None:
    assert Flatten().output_shape((28, 28)) == (784,)
    assert Flatten().output_shape(None) is None


def test_a_single_number_has_no_samples() -> None:
    with pytest.raises(ValueError, match="Flatten"):
        Flatten().forward(1.0)
