"""Arrays that begin with a line of the cache."""

from typing import Any

import numpy as np
import pytest

from framework import Dense, Model, SoftmaxCategoricalCrossentropy
from framework.utils.aligned import LINE, aligned_zeros
from optimizers import SGD


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_it_is_zeros_that_begin_with_a_line(count: int, dtype: Any) -> None:
    for _ in range(20):
        found = aligned_zeros(count, dtype)
        assert found.ctypes.data % LINE == 0 or count == 0
        np.testing.assert_array_equal(found, np.zeros(count, dtype))
        assert found.dtype == dtype
        assert found.flags.writeable


def test_parameters_begin_with_a_line() -> None:
    for n_neurons in range(3, 9):
        model = Model([Dense(5, n_neurons)])
        model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=SGD())
        model.finalize()
        assert model.layers[0].weights.ctypes.data % LINE == 0
