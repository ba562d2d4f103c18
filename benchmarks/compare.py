"""How fast dinputs is, beside what else one would take: a table and a picture.

    python -m benchmarks.compare [--quick] [--repetitions N] [--peers NAME …] [--parts PART …]

See ``README.md`` for what is measured and how to read it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib

from benchmarks.footprint import footprints
from benchmarks.growth import AXES, Growth, grow
from benchmarks.peers import PEERS, Accelerated, Peer, Plain, Products, installed
from benchmarks.workloads import WORKLOADS, Workload

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

PARTS = ("steps", "prediction", "footprint", "growth")
Times = dict[str, float]

# A measurement is of a few epochs, so that what a call does once does not weigh too much.
EPOCHS = 3
CHECKED_BATCHES = 4
# What compiles takes longer than all the rest, which --quick has no time for.
NOT_QUICK = ("torch.compile",)


def main() -> None:
    """Measure what was asked for, print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [peer.name for peer in PEERS]
    parser.add_argument("--quick", action="store_true", help="a short pass, to see that it runs")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="(7)")
    parser.add_argument("--peers", nargs="+", choices=names, metavar="NAME", default=names)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--workloads", type=int, nargs="+", metavar="I", help="by number, from 1")
    parser.add_argument("--picture", type=Path, default=Path("benchmark.png"), metavar="FILE")
    options = parser.parse_args()
    peers = installed([peer for peer in PEERS if peer.name in options.peers])
    workloads = [WORKLOADS[i - 1] for i in options.workloads or range(1, len(WORKLOADS) + 1)]
    repetitions = options.repetitions
    if options.quick:
        peers = [peer for peer in peers if peer.name not in NOT_QUICK]
        workloads = [replace(w, batches=min(w.batches, 5)) for w in workloads if w.batches > 1]
        repetitions = 1

    steps: dict[str, Times] = {}
    growth: dict[str, Growth] = {}
    if "steps" in options.parts:
        for workload in workloads:
            steps[workload.name] = time_steps(workload, peers, repetitions)
        print_steps(steps)
    if "prediction" in options.parts:
        print_predictions(peers, repetitions)
    if "footprint" in options.parts:
        print("\n## A process that imports, and trains MNIST 784-128-64-10 for an epoch\n")
        print_table(["", "import, seconds", "peak memory, MB"], footprints(peers, repetitions))
    if "growth" in options.parts:
        ours = [peer for peer in peers if peer in (Plain, Accelerated)]
        growth = {axis: grow(axis, ours, options.quick) for axis in AXES}
        print("\n## Growth of the time: the exponent, from one size to the next\n")
        print_table(
            ["", "sizes", *(peer.name for peer in ours)],
            [[axis, *growth[axis].summary()] for axis in AXES],
        )
    draw(steps, growth, options.picture)
    print(f"\npicture: {options.picture}")


def time_steps(workload: Workload, peers: Sequence[type[Peer]], repetitions: int) -> Times:
    """Return the median microseconds of a step, by peer, measured in turn."""
    check_losses(workload, peers)
    X, y = workload.data()
    trainings = {peer.name: peer(workload, X, y) for peer in peers}
    works: dict[str, Callable[[], object]] = {
        name: lambda training=training: training.train(EPOCHS)  # type: ignore[misc]
        for name, training in trainings.items()
    }
    seconds = in_turn(works, repetitions)
    return {name: value / EPOCHS / workload.batches * 1e6 for name, value in seconds.items()}


def check_losses(workload: Workload, peers: Sequence[type[Peer]]) -> None:
    """Raise unless all have the same loss after the same steps from the same weights."""
    few = replace(workload, batches=min(workload.batches, CHECKED_BATCHES))
    X, y = few.data()
    losses = {peer.name: peer(few, X, y).train(3, shuffle=False) for peer in peers}
    found = {name: loss for name, loss in losses.items() if loss is not None}
    if found and max(found.values()) - min(found.values()) > 1e-3 * max(found.values()):
        raise RuntimeError(f"{workload.name}: not the same arithmetic, the losses are {found}")


def in_turn(works: dict[str, Callable[[], object]], repetitions: int) -> Times:
    """Return the median seconds of each, all of them measured once in every round."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(repetitions + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if round_:  # the first is to warm up
                measured[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in measured.items()}


def print_steps(steps: dict[str, Times]) -> None:
    """Print the times, and those of each peer divided by ours."""
    peers = list(next(iter(steps.values())))
    print("\n## A training step, in microseconds\n")
    print_table(["", *peers], [[name, *times.values()] for name, times in steps.items()])
    for ours in (Plain.name, Accelerated.name):
        others = [name for name in peers if name not in (Plain.name, Accelerated.name)]
        if ours in peers and others:
            print(f"\n## How many times as long as {ours} each takes\n")
            print_table(
                ["", *others],
                [
                    [workload, *(f"{times[name] / times[ours]:.2f}" for name in others)]
                    for workload, times in steps.items()
                ],
            )


def print_predictions(peers: Sequence[type[Peer]], repetitions: int) -> None:
    """Print how long the answers for one and for many samples take."""
    workload = replace(WORKLOADS[3], batches=157)
    X, y = workload.data()
    rows = []
    trained = {peer.name: peer(workload, X, y) for peer in peers if peer is not Products}
    for samples, calls in ((1, 100), (10_000, 3)):
        some = X[:samples]

        def predict(peer: Peer, some: object = some, calls: int = calls) -> None:
            for _ in range(calls):
                peer.predict(some)  # type: ignore[arg-type]

        works: dict[str, Callable[[], object]] = {
            name: lambda peer=peer: predict(peer)  # type: ignore[misc]
            for name, peer in trained.items()
        }
        seconds = in_turn(works, repetitions)
        rows.append([f"{samples:,}", *(value / calls * 1e6 for value in seconds.values())])
    print("\n## Predictions of MNIST 784-128-64-10, in microseconds\n")
    print_table(["samples", *trained], rows)


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    texts = [[f"{cell:,.0f}" if isinstance(cell, float) else str(cell) for cell in r] for r in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    for line in (list(head), ["-" * width for width in widths], *texts):
        print("| " + " | ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) + " |")


def draw(steps: dict[str, Times], growth: dict[str, Growth], path: Path) -> None:
    """Draw what was measured: the steps, a group of bars for each workload; below, the growth."""
    figure = plt.figure(figsize=(13, 9 if steps and growth else 5), layout="constrained")
    halves = iter(figure.subfigures(bool(steps) + bool(growth) or 1, 1, squeeze=False)[:, 0])
    if steps:
        draw_steps(steps, next(halves).subplots())
    if growth:
        for each, axes in zip(growth.values(), next(halves).subplots(1, len(growth)), strict=True):
            each.draw(axes)
    figure.savefig(path, dpi=120)


def draw_steps(steps: dict[str, Times], axes: Axes) -> None:
    """Draw each peer's time beside the others', in units of ours."""
    for i, times in enumerate(steps.values()):
        unit = times.get(Accelerated.name) or min(times.values())
        places = [i + 0.85 * j / len(times) for j in range(len(times))]
        colours = [f"C{j}" for j in range(len(times))]
        labels = list(times) if i == 0 else ["_"] * len(times)
        heights = [value / unit for value in times.values()]
        axes.bar(places, heights, 0.8 / len(times), color=colours, label=labels)
    names = [name.replace(", ", "\n").replace(" ", "\n", 1) for name in steps]
    axes.set_xticks([i + 0.35 for i in range(len(steps))], names)
    axes.set(yscale="log", ylim=(0.1, None), ylabel="time of a step, dinputs accelerated = 1")
    axes.set_title("Lower is faster")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.legend(ncols=5, loc="upper right")


if __name__ == "__main__":
    main()
