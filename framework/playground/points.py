"""The points of an experiment: generated, drawn or read; to train on, and to test on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from framework.playground.settings import DataSettings
from framework.playground.sources import SOURCES
from optimizers.arrays import Array


@dataclass(frozen=True)
class Points:
    """Points, each with its class or its value.

    Attributes:
        X: ``(points, columns)``, float64.
        y: classes ``(points,)``, or values ``(points, 1)``.
        columns: a name for each column of ``X``.
        class_names: a name for each class; None for values.
    """

    X: Array
    y: Array
    columns: tuple[str, ...]
    class_names: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def has_classes(self) -> bool:
        """Whether each point has a class, and not a value."""
        return self.class_names is not None

    @property
    def in_plane(self) -> bool:
        """Whether a point is a pair of coordinates, of which other features can be made."""
        return self.X.shape[1] == 2

    def take(self, rows: Array) -> Points:
        """Return some of the points."""
        return replace(self, X=self.X[rows], y=self.y[rows])

    def with_points(self, X: Array, y: Array) -> Points:
        """Return the points and more, with their classes or values ``(points,)``."""
        added = y.astype(self.y.dtype).reshape(len(X), *self.y.shape[1:])
        names = self.class_names
        if names is not None and (y == len(names)).any():
            names = (*names, str(len(names)))
        return Points(np.vstack([self.X, X]), np.concatenate([self.y, added]), self.columns, names)

    def and_points(self, other: Points) -> Points:
        """Return these points, and others of the same kind behind them."""
        X, y = np.vstack([self.X, other.X]), np.concatenate([self.y, other.y])
        return replace(self, X=X, y=y)


@dataclass(frozen=True)
class Split:
    """The points to train on, and those to test on, of which there may be none."""

    train: Points
    test: Points


def split_of(settings: DataSettings, own: Points | None = None) -> Split:
    """Return the points of an experiment.

    Generated ones get their noise and are shuffled; the first ``test_percent`` are for testing. Of
    one's own, in their order, every so many-th is.
    """
    if own is not None:
        chosen = is_for_testing(len(own), settings.test_percent)
        return Split(own.take(~chosen), own.take(chosen))
    source = SOURCES[settings.source]
    arguments = source.arguments(settings.samples, settings.classes)
    X, y = source.make(*arguments, seed=settings.seed)
    generator = np.random.default_rng(settings.seed)
    classes = y.ndim == 1
    if classes:
        X = X + settings.noise * generator.normal(size=X.shape)
    else:
        y = y + settings.noise * generator.normal(size=y.shape)
    order = generator.permutation(len(X))
    names = tuple(map(str, range(int(y.max()) + 1))) if classes else None
    columns = ("x", "y") if X.shape[1] == 2 else ("x",)
    y = y.astype(np.intp) if classes else y
    points = Points(np.asarray(X, np.float64)[order], y[order], columns, names)
    tested = len(X) * settings.test_percent // 100
    return Split(points.take(np.arange(tested, len(X))), points.take(np.arange(tested)))


def is_for_testing(count: int, percent: int) -> Array:
    """Return which of ``count`` points are tested on: evenly spread, the last of each group."""
    return np.diff(np.arange(count + 1) * percent // 100).astype(bool)
