"""Microseconds per training step, of ``Model.train`` and of a loop composed by hand.

    python -m benchmarks.steps [--quick]

The matrix products of a step, without anything around them, are the floor that no framework of
separate operations can go below. Everything is measured in one run, one after the other and
again, since these times drift with what else the machine is doing; the medians are printed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import framework
from datasets import batch
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Operation,
    ReLU,
    Softmax,
    SoftmaxCategoricalCrossentropy,
)
from optimizers import Adam


@dataclass(frozen=True)
class Workload:
    """A network and its batches, as many as the data have: one epoch is what is timed."""

    name: str
    sizes: tuple[int, ...]
    batch_size: int
    batches: int

    @property
    def samples(self) -> int:
        return self.batch_size * self.batches


WORKLOADS = (
    Workload("spiral 2-64-3, batch 128", (2, 64, 3), 128, 240),
    Workload("spiral 2-64-3, batch 300", (2, 64, 3), 300, 100),
    Workload("MNIST 784-64-10, batch 32", (784, 64, 10), 32, 1875),
    Workload("MNIST 784-128-64-10, batch 64", (784, 128, 64, 10), 64, 937),
    Workload("Fashion 784-128-128-10, batch 128", (784, 128, 128, 10), 128, 468),
    Workload("wide 784-512-512-10, batch 256", (784, 512, 512, 10), 256, 234),
    Workload("CIFAR 3072-64-10, full batch 50,000", (3072, 64, 10), 50_000, 1),
)


def main() -> None:
    """Measure every workload and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=9, metavar="N", help="(9)")
    parser.add_argument("--quick", action="store_true", help="a short pass, to see that it runs")
    options = parser.parse_args()
    repetitions = 1 if options.quick else options.repetitions
    workloads = [replace(w, batches=min(w.batches, 20)) if options.quick else w for w in WORKLOADS]
    print(
        f"{'µs per step':36} {'products':>10} {'by hand':>10} {'Model':>10} {'Model/products':>15}"
    )
    for workload in workloads:
        floor, by_hand, model = measure(workload, repetitions)
        print(
            f"{workload.name:36} {floor:10,.0f} {by_hand:10,.0f} {model:10,.0f} "
            f"{model / floor:15.2f}"
        )


def measure(workload: Workload, repetitions: int) -> list[float]:
    """Return the median microseconds per step of the three ways, after a round to warm up."""
    chance = np.random.default_rng(0)
    X = chance.normal(size=(workload.samples, workload.sizes[0])).astype(np.float32)
    y = chance.integers(0, workload.sizes[-1], size=workload.samples)
    epochs = [
        matrix_products(workload),
        composed_by_hand(workload, X, y),
        trained_by_model(workload, X, y),
    ]
    times: list[list[float]] = [[] for _ in epochs]
    for _ in range(repetitions + 1):
        for epoch, measured in zip(epochs, times, strict=True):
            started = time.perf_counter()
            epoch()
            measured.append(time.perf_counter() - started)
    return [statistics.median(t[1:]) / workload.batches * 1e6 for t in times]


def matrix_products(workload: Workload) -> Callable[[], None]:
    """Forward, and backward for the weights; backward for the inputs from the second layer on."""
    chance = np.random.default_rng(0)
    widths = list(zip(workload.sizes, workload.sizes[1:], strict=False))
    values = [
        chance.normal(size=(workload.batch_size, width)).astype(np.float32)
        for width in workload.sizes
    ]
    weights = [chance.normal(size=shape).astype(np.float32) for shape in widths]

    def epoch() -> None:
        for _ in range(workload.batches):
            for layer, weight in enumerate(weights):
                values[layer] @ weight
            for layer in range(len(weights) - 1, -1, -1):
                values[layer].T @ values[layer + 1]
                if layer:
                    values[layer + 1] @ weights[layer].T

    return epoch


def composed_by_hand(workload: Workload, X: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """The book's loop: operations, then the optimizer's protocol for each layer."""
    framework.seed(0)
    widths = zip(workload.sizes, workload.sizes[1:], strict=False)
    layers = [Dense(n_inputs, n_neurons) for n_inputs, n_neurons in widths]
    operations: list[Operation] = [layers[0]]
    for layer in layers[1:]:
        operations += [ReLU(), layer]
    loss_activation = SoftmaxCategoricalCrossentropy()
    optimizer = Adam()

    def epoch() -> None:
        for inputs, labels in batch(X, y, workload.batch_size):
            for operation in operations:
                inputs = operation.forward(inputs)
            loss_activation.forward(inputs, labels)
            dvalues = loss_activation.backward(loss_activation.output, labels)
            for operation in reversed(operations):
                dvalues = operation.backward(dvalues)
            optimizer.pre_update_params()
            for layer in layers:
                optimizer.update_params(layer)
            optimizer.post_update_params()

    return epoch


def trained_by_model(workload: Workload, X: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """``Model.train``, shuffling, accuracy and history included."""
    framework.seed(0)
    operations: list[Operation] = []
    for n_inputs, n_neurons in zip(workload.sizes, workload.sizes[1:], strict=False):
        operations += [Dense(n_inputs, n_neurons), ReLU()]
    model = Model([*operations[:-1], Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    model.finalize()
    batch_size = None if workload.batches == 1 else workload.batch_size

    def epoch() -> None:
        model.train(X, y, batch_size=batch_size, progress=False)

    return epoch


if __name__ == "__main__":
    main()
