"""Modules of PyTorch that were written so far, and where the axes of our values lie in theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from framework.interchange.layout import (
    Axes,
    Axis,
    Layout,
    axes_of,
    joined,
    moves,
    order,
    sizes_of,
)
from framework.operation import Shape
from optimizers.arrays import Array


class ModuleWriter:
    """The modules so far, in order.

    Args:
        torch: PyTorch.
        dtype: the dtype of the modules, PyTorch's.
        sizes: of a sample of our data, as far as they are known.
        channels_first: whether PyTorch is given the last axis first.
    """

    def __init__(
        self, torch: Any, dtype: Any, sizes: Sequence[int | None], channels_first: bool = False
    ) -> None:
        self.torch, self.dtype = torch, dtype
        self.modules: list[Any] = []
        self.channels_first = channels_first
        ours = axes_of(sizes)
        self.layout = Layout(ours, (ours[-1], *ours[:-1]) if channels_first else ours)

    def branch(self) -> ModuleWriter:
        """Return a writer without modules that takes the output of this one."""
        other = copy(self)
        other.modules = []
        return other

    @property
    def shape(self) -> Shape:
        """The shape of one of our samples, None if some of it is not known."""
        sizes = sizes_of(self.layout.ours)
        known = tuple(size for size in sizes if size is not None)
        return known if len(known) == len(sizes) else None

    # Axes

    def images(self) -> int:
        """Put the channels, our last axis, before the others; return how many these are."""
        *others, channels = self.layout.ours
        theirs = self.layout.theirs
        if theirs[1:] != tuple(others) or set(theirs[0]) != set(channels):
            self._arrange((channels, *others))
        return len(others)

    def features(self) -> None:
        """Put our features, the last axis, last in PyTorch too."""
        ours, theirs = self.layout.ours, list(self.layout.theirs)
        if len(ours) == 1:
            self._arrange((joined(theirs),))
        if set(self.layout.theirs[-1]) == set(ours[-1]):
            return
        same = [axis for axis in theirs if set(axis) == set(ours[-1])]
        if same:
            theirs.remove(same[0])
        self._arrange((*theirs, same[0]) if same else ours)

    def feature_axis(self) -> int:
        """Return which axis of PyTorch has our features, -1 for the last, moved there if need be.

        Axes are counted with that of the samples.
        """
        last = set(self.layout.ours[-1])
        for position, axis in enumerate(self.layout.theirs[:-1], start=1):
            if set(axis) == last:
                return position
        self.features()
        return -1

    def order(self, length: int, axis: int = -1) -> Array:
        """Return where PyTorch's features, or channels with ``axis=0``, are among ours."""
        return order(self.layout.ours[-1], self.layout.theirs[axis], length)

    def _arrange(self, theirs: Axes) -> None:
        """Give PyTorch's values these axes."""
        from framework.pytorch.own_modules import Permute

        nn = self.torch.nn
        present = self.layout.theirs
        for kind, numbers in moves(present, theirs):
            if kind == "permute":
                self.modules.append(Permute([1 + axis for axis in numbers if axis is not None]))
                present = ()
                continue
            if len(present) != 1:
                self.modules.append(nn.Flatten())
            if len(numbers) > 1:
                sizes = tuple(-1 if size is None else size for size in numbers)
                self.modules.append(nn.Unflatten(1, sizes))
        self.layout = Layout(self.layout.ours, theirs)

    def flatten(self) -> None:
        """Our samples become rows."""
        ours, theirs = (joined(self.layout.ours),), self.layout.theirs
        # Values in another order than ours stay where they are until a module needs them.
        if len(theirs) == 1 or joined(theirs) == ours[0]:
            self.modules.append(self.torch.nn.Flatten())
            theirs = (joined(theirs),)
        self.layout = Layout(ours, theirs)

    def reshape(self, sizes: Sequence[int | None]) -> None:
        """Our samples get these sizes; PyTorch's keep theirs until a module needs others."""
        try:
            self.layout = self.layout.turned.reshaped(sizes).turned
        except ValueError:
            self._arrange(self.layout.ours)
            shape = tuple(-1 if size is None else size for size in sizes)
            self.modules += [self.torch.nn.Flatten(), self.torch.nn.Unflatten(1, shape)]
            axes = axes_of(sizes)
            self.layout = Layout(axes, axes)

    def turn(self, axes: Sequence[int]) -> None:
        """The axes of our samples get another order."""
        self.layout = Layout(tuple(self.layout.ours[axis] for axis in axes), self.layout.theirs)

    # Modules

    def add(self, module: Any) -> None:
        """Add a module that leaves the axes as they are."""
        self.modules.append(module.to(self.dtype))

    def add_dense(self, module: Any, n_features: int) -> None:
        """Add one that turns the features into ``n_features`` others."""
        self.add(module)
        (after,) = axes_of([n_features])
        layout = self.layout
        self.layout = Layout((*layout.ours[:-1], after), (*layout.theirs[:-1], after))

    def add_windows(self, module: Any, sizes: Sequence[int | None], n_channels: int | None) -> None:
        """Add one that gives images these sizes, and ``n_channels`` channels if that is given."""
        self.add(module)
        others, ours, theirs = axes_of(sizes), self.layout.ours[-1], self.layout.theirs[0]
        if n_channels is not None:
            (ours,) = (theirs,) = axes_of([n_channels])
        self.layout = Layout((*others, ours), (theirs, *others))

    def add_pooled(self, modules: Iterable[Any]) -> None:
        """Add some that leave only the channels."""
        for module in modules:
            self.add(module)
        self.layout = Layout(self.layout.ours[-1:], self.layout.theirs[:1])

    def add_sum(self, one: ModuleWriter, other: ModuleWriter) -> None:
        """Add the sum of two branches."""
        from framework.pytorch.own_modules import Residual

        if _pattern(one.layout) != _pattern(other.layout):
            for branch in (one, other):
                branch._arrange(branch.layout.ours)
        nn = self.torch.nn
        self.add(Residual(nn.Sequential(*one.modules), nn.Sequential(*other.modules)))
        self.layout = one.layout

    def finish(self) -> None:
        """Give the output our order, or channels first if the data have them first."""
        *others, channels = self.layout.ours
        self._arrange((channels, *others) if self.channels_first else self.layout.ours)


def _pattern(layout: Layout) -> Any:
    """Return what layouts have in common that have the same values at the same places."""
    parts: Axis = joined(layout.ours)
    theirs = tuple(tuple(map(parts.index, axis)) for axis in layout.theirs)
    return sizes_of(layout.theirs), theirs, tuple(map(len, layout.ours))
