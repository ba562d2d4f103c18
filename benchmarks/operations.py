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
from collections.abc import Sequence
from dataclasses import replace
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
    activations,
    losses,
)
from optimizers import SGD

# The spiral in batches of 128, and MNIST in batches of 64.
NETWORKS = (WORKLOADS[0], WORKLOADS[3])
BATCHES = 200
KINDS = ("activations", "losses", "optimizers")


def names(kind: str) -> list[str]:
    """Return the names of all built-in classes of a kind that a network can be trained with."""
    package = {"activations": activations, "losses": losses, "optimizers": optimizers}[kind]
    without = {"Activation", "Step", "Loss", "FusedLoss", "Optimizer", "State"}
    return [
        name
        for name in package.__all__
        if isinstance(getattr(package, name), type) and name not in without
    ]


def model_of(workload: Workload, kind: str, name: str) -> tuple[Model, Any]:
    """Return a model with the class of that name in it, and the targets for it."""
    activation = getattr(activations, name) if kind == "activations" else ReLU
    loss: Any = SoftmaxCategoricalCrossentropy()
    if kind == "losses":
        loss = getattr(losses, name)()
    optimizer = getattr(optimizers, name)() if kind == "optimizers" else SGD(1e-3)
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
    model = Model(operations)
    model.set(loss=loss, optimizer=optimizer)
    return model, y


def measure(network: int, kind: str, name: str, accelerated: bool, repetitions: int) -> Any:
    """Return the median microseconds of a step, and whether compiled code takes the steps."""
    workload = replace(NETWORKS[network], batches=BATCHES)
    model, y = model_of(workload, kind, name)
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


def ratios(kinds: Sequence[str], repetitions: int) -> list[list[str]]:
    """Return a row for each class: accelerated divided by plain, for each network."""
    rows = []
    for kind in kinds:
        for name in names(kind):
            row = [kind, name]
            for network in range(len(NETWORKS)):
                found: dict[bool, list[float]] = {False: [], True: []}
                compiled = False
                for _ in range(repetitions):
                    for accelerated in (False, True):
                        arguments = json.dumps([network, kind, name, accelerated, repetitions])
                        command = [sys.executable, "-m", "benchmarks.operations", arguments]
                        printed = subprocess.run(command, check=True, capture_output=True).stdout
                        microseconds, compiled = json.loads(printed)
                        found[accelerated].append(microseconds)
                ratio = statistics.median(found[True]) / statistics.median(found[False])
                row.append(f"{ratio:.2f}" if compiled else "no kernel")
            rows.append(row)
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(*json.loads(sys.argv[1]))))
