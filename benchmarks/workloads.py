"""The networks that are timed, and the data and weights that everyone begins with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LEARNING_RATE = 1e-3
# So small that it makes no difference that some add it before the root is corrected.
EPSILON = 1e-10


@dataclass(frozen=True)
class Workload:
    """A dense network with ReLU between its layers, and an epoch of so many batches."""

    name: str
    sizes: tuple[int, ...]
    batch_size: int
    batches: int

    @property
    def samples(self) -> int:
        return self.batch_size * self.batches

    def data(self) -> tuple[Array, NDArray[np.int64]]:
        """Random inputs, and random classes: the time does not depend on what they are."""
        generator = np.random.default_rng(0)
        X = generator.normal(size=(self.samples, self.sizes[0])).astype(np.float32)
        return X, generator.integers(0, self.sizes[-1], size=self.samples)

    def weights(self) -> list[Array]:
        """The weights of each layer to begin with; the biases begin with 0."""
        generator = np.random.default_rng(1)
        return [
            (generator.normal(size=(n_inputs, n_neurons)) / np.sqrt(n_inputs)).astype(np.float32)
            for n_inputs, n_neurons in zip(self.sizes, self.sizes[1:], strict=False)
        ]


WORKLOADS = (
    Workload("spiral 2-64-3, batch 128", (2, 64, 3), 128, 240),
    Workload("spiral 2-64-3, batch 300", (2, 64, 3), 300, 100),
    Workload("MNIST 784-64-10, batch 32", (784, 64, 10), 32, 400),
    Workload("MNIST 784-128-64-10, batch 64", (784, 128, 64, 10), 64, 200),
    Workload("Fashion 784-128-128-10, batch 128", (784, 128, 128, 10), 128, 100),
    Workload("wide 784-512-512-10, batch 256", (784, 512, 512, 10), 256, 30),
    Workload("CIFAR 3072-64-10, full batch 50,000", (3072, 64, 10), 50_000, 1),
)
