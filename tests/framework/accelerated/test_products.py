"""The products of dense layers, of every shape that takes another way through them."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from framework.accelerated import entries
from framework.accelerated.layers import dense
from framework.accelerated.products import (
    COLUMNS_PER_COPY,
    DEPTH,
    FAR_APART,
    ROWS_PER_COPY,
    input_gradients,
    weight_gradients,
    weighted_sums,
)
from framework.accelerated.records import INSTRUCTION
from tests.strategies import Array


@numba.njit(error_model="numpy")
def all_products(op, x, weights, biases, dvalues, first, last, out, dweights, dinputs):
    weighted_sums(op, x, weights, biases, out)
    weight_gradients(op, x, slice(first, last), dvalues, dweights)
    input_gradients(op, dvalues, weights, dinputs)


def instruction(dtype: Any) -> Any:
    """Return one that knows where the products are."""
    found = np.zeros(1, INSTRUCTION)[0]
    entries.write_addresses(found, dense, entries.OPERATION, np.dtype(dtype))
    return found


def computed(x: Array, weights: Array, biases: Array, dvalues: Array) -> tuple[Array, Array, Array]:
    """Return the products, the gradients of the weights in two pieces."""
    out, dweights, dinputs = (np.full_like(a, np.nan) for a in (dvalues, weights, x))
    middle, op = len(weights) // 3, instruction(x.dtype)
    for piece in ((0, middle), (middle, len(weights))):
        all_products(op, x, weights, biases, dvalues, *piece, out, dweights, dinputs)
    return out, dweights, dinputs


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("samples", "n_inputs", "n_neurons"),
    [
        (1, 1, 1),
        (3, 70, 33),
        (4, 16, 32),
        (33, 70, 45),
        (64, 48, 64),
        (DEPTH + 5, DEPTH + 1, 10),
        (ROWS_PER_COPY, 2 * DEPTH + 7, FAR_APART // 4 + 3),  # both matrices are copied
        (40, FAR_APART // 4 + 1, COLUMNS_PER_COPY + 17),
    ],
)
def test_products_are_those_of_numpy(
    samples: int, n_inputs: int, n_neurons: int, dtype: Any
) -> None:
    generator = np.random.default_rng(0)
    x, weights, dvalues = (
        generator.normal(size=shape).astype(dtype)
        for shape in ((samples, n_inputs), (n_inputs, n_neurons), (samples, n_neurons))
    )
    tolerance = (
        {"rtol": 1e-9, "atol": 1e-11} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-4}
    )
    for biases in (generator.normal(size=n_neurons).astype(dtype), np.empty(0, dtype)):
        out, dweights, dinputs = computed(x, weights, biases, dvalues)
        expected = x @ weights + (biases if len(biases) else 0)
        np.testing.assert_allclose(out, expected, **tolerance)
        np.testing.assert_allclose(dweights, x.T @ dvalues, **tolerance)
        np.testing.assert_allclose(dinputs, dvalues @ weights.T, **tolerance)


def test_nothing_is_read_or_written_beyond_a_matrix() -> None:
    """What surrounds a matrix is NaN, and stays it."""
    generator = np.random.default_rng(0)

    def surrounded(rows: int, columns: int) -> tuple[Array, Array]:
        memory = np.full(rows * columns + 128, np.nan, np.float32)
        matrix = memory[64 : 64 + rows * columns].reshape(rows, columns)
        matrix[...] = generator.normal(size=matrix.shape)
        return memory, matrix

    matrices = [
        surrounded(*shape) for shape in ((19, 37), (37, 21), (19, 21), (19, 21), (37, 21), (19, 37))
    ]
    x, weights, dvalues, out, dweights, dinputs = (matrix for _, matrix in matrices)
    biases = np.zeros(21, np.float32)
    all_products(instruction(x.dtype), x, weights, biases, dvalues, 0, 37, out, dweights, dinputs)
    for memory, matrix in matrices:
        assert np.isfinite(matrix).all()
        assert np.isnan(memory[:64]).all() and np.isnan(memory[64 + matrix.size :]).all()


def test_a_number_is_the_same_whatever_rows_it_is_computed_with() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(67, 300)).astype(np.float32)
    weights = generator.normal(size=(300, 40)).astype(np.float32)
    biases = generator.normal(size=40).astype(np.float32)
    dvalues = generator.normal(size=(67, 40)).astype(np.float32)
    out, dweights, dinputs = computed(x, weights, biases, dvalues)
    few_out, _, few_dinputs = computed(x[5:7], weights, biases, dvalues[5:7])
    np.testing.assert_array_equal(few_out, out[5:7])
    np.testing.assert_array_equal(few_dinputs, dinputs[5:7])
    some_out, _, some_dinputs = computed(x[5:29], weights, biases, dvalues[5:29])
    np.testing.assert_array_equal(some_out, out[5:29])
    np.testing.assert_array_equal(some_dinputs, dinputs[5:29])
    whole = np.empty_like(dweights)
    all_products(instruction(x.dtype), x, weights, biases, dvalues, 0, 300, out, whole, dinputs)
    np.testing.assert_array_equal(dweights, whole)
