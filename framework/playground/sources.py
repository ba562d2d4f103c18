"""The generated sets of points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import datasets
from optimizers.arrays import Array


@dataclass(frozen=True)
class Source:
    """A generated set of points.

    Attributes:
        make: a function of ``datasets``.
        takes_classes: whether the function is told how many classes to make.
    """

    make: Callable[..., tuple[Array, Array]]
    takes_classes: bool = False

    def arguments(self, samples: int, classes: int) -> tuple[int, ...]:
        """Return the positional arguments of ``make``; its seed is given by name."""
        return (samples, classes) if self.takes_classes else (samples,)


SOURCES: dict[str, Source] = {
    "spiral": Source(datasets.spiral_data, takes_classes=True),
    "circle": Source(datasets.circle_data, takes_classes=True),
    "xor": Source(datasets.xor_data),
    "gaussian": Source(datasets.gaussian_data, takes_classes=True),
    "moons": Source(datasets.moons_data),
    "bands": Source(datasets.vertical_data, takes_classes=True),
    "sine": Source(datasets.sine_data),
    "plane": Source(datasets.plane_data),
}
