"""Means with more digits than float32 are subtracted as exactly as in plain NumPy."""

import numpy as np
import pytest

pytest.importorskip("numba")

from framework import Dense, MeanSquaredError, Model, Normalization
from optimizers import SGD

MEAN, DEVIATION = np.array([1e6 + 0.02, 4e6 + 0.1]), np.array([1.0, 2.0])
X = np.random.default_rng(0).normal(MEAN, DEVIATION, (40, 2)).astype("float32")


def test_no_digit_of_a_large_mean_is_lost() -> None:
    layer = Normalization(2, mean=MEAN, deviation=DEVIATION)
    model = Model([layer, Dense(2, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize(accelerated=True)
    rest = layer.mean_rest.copy()
    model.train(X, X[:, :1] - 1e6, batch_size=20, shuffle=False, progress=False)
    expected = (X[20:].astype("float64") - MEAN) / DEVIATION
    np.testing.assert_allclose(layer.output, expected, atol=1e-6)
    np.testing.assert_array_equal(layer.mean_rest, rest)
