"""How the time of an epoch grows with the samples, and that of a batch with width and depth."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers import Peer
from benchmarks.workloads import Workload

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES: dict[str, tuple[int, ...]] = {
    "samples": (1_000, 10_000, 100_000, 1_000_000),
    "width": (16, 64, 256, 1024, 4096),
    "depth": (1, 2, 4, 8, 16, 32, 64),
}


@dataclass
class Growth:
    """The seconds of an epoch, or for width and depth of a batch, at each size, by peer."""

    axis: str
    sizes: Sequence[int]
    seconds: dict[str, list[float]]

    def exponents(self, name: str) -> list[float]:
        """Return p of ``seconds ~ size^p`` between neighbouring sizes."""
        slopes = np.diff(np.log(self.seconds[name])) / np.diff(np.log(self.sizes))
        return [float(slope) for slope in slopes]

    def summary(self) -> list[str]:
        """Return the sizes, and for each peer the exponents, as text."""
        texts = [" ".join(f"{p:.2f}" for p in self.exponents(name)) for name in self.seconds]
        return [" ".join(f"{size:,}" for size in self.sizes), *texts]

    def draw(self, axes: "Axes") -> None:
        """Draw both logarithmically, with the exponent of the last step in the legend."""
        for name, seconds in self.seconds.items():
            label = f"{name}: {self.exponents(name)[-1]:.2f}"
            axes.loglog(self.sizes, seconds, marker="o", label=label)
        unit = "epoch" if self.axis == "samples" else "batch"
        axes.set(xlabel=self.axis, ylabel=f"seconds per {unit}")
        axes.set_xticks(self.sizes, [f"{size:,}" for size in self.sizes])
        axes.minorticks_off()
        axes.legend(loc="upper left", title="exponent at last")
        bottom, top = axes.get_ylim()
        axes.set_ylim(bottom, top * (top / bottom) ** 0.4)  # room for the legend


def workload_of(axis: str, size: int) -> Workload:
    """A network and an epoch in which ``axis`` has this ``size``."""
    if axis == "samples":
        return Workload(axis, (2, 64, 3), 125, size // 125)
    if axis == "width":
        return Workload(axis, (64, size, size, 10), 128, 8 if size < 4096 else 2)
    return Workload(axis, (64,) * (size + 1) + (10,), 128, 32)


def grow(axis: str, peers: Sequence[type[Peer]], quick: bool) -> Growth:
    """Measure the peers in turn at each size of ``axis``, the first few only if ``quick``."""
    sizes = AXES[axis][:2] if quick else AXES[axis]
    seconds: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for size in sizes:
        workload = workload_of(axis, size)
        X, y = workload.data()
        trainings = [peer(workload, X, y) for peer in peers]
        measured: list[list[float]] = [[] for _ in peers]
        for _ in range(2 if quick else 4):
            for training, times in zip(trainings, measured, strict=True):
                started = time.perf_counter()
                training.train(1)
                times.append((time.perf_counter() - started) / workload.batches)
        batches = workload.batches if axis == "samples" else 1
        for peer, times in zip(peers, measured, strict=True):
            seconds[peer.name].append(statistics.median(times[1:]) * batches)
    return Growth(axis, sizes, seconds)
