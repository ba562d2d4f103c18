"""The least that a step can take: its matrix products, and its arithmetic."""

from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.workloads import Array, Workload

# Measured: with nothing between them, products are faster on two threads from here on.
PRODUCT_WORTH_A_THREAD = 10**6
# Rows and columns of a product that is as fast as they come.
LARGE = 2048


class Products:
    """The bare matrix products of a step: the floor for separate operations.

    Forward; backward for the weights; and from the second layer on, backward for the inputs.
    """

    name = "products"
    package = "numpy"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        self.batches = workload.batches
        self.weights = workload.weights()
        generator = np.random.default_rng(2)
        self.values = [
            generator.normal(size=(workload.batch_size, width)).astype(np.float32)
            for width in workload.sizes
        ]
        largest = workload.batch_size * max(weights.size for weights in self.weights)
        self.threads = None if largest >= PRODUCT_WORTH_A_THREAD else 1

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        with threadpool_limits(self.threads):
            for _ in range(epochs * self.batches):
                self._step()
        return None

    def predict(self, X: Array) -> Any:
        for weights in self.weights:
            X = X @ weights
        return X

    def _step(self) -> None:
        values, weights = self.values, self.weights
        for layer, matrix in enumerate(weights):
            values[layer] @ matrix
        for layer in range(len(weights) - 1, -1, -1):
            values[layer].T @ values[layer + 1]
            if layer:
                values[layer + 1] @ weights[layer].T


class Arithmetic:
    """The multiplications and additions of a step at the speed of a large product.

    ``train`` multiplies two large matrices, on all cores. ``share`` is what a training has to
    compute, divided by what that product has: as long would it take at the same speed.
    """

    name = "arithmetic"
    package = "numpy"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        self.matrix = np.random.default_rng(3).normal(size=(LARGE, LARGE)).astype(np.float32)
        self.out = np.empty_like(self.matrix)
        self.of_epoch = workload.batches * operations_of_step(workload) / (2 * LARGE**3)
        self.share = 1.0

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        np.matmul(self.matrix, self.matrix, out=self.out)
        self.share = epochs * self.of_epoch
        return None

    def predict(self, X: Array) -> Any:
        raise NotImplementedError


def operations_of_step(workload: Workload) -> int:
    """Return how many multiplications and additions the products of a step have."""
    weights = [n_inputs * n_neurons for n_inputs, n_neurons in pairwise(workload.sizes)]
    # Forward, backward for the weights, and from the second layer on for the inputs.
    return 2 * workload.batch_size * (3 * sum(weights) - weights[0])
