"""How fast dinputs is, beside what else one would take: a table and a picture.

    python -m benchmarks.compare [--quick] [--repetitions N] [--peers NAME …] [--parts PART …]
                                 [--workloads I …] [--picture FILE]
    python -m benchmarks.compare --operations [--repetitions N]
    python -m benchmarks.compare --images [--quick] [--repetitions N]

See ``README.md`` for what is measured and how to read it.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib

from benchmarks.footprint import footprints
from benchmarks.growth import AXES, Growth, grow
from benchmarks.image_networks import tables
from benchmarks.operations import NETWORKS, PACKAGES, class_names, ratios
from benchmarks.peers import PEERS, Accelerated, Arithmetic, Peer, Plain, Products, installed
from benchmarks.turns import Training, busy_program, in_turn, trainings
from benchmarks.workloads import WORKLOADS, Workload

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import SubFigure

PARTS = ("steps", "busy", "prediction", "footprint", "growth")
Times = dict[str, float]

# A measurement is of a few epochs, so that what a call does once does not weigh too much.
EPOCHS = 3
# What compiles takes longer than all the rest, which --quick has no time for.
NOT_QUICK = ("torch.compile",)
QUICK_WORKLOADS = (1, 4)


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options with the classes of ``peers`` and the ``workloads`` that they stand for.

    What cannot be measured, or written, ends the program before anything is measured.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [peer.name for peer in PEERS]
    parser.add_argument("--quick", action="store_true", help="a short pass, to see that it runs")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="at least 1 (7)")
    parser.add_argument("--peers", nargs="+", choices=names, metavar="NAME", default=names)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--workloads",
        type=int,
        nargs="+",
        choices=range(1, len(WORKLOADS) + 1),
        metavar="I",
        help=f"by number, 1 to {len(WORKLOADS)}",
    )
    parser.add_argument(
        "--operations",
        action="store_true",
        help="only accelerated beside plain, for every activation, loss and optimizer",
    )
    parser.add_argument(
        "--images", action="store_true", help="only steps of convolutional networks"
    )
    parser.add_argument("--picture", type=Path, default=Path("benchmark.png"), metavar="FILE")
    options = parser.parse_args(arguments)
    if options.repetitions < 1:
        parser.error(f"--repetitions must be at least 1, received {options.repetitions}")
    if not options.picture.resolve().parent.is_dir():
        parser.error(f"--picture {options.picture}: there is no folder {options.picture.parent}")
    peers = [peer for peer in PEERS if peer.name in options.peers]
    numbers = options.workloads or range(1, len(WORKLOADS) + 1)
    if options.quick:
        options.repetitions = 1
        numbers = options.workloads or QUICK_WORKLOADS
        peers = [peer for peer in peers if peer.name not in NOT_QUICK]
        if not peers:
            parser.error(f"--quick leaves out {', '.join(NOT_QUICK)}: name another peer")
    options.peers = installed(peers)
    if not options.peers:
        parser.error("none of these peers is installed")
    options.workloads = [WORKLOADS[i - 1] for i in numbers]
    if options.quick:
        if any(workload.batches == 1 for workload in options.workloads):
            parser.error(f"--quick has no time for {WORKLOADS[-1].name}")
        options.workloads = [replace(w, batches=min(w.batches, 5)) for w in options.workloads]
    return options


def main() -> None:
    """Measure what was asked for, print the tables and draw the picture."""
    options = options_of()
    if options.operations:
        print("\n## A step, accelerated divided by plain\n")
        head = ["", "", *(network.name for network in NETWORKS)]
        longest = max((name for m in PACKAGES.values() for name in class_names(m)), key=len)
        widths = [max(map(len, PACKAGES)), len(longest), *map(len, head[2:])]
        print_rows([head, ["-" * width for width in widths]], widths)
        print_rows(ratios(options.repetitions), widths)
        return
    if options.images:
        head = ["", "microseconds", "ratio", "training, MB", "process, MB"]
        for name, rows in tables(options.repetitions, 0.1 if options.quick else 1.5):
            print(f"\n## A training step of {name}\n")
            print_table(head, rows)
        return
    peers, workloads, repetitions = options.peers, options.workloads, options.repetitions
    if options.quick:
        print(
            f"a short pass: {', '.join(workload.name for workload in workloads)}, of 5 batches "
            f"each; without {', '.join(NOT_QUICK)}, the footprint of other libraries and large "
            "sizes; every figure from a single repetition, so none of them is to be trusted"
        )

    steps: dict[str, Times] = {}
    growth: dict[str, Growth] = {}
    if "steps" in options.parts:
        for workload in workloads:
            steps[workload.name] = time_steps(workload, peers, repetitions)
        print_steps(steps)
    if "busy" in options.parts and Accelerated in peers:
        print_busy(workloads, repetitions)
    if "prediction" in options.parts:
        print_predictions(peers, repetitions)
    ours = [peer for peer in peers if peer in (Plain, Accelerated)]
    if "footprint" in options.parts:
        shown = ours if options.quick else peers
        print("\n## A process that imports, and trains MNIST 784-128-64-10 for an epoch\n")
        print_table(["", "import, seconds", "peak memory, MB"], footprints(shown, repetitions))
    if "growth" in options.parts and ours:
        growth = {axis: grow(axis, ours, options.quick) for axis in AXES}
        print("\n## Growth of the time: the exponent, from one size to the next\n")
        print_table(
            ["", "sizes", *(peer.name for peer in ours)],
            [[axis, *growth[axis].summary()] for axis in AXES],
        )
    if steps or growth:
        draw(steps, growth, options.picture)
        print(f"\npicture: {options.picture}")


def time_steps(workload: Workload, peers: Sequence[type[Peer]], repetitions: int) -> Times:
    """Return the median microseconds of a step, by peer, measured in turn."""
    with trainings([peer.name for peer in peers], workload) as started:
        check_losses(workload, started)
        return step_times(workload, {each.name: each for each in started}, repetitions)


def step_times(workload: Workload, started: dict[str, Training], repetitions: int) -> Times:
    """Return the median microseconds of a step of each training, by its name here."""
    works = {name: partial(training.train, EPOCHS) for name, training in started.items()}
    seconds = in_turn(works, repetitions)
    return {name: value / EPOCHS / workload.batches * 1e6 for name, value in seconds.items()}


def check_losses(workload: Workload, started: Sequence[Training]) -> None:
    """Raise unless all have the same loss after the same steps from the same weights."""
    losses = {training.name: training.loss() for training in started}
    found = {name: loss for name, loss in losses.items() if loss is not None}
    if found and max(found.values()) - min(found.values()) > 1e-3 * max(found.values()):
        raise RuntimeError(f"{workload.name}: not the same arithmetic, the losses are {found}")


def print_busy(workloads: Sequence[Workload], repetitions: int) -> None:
    """Print how long accelerated steps take while another program is busy on one core."""
    single = {"OPENBLAS_NUM_THREADS": "1"}
    head = ["", "alone", "one thread", "beside another", "one thread", "ratio, alone", "beside"]
    rows: list[list[object]] = []
    for workload in workloads:
        with (
            trainings([Accelerated.name], workload) as (several,),
            trainings([Accelerated.name], workload, single) as (one,),
        ):
            both = {"several": several, "one": one}
            alone = step_times(workload, both, repetitions)
            with busy_program():
                beside = step_times(workload, both, repetitions)
        times = [alone["several"], alone["one"], beside["several"], beside["one"]]
        ratios = [f"{times[2] / times[n]:.2f}" for n in (1, 3)]
        rows.append([workload.name, *times, *ratios])
    print("\n## A step of dinputs accelerated while another program is busy on one core\n")
    print_table(head, rows)


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
    names = [peer.name for peer in peers if peer not in (Arithmetic, Products)]
    rows: list[list[object]] = []
    with trainings(names, workload) as started:
        for samples, calls in ((1, 100), (10_000, 3)):
            works = {each.name: partial(each.predict, samples, calls) for each in started}
            seconds = in_turn(works, repetitions)
            rows.append([f"{samples:,}", *(value / calls * 1e6 for value in seconds.values())])
    print("\n## Predictions of MNIST 784-128-64-10, in microseconds\n")
    print_table(["samples", *names], rows)


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    texts = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    print_rows([head, ["-" * width for width in widths], *texts], widths)


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 10 else f"{cell:.1f}"
    return str(cell)


def print_rows(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> None:
    """Print rows of a table in Markdown, each at once."""
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("| " + " | ".join(cells) + " |", flush=True)


def draw(steps: dict[str, Times], growth: dict[str, Growth], path: Path) -> None:
    """Draw what was measured: the steps, a group of bars for each workload; below, the growth."""
    figure = plt.figure(figsize=(13, 9 if steps and growth else 5), layout="constrained")
    halves = iter(figure.subfigures(bool(steps) + bool(growth), 1, squeeze=False)[:, 0])
    if steps:
        draw_steps(steps, next(halves))
    if growth:
        plots = next(halves).subplots(1, len(growth), squeeze=False)[0]
        for each, axes in zip(growth.values(), plots, strict=True):
            each.draw(axes)
    figure.savefig(path, dpi=120)


def draw_steps(steps: dict[str, Times], figure: SubFigure) -> None:
    """Draw each peer's time beside the others', in units of ours."""
    axes = figure.subplots()
    for i, times in enumerate(steps.values()):
        unit = times.get(Accelerated.name) or min(times.values())
        places = [i + 0.85 * j / len(times) for j in range(len(times))]
        colours = [f"C{j}" for j in range(len(times))]
        labels = list(times) if i == 0 else ["_"] * len(times)
        heights = [value / unit for value in times.values()]
        axes.bar(places, heights, 0.8 / len(times), color=colours, label=labels)
    names = [name.replace(", ", "\n").replace(" ", "\n", 1) for name in steps]
    peers = next(iter(steps.values()))
    unit_name = Accelerated.name if Accelerated.name in peers else "the fastest"
    middle = 0.425 * (len(peers) - 1) / len(peers)
    axes.set_xticks([i + middle for i in range(len(steps))], names)
    axes.set(yscale="log", ylabel=f"time of a step, {unit_name} = 1", title="Lower is faster")
    axes.axhline(1, color="black", linewidth=0.8)
    figure.legend(ncols=5, loc="outside lower center")  # below, where no bar can be


if __name__ == "__main__":
    main()
