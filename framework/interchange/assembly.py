"""Operations put together from those of another program, ONNX's or PyTorch's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

from framework.containers import Residual
from framework.interchange.layout import (
    Axes,
    Axis,
    Layout,
    Sizes,
    axes_of,
    joined,
    moves,
    order,
    sizes_of,
)
from framework.layers import Flatten, Permute, Reshape, Scale
from framework.operation import Operation
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names


class ChannelsFirst(Exception):
    """The network takes its data channels first, so ours is to take them channels last."""


class Link(NamedTuple):
    """An operation and the one before it. Copies of an assembly share all but their last ones."""

    before: Link | None
    operation: Operation


class Assembly:
    """The operations so far, and where the axes of the last one's output are in theirs.

    A builder adds operations to it. It says first on which axes they work (``features``,
    ``images``). That brings these to the place where ours has them, by a ``Flatten``, ``Reshape``
    or ``Permute`` where need be. Then ``order`` tells the order that a layer's arrays must have.

    Args:
        sizes: of a sample as the other program takes it, as far as they are known.
        channels_last: whether ours takes the first axis last. If not, ``ChannelsFirst`` is raised
            where the first operation that works on certain axes takes channels from the first.
        samples: how many there are, None for any number.

    Attributes:
        layout: the axes of the output of the last operation.
        parameters: how many numbers the operations are trained with.
        most_parameters: how many there may be. ``append`` raises ValueError for more.
    """

    def __init__(
        self,
        sizes: Sequence[int | None],
        channels_last: bool = False,
        samples: int | None = None,
    ) -> None:
        self.channels_last = channels_last
        self.samples = samples
        self.parameters = 0
        self.most_parameters: int | None = None
        self._last: Link | None = None
        theirs = axes_of(sizes)
        self.layout = Layout((*theirs[1:], theirs[0]) if channels_last else theirs, theirs)
        self.input_sizes = sizes_of(self.layout.ours)
        # Whether an operation has worked on certain axes.
        self.settled = channels_last
        # The axis that was asked for last, in their order and in ours.
        self._asked: tuple[Axis, Axis] = (), ()
        # A padding of sequences, what there was before it, and how much it adds at both ends.
        self.unpadded: tuple[Any, Assembly, tuple[int, int]] | None = None

    def copy(self) -> Assembly:
        """Return an assembly that goes on from here and leaves this one alone."""
        return copy(self)

    def branch(self) -> Assembly:
        """Return one without operations that takes the output of this one."""
        other = copy(self)
        other._last = None
        return other

    def go_back_to(self, other: Assembly) -> None:
        """Make this the same as ``other``."""
        vars(self).update(vars(other))

    @property
    def operations(self) -> list[Operation]:
        """The operations in order."""
        found = []
        link = self._last
        while link is not None:
            found.append(link.operation)
            link = link.before
        return found[::-1]

    @property
    def last(self) -> Operation | None:
        """The last operation."""
        return None if self._last is None else self._last.operation

    def replace_last(self, operation: Operation) -> None:
        """Put ``operation`` in the place of the last one."""
        assert self._last is not None
        self._last = Link(self._last.before, operation)

    def append(self, operation: Operation) -> None:
        """Add one that leaves the axes as they are."""
        for name in parameter_names(operation):
            self.parameters += getattr(operation, name).size
        if self.most_parameters is not None and self.parameters > self.most_parameters:
            raise ValueError(f"the numbers in the file are used for {self.parameters:,} parameters")
        self._last = Link(self._last, operation)

    @property
    def sizes(self) -> Sizes:
        """The sizes of a sample of the output as the other program has it."""
        return sizes_of(self.layout.theirs)

    # What they do with axes alone

    def turn(self, axes: Sequence[int]) -> None:
        """They put the axes of a sample into this order."""
        theirs = self.layout.theirs
        self.relabel(theirs[axis] for axis in axes)

    def relabel(self, theirs: Iterable[Axis]) -> None:
        """They put the axes of a sample into another order, or add or remove some of length 1."""
        self.settled = True
        self.layout = replace(self.layout, theirs=tuple(theirs))

    def reshape(self, sizes: Sequence[int | None]) -> None:
        """They reshape a sample. One of the sizes can be None, for all that is left.

        Raises ValueError if the samples do not have as many values, or sizes are not known.
        """
        self.settled = True
        try:
            self.layout = self.layout.reshaped(sizes)
        except ValueError:
            if None in self.sizes:
                raise
            # The new axes have nothing in common with those before, so ours have to be theirs.
            self.arrange(self.layout.theirs)
            self._reshape(sizes)
            assert self.last is not None
            axes = axes_of(self.last.output_shape(_known(self.sizes)) or ())
            self.layout = Layout(axes, axes)
        # Values in another order than theirs stay where they are until an operation needs them.
        if joined(self.layout.theirs) == joined(self.layout.ours):
            self.arrange(self.layout.theirs)

    # Where ours has its axes

    def arrange(self, ours: Iterable[Axis]) -> None:
        """Give our values these axes, which have the same parts."""
        wanted: Axes = tuple(ours)
        for kind, numbers in moves(self.layout.ours, wanted):
            if kind == "permute":
                self.append(Permute([1 + axis for axis in numbers if axis is not None]))
            else:
                self._reshape(numbers)
        self.layout = replace(self.layout, ours=wanted)

    def _reshape(self, sizes: Sequence[int | None]) -> None:
        shape = [-1 if size is None else size for size in sizes]
        self.append(Flatten() if len(shape) == 1 else Reshape(shape))

    def features(self, *axes: int) -> None:
        """Bring these axes of theirs, together, into our last one."""
        self._settle(axes)
        ours, theirs = self.layout.ours, self.layout.theirs
        asked, present = joined([theirs[axis] for axis in axes]), joined(ours)
        others = tuple(part for part in present if part not in asked)
        last = present[len(others) :]
        if set(last) != set(asked):
            last = asked
            self.arrange([*((part,) for part in others), last])
        elif ours[-1] != last:
            self.arrange([*_first(ours, len(others)), last])
        self._asked = asked, last

    def images(self, axes: int, channels: int = 0) -> None:
        """Bring their axis ``channels`` behind the ``axes`` of an image, which is 1 for sequences.

        Raises ValueError if their samples have another number of axes.
        """
        theirs = self.layout.theirs
        if len(theirs) != axes + 1:
            raise ValueError(f"expected samples of {axes + 1} axes, found {len(theirs)}")
        self._settle([channels])
        others = [axis for axis in range(len(theirs)) if axis != channels % len(theirs)]
        asked, ours = theirs[channels], self.layout.ours[-1]
        last = ours if set(ours) == set(asked) else asked
        self.arrange([*(theirs[axis] for axis in others), last])
        self._asked = asked, last

    def order(self, length: int) -> Array:
        """Return where our features, or channels, are among theirs: ``length`` positions.

        Raises ValueError if there are not as many.
        """
        return order(*self._asked, length)

    def _settle(self, axes: Sequence[int]) -> None:
        count = len(self.layout.theirs)
        if not self.settled and {axis % count for axis in axes} != {*range(count)[-len(axes) :]}:
            raise ChannelsFirst
        self.settled = True

    # Operations

    def add_dense(self, operation: Operation, n_features: int, axis: int = -1) -> None:
        """Add one that turns the features, their ``axis``, into ``n_features`` others."""
        self.append(operation)
        (after,) = axes_of([n_features])
        theirs = list(self.layout.theirs)
        theirs[axis] = after
        self.layout = Layout((*self.layout.ours[:-1], after), tuple(theirs))

    def add_windows(self, operation: Any, n_channels: int | None = None, channels: int = 0) -> None:
        """Add one that gives images other sizes, and ``n_channels`` channels if that is given.

        Raises ValueError if there is nothing left.
        """
        *lengths, depth = sizes_of(self.layout.ours)
        depth = getattr(operation, "n_channels", depth or 1)
        sizes: Sequence[int | None] = [None] * len(lengths)
        if None not in lengths:
            sizes = operation.output_shape((*lengths, depth))[: len(lengths)]
        self.append(operation)
        images, ours, theirs = axes_of(sizes), self.layout.ours[-1], self.layout.theirs[channels]
        if n_channels is not None:
            (ours,) = (theirs,) = axes_of([n_channels])
        place = channels % (len(images) + 1)
        self.layout = Layout((*images, ours), (*images[:place], theirs, *images[place:]))

    def add_pooled(self, operation: Operation, theirs: Sequence[Axis]) -> None:
        """Add one that leaves nothing but the channels, which they have in these axes."""
        self.append(operation)
        self.layout = Layout(self.layout.ours[-1:], tuple(theirs))

    # The ends

    def add_sum(self, one: Assembly, other: Assembly) -> None:
        """Add the sum of the outputs of two branches, which take the output of this assembly.

        Raises ValueError if these have different shapes.
        """
        if len(one.sizes) != len(other.sizes) or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(one.sizes, other.sizes, strict=True)
        ):
            raise ValueError(f"it adds values of the shapes {one.sizes} and {other.sizes}")
        if _pattern(one.layout) != _pattern(other.layout):
            for branch in (one, other):
                branch.arrange(branch.layout.theirs)
        longer, shorter = sorted((one.operations, other.operations), key=len, reverse=True)
        self.append(Residual(longer, shortcut=shorter) if longer else Scale(2.0))
        self.parameters = one.parameters + other.parameters - self.parameters
        self.layout, self.settled = one.layout, one.settled or other.settled

    def finish(self) -> None:
        """Give our output the order of theirs, or channels last if the data are."""
        first, *others = self.layout.theirs
        self.arrange([*others, first] if self.channels_last else self.layout.theirs)


def _first(axes: Axes, count: int) -> Iterator[Axis]:
    """Yield the axes of the first ``count`` parts of ``axes``."""
    for axis in axes:
        if count:
            yield axis[:count]
            count -= len(axis[:count])


def _pattern(layout: Layout) -> tuple[Any, ...]:
    """Return what two layouts have in common that describe the same order of values."""
    parts = joined(layout.theirs)
    ours = tuple(tuple(map(parts.index, axis)) for axis in layout.ours)
    return sizes_of(layout.ours), ours, tuple(map(len, layout.theirs))


def _known(sizes: Sizes) -> tuple[int, ...]:
    return tuple(size for size in sizes if size is not None)
