"""Samples per second of ``Model.train`` on several ranks, and what a step is made of.

    python -m benchmarks.distributed [--ranks 1 2] [--rounds 5] [--quick]

Each rank has one BLAS thread. Rounds alternate between the numbers of ranks, since times drift
with what else the machine is doing; the least times are printed, since that only adds to them.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import framework
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    ReLU,
    Softmax,
)
from optimizers import Adam

SIZES = (784, 512, 512, 10)
BATCH = 512
BATCHES = 40
REPETITIONS = 5


def main() -> None:
    """Measure with each number of ranks in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2], metavar="N", help="(1 2)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(5)")
    parser.add_argument("--quick", action="store_true", help="a short pass, to see that it runs")
    parser.add_argument("--json", action="store_true", help="print the figures for a program")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_here()
        return
    rounds = 1 if options.quick else options.rounds
    runs: dict[int, list[dict[str, float]]] = {ranks: [] for ranks in options.ranks}
    for _ in range(rounds):
        for ranks, found in runs.items():
            found.append(measured(ranks))
    table = {
        ranks: {name: min(run[name] for run in found) for name in found[0]}
        for ranks, found in runs.items()
    }
    if options.json:
        print(json.dumps(table))
        return
    print(f"{'-'.join(map(str, SIZES))}, batches of {BATCH}, {len(os.sched_getaffinity(0))} cores")
    columns = ["ranks", "samples/s", "ratio", *table[min(table)]]
    print("".join(f"{column:>11}" for column in columns) + "   (microseconds)")
    slowest = table[min(table)]["step"]
    for ranks, row in table.items():
        parts = (row[name] * 1e6 for name in columns[3:])
        figures = f"{ranks:11}{BATCH / row['step']:11,.0f}{slowest / row['step']:11.2f}"
        print(figures + "".join(f"{part:11,.0f}" for part in parts))


def measured(ranks: int) -> dict[str, float]:
    """Return what ``measure_here`` finds on so many ranks: seconds for each part of a step."""
    launcher = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    mpiexec = shutil.which("mpiexec", path=launcher)
    if mpiexec is None:
        raise FileNotFoundError('there is no mpiexec: pip install "dinputs[distributed]"')
    result = subprocess.run(
        [mpiexec, "-n", str(ranks), sys.executable, "-m", "benchmarks.distributed", "--measure"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return found


def measure_here() -> None:
    """On each rank: train, then do the parts of a step one by one. Rank 0 prints JSON.

    - step: a step of ``Model.train``, an epoch divided by its batches;
    - compute: forward and backward of the rank's part of a batch;
    - update: the optimizer, of the rank's stretch of the parameters;
    - exchange: reduce-scatter of the gradients and all-gather of the parameters;
    - messages: the two short sums of a step, of losses and of who wants to stop.
    """
    from mpi4py import MPI

    together = MPI.COMM_WORLD
    framework.seed(0)
    model = network()
    generator = np.random.default_rng(0)
    X = generator.normal(size=(BATCH * BATCHES, SIZES[0])).astype(np.float32)
    y = generator.integers(0, SIZES[-1], size=len(X))
    history = model.train(
        X,
        y,
        epochs=REPETITIONS + 1,
        batch_size=BATCH,
        progress=False,
        communicator=together,
    )
    rows = BATCH // together.size
    parameters = model.parameters
    part = Dense(1, len(parameters) // together.size)
    counts = together.allgather(part.n_neurons)
    vector, own = np.zeros(sum(counts), np.float32), np.zeros(part.n_neurons, np.float32)
    few = np.zeros(2)

    def compute() -> None:
        model.calculate_loss(X[:rows], y[:rows])
        model.backward(y[:rows], all_operations=False)

    def update() -> None:
        model.optimizer.update_params(part)

    def exchange() -> None:
        together.Reduce_scatter(vector, own, counts)
        together.Allgatherv(MPI.IN_PLACE, [vector, counts])

    def messages() -> None:
        for _ in range(2):
            together.Allreduce(MPI.IN_PLACE, few)

    parts = {
        "compute": timed(compute, together),
        "update": timed(update, together),
        "exchange": timed(exchange, together),
        "messages": timed(messages, together),
    }
    if together.rank == 0:
        step = min(history.seconds[1:]) / BATCHES
        print(json.dumps({"step": step, **parts}))


def timed(action: Callable[[], None], together: Any) -> float:
    """Return the seconds that ``action`` takes when all ranks do it, the least of many."""
    times = []
    for _ in range(BATCHES):
        together.Barrier()
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def network() -> Model:
    """Return the network that is trained."""
    layers: list[Any] = []
    for n_inputs, n_neurons in itertools.pairwise(SIZES):
        layers += [Dense(n_inputs, n_neurons), ReLU()]
    model = Model([*layers[:-1], Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


if __name__ == "__main__":
    main()
