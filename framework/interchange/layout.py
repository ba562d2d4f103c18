"""How the axes of another program's arrays lie in ours.

ONNX and PyTorch have the channels of an image before its rows and columns, we have them last; and
what they flatten goes through the channels first. So a value of theirs and the same one of ours
are described side by side, by parts such as height, width and channels that they have in common:

    theirs  (channels) (height) (width)     ours  (height) (width) (channels)      an image
    theirs  (channels height width)         ours  (height width channels)          flattened

Turning axes and reshaping there only changes the description. The weights of a layer that takes
the value are put into our order (``order``), or else the value is (``moves``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias

import numpy as np

from optimizers.arrays import Array

# A size is None where it is not known.
Sizes: TypeAlias = tuple[int | None, ...]
# To reshape to these sizes, or to put axes at these positions, counted without the samples.
Move: TypeAlias = tuple[Literal["reshape", "permute"], Sizes]


class Part:
    """A part of an axis that stays together, such as the height of an image."""

    def __init__(self, size: int | None) -> None:
        self.size = size

    def __repr__(self) -> str:
        return f"Part({self.size})"


# An axis is the parts that it goes through, the last going fastest; of length 1, it has none.
Axis: TypeAlias = tuple[Part, ...]
Axes: TypeAlias = tuple[Axis, ...]


def axes_of(sizes: Sequence[int | None]) -> Axes:
    """Return new axes of these sizes."""
    return tuple(() if size == 1 else (Part(size),) for size in sizes)


def joined(axes: Sequence[Axis]) -> Axis:
    """Return one axis that goes through all of ``axes``."""
    return tuple(chain.from_iterable(axes))


def size_of(axis: Axis) -> int | None:
    """Return the length of ``axis``, None if it is not known."""
    sizes = [part.size for part in axis if part.size is not None]
    return math.prod(sizes) if len(sizes) == len(axis) else None


def sizes_of(axes: Sequence[Axis]) -> Sizes:
    """Return the length of each axis, None where not known."""
    return tuple(map(size_of, axes))


@dataclass(frozen=True)
class Layout:
    """The axes of a sample, in our order and in theirs. Both have the same parts."""

    ours: Axes
    theirs: Axes

    @property
    def turned(self) -> Layout:
        """The same with the sides exchanged."""
        return Layout(self.theirs, self.ours)

    def reshaped(self, sizes: Sequence[int | None]) -> Layout:
        """Return the layout after they have reshaped a sample to ``sizes``.

        One size can be None, for all that is left.

        Raises ValueError where an axis would begin or end inside a part that cannot be divided
        there, and for another number of values.
        """
        rest, splits = deque(joined(self.theirs)), dict[Part, Axis]()
        gap = sizes.index(None) if None in sizes else len(sizes)
        if len(sizes) == 1 and size_of(tuple(rest)) in (None, *sizes):
            gap = 0
        try:
            first = [_take(rest, size, splits) for size in sizes[:gap]]
            last = [_take(rest, size, splits, from_end=True) for size in sizes[:gap:-1]]
            if gap == len(sizes) and rest:
                raise ValueError
        except ValueError:
            shapes = f"{sizes_of(self.theirs)} to {tuple(sizes)}"
            raise ValueError(f"samples cannot be reshaped from {shapes}") from None
        middle = [tuple(rest)] if gap < len(sizes) else []
        return Layout(_split(self.ours, splits), _split((*first, *middle, *last[::-1]), splits))


def order(source: Axis, target: Axis, length: int) -> Array:
    """Return the positions in ``source`` that the values along ``target`` are at.

    Both have the same parts, and ``length`` is theirs. ``values[order(...)]`` has the values in
    the order of ``target``.

    Raises ValueError if too many sizes are not known, or the length is another.
    """
    runs = _runs(source, target)
    sizes = [size_of(run) for run in runs]
    known = math.prod(size for size in sizes if size is not None)
    if sizes.count(None) > 1 or length % known or (None not in sizes and length != known):
        raise ValueError(f"its numbers are for {length} values, where there are {size_of(source)}")
    lengths = [length // known if size is None else size for size in sizes]
    positions = [target.index(run[0]) for run in runs]
    return np.arange(length).reshape(lengths).transpose(np.argsort(positions)).reshape(-1)


def moves(present: Axes, wanted: Axes) -> Iterator[Move]:
    """Yield how an array with the axes ``present`` gets those ``wanted``, which have its parts.

    Raises ValueError if a size that this needs is not known.
    """
    parts = joined(wanted)
    if joined(present) != parts:
        axes = _permutation(present, wanted)
        if axes is not None:
            yield "permute", axes
            return
        single = tuple((part,) for part in joined(present))
        if present != single:
            yield "reshape", _known(sizes_of(single))
        yield "permute", tuple(single.index((part,)) for part in parts)
        present = tuple((part,) for part in parts)
    if present != wanted:
        yield "reshape", _known(sizes_of(wanted))


def _permutation(present: Axes, wanted: Axes) -> tuple[int, ...] | None:
    """Return where the axes ``wanted`` are among those ``present``, None if they are others."""
    left = dict(enumerate(present))
    found: list[int] = []
    for axis in wanted:
        same = [position for position, one in left.items() if one == axis]
        if not same:
            return None
        found.append(same[0])
        del left[same[0]]
    return None if left else tuple(found)


def _known(sizes: Sizes) -> Sizes:
    if len(sizes) > 1 and sizes.count(None) > 1:
        raise ValueError(
            "the sizes of its inputs have to be known: declare them in the file, or give a shape"
        )
    return sizes


def _take(
    rest: deque[Part], size: int | None, splits: dict[Part, Axis], from_end: bool = False
) -> Axis:
    """Take an axis of this ``size`` from one end of ``rest``, and split a part if need be."""
    taken: deque[Part] = deque()
    while size != 1:
        part = (rest.pop() if from_end else rest.popleft()) if rest else None
        if part is None or part.size is None or size is None:
            raise ValueError
        if size % part.size:
            if part.size % size:
                raise ValueError
            inner, outer = Part(size), Part(part.size // size)
            splits[part] = (outer, inner) if from_end else (inner, outer)
            (rest.append if from_end else rest.appendleft)(outer)
            part = inner
        (taken.appendleft if from_end else taken.append)(part)
        size //= part.size or 1
    return tuple(taken)


def _split(axes: Axes, splits: dict[Part, Axis]) -> Axes:
    """Return ``axes`` with each part that was split replaced by its parts, at any depth."""

    def parts(part: Part) -> Axis:
        return joined([parts(inner) for inner in splits[part]]) if part in splits else (part,)

    return tuple(joined([parts(part) for part in axis]) for axis in axes)


def _runs(source: Axis, target: Axis) -> list[Axis]:
    """Divide ``source`` into the longest runs of parts that ``target`` has in a row too."""
    runs: list[list[Part]] = []
    for part in source:
        before = target[target.index(part) - 1] if target.index(part) else None
        if runs and runs[-1][-1] is before:
            runs[-1].append(part)
        else:
            runs.append([part])
    return [tuple(run) for run in runs]
