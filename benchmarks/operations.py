"""How long accelerated steps take beside plain ones, with every activation, loss and optimizer.

Each training runs in a process of its own, since an idle thread of one library looks for work for
tens of milliseconds and takes them from the next one. A case that has no kernel is marked.
"""

import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

import framework
import optimizers
from benchmarks.workloads import WORKLOADS, Workload
from framework import (
    CategoricalCrossentropy,
    Dense,
    FusedLoss,
    Linear,
    Model,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Softplus,
    activations,
    losses,
)
from optimizers import SGD

# The spiral in batches of 128, and MNIST in batches of 64.
NETWORKS = (WORKLOADS[0], WORKLOADS[3])
BATCHES = 200
PACKAGES: dict[str, ModuleType] = {
    "activations": activations,
    "losses": losses,
    "optimizers": optimizers,
}
BASE_CLASSES = {"Activation", "Step", "Loss", "FusedLoss", "Optimizer", "State"}


def class_names(package: ModuleType) -> list[str]:
    """Return the names of all classes of ``package`` that a network can be trained with."""
    return [
        name
        for name in package.__all__
        if isinstance(getattr(package, name), type) and name not in BASE_CLASSES
    ]


def build_model(workload: Workload, package: str, name: str) -> tuple[Model, Any]:
    """Return a model that uses the class ``name`` of ``package``, and the targets for it."""
    activation = getattr(activations, name) if package == "activations" else ReLU
    loss: Any = SoftmaxCategoricalCrossentropy()
    if package == "losses":
        loss = getattr(losses, name)()
    optimizer = getattr(optimizers, name)() if package == "optimizers" else SGD(1e-3)
    framework.seed(0)
    operations: list[Any] = []
    for weights in workload.weights():
        layer = Dense(*weights.shape)
        layer.weights = weights
        operations += [layer, activation()]
    operations.pop()
    _, y = workload.data()
    if isinstance(loss, CategoricalCrossentropy):
        operations += [Softmax(), Linear()]  # which keeps the two from being fused
    elif not isinstance(loss, SoftmaxCategoricalCrossentropy):
        y = np.eye(workload.sizes[-1], dtype=np.float32)[y]  # type: ignore[assignment]
        if "Binary" in name and not isinstance(loss, FusedLoss):
            operations += [Sigmoid(), Linear()]
        if name == "Poisson":
            operations.append(Softplus())  # it takes the logarithm of the outputs
    model = Model(operations)
    model.set(loss=loss, optimizer=optimizer)
    return model, y


def measure(network: int, package: str, name: str, accelerated: bool, repetitions: int) -> Any:
    """Return the median microseconds of a step, and whether compiled code takes the steps."""
    workload = replace(NETWORKS[network], batches=BATCHES)
    model, y = build_model(workload, package, name)
    X, _ = workload.data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no kernel is in the table
        model.finalize(accelerated=accelerated)

    def epoch() -> float:
        started = time.perf_counter()
        model.train(X, y, batch_size=workload.batch_size, progress=False)
        return (time.perf_counter() - started) / BATCHES * 1e6

    epoch()  # to warm up
    times = [epoch() for _ in range(2 * repetitions + 1)]
    return statistics.median(times), model.trainer is not None


def ratios(repetitions: int) -> Iterator[list[str]]:
    """Yield a row for each class, as soon as it is measured.

    A row is the package, the class and, for each network, accelerated divided by plain.
    """
    for package, module in PACKAGES.items():
        for name in class_names(module):
            row = [ratio(i, package, name, repetitions) for i in range(len(NETWORKS))]
            yield [package, name, *row]


def ratio(network: int, package: str, name: str, repetitions: int) -> str:
    """Return the time of a step, accelerated divided by plain, or "no kernel"."""
    found: dict[bool, list[float]] = {False: [], True: []}
    compiled = False
    for _ in range(repetitions):
        for accelerated in (False, True):
            arguments = json.dumps([network, package, name, accelerated, repetitions])
            command = [sys.executable, "-m", "benchmarks.operations", arguments]
            printed = subprocess.run(command, check=True, capture_output=True).stdout
            microseconds, compiled = json.loads(printed)
            found[accelerated].append(microseconds)
    if not compiled:
        return "no kernel"
    return f"{statistics.median(found[True]) / statistics.median(found[False]):.2f}"


if __name__ == "__main__":
    print(json.dumps(measure(*json.loads(sys.argv[1]))))
