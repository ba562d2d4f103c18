from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import CategoricalCrossentropy, Dense, Model, ReLU, Scale, Softmax
from optimizers import Adam


def test_it_multiplies_and_adds_and_its_slope_is_the_factor() -> None:
    layer = Scale(2.0, offset=-1.0)
    np.testing.assert_array_equal(layer.forward([[0.0, 1.5]]), [[-1.0, 2.0]])
    np.testing.assert_array_equal(layer.backward([[1.0, 3.0]]), [[2.0, 6.0]])
    assert layer.output_shape((28, 28)) == (28, 28)


@pytest.mark.parametrize("arguments", [(0,), (np.inf,), (1, np.nan), ("2",), (1, None)])
def test_numbers_that_scale_nothing_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError), match="factor|offset"):
        Scale(*arguments)


def test_a_network_of_bytes_learns_as_one_of_scaled_numbers() -> None:
    X, y = spiral_data(50, 3, seed=0)
    levels = np.round((X + 1) * 127.5).astype(np.uint8)
    networks = []
    for first, data in (([Scale(1 / 127.5, -1)], levels), ([], levels / 127.5 - 1)):
        framework.seed(0)
        model = Model([*first, Dense(2, 16), ReLU(), Dense(16, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
        model.finalize()
        model.train(data, y, epochs=5, progress=False)
        networks.append(model)
    ours, expected = (model.parameters.weights for model in networks)
    np.testing.assert_allclose(ours, expected, atol=1e-5)
