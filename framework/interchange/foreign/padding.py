"""Padding of images and sequences: as the argument of a layer, or as a layer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from framework.interchange.assembly import Assembly
from framework.interchange.layout import Layout, sizes_of
from framework.layers import ZeroPadding2D
from framework.layers.windows import Margins, Padding, Windows


def margins_of(pads: Sequence[int] | None, axes: int) -> Margins:
    """Return the padding before and after each axis, from ONNX's list of all before, all after.

    Raises ValueError for negative numbers, which cut values off.
    """
    numbers = [int(number) for number in pads or [0] * 2 * axes]
    if len(numbers) != 2 * axes or min(numbers) < 0:
        raise ValueError(f"padding by {numbers}, where {2 * axes} numbers from 0 were expected")
    return list(zip(numbers[:axes], numbers[axes:], strict=True))


def lower_margins(windows: Windows, lengths: Sequence[int | None]) -> Margins:
    """Return the padding of "same" with its larger half before each axis, as in SAME_LOWER.

    Raises ValueError if it depends on lengths that are not known.
    """
    margins = same_margins(windows, lengths)
    if margins is None:
        raise ValueError("padding by the size of the images, which is not known")
    return [(after, before) for before, after in margins]


def same_margins(windows: Windows, lengths: Sequence[int | None]) -> Margins | None:
    """Return the padding of "same", None if it depends on lengths that are not known."""
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        if set(windows.stride) != {1}:
            return None
        known = [1] * len(lengths)
    return list(replace(windows, padding="same").margins(known))


def padding_of(
    windows: Windows, margins: Margins, lengths: Sequence[int | None], names: Sequence[str]
) -> Padding | None:
    """Return the argument ``padding`` that gives these margins, None if there is none.

    Args:
        windows: with any padding.
        lengths: of the axes of the inputs.
        names: the names that the argument can have.
    """
    if not any(map(any, margins)):
        return "valid"
    if all(before == after for before, after in margins):
        return shortest([before for before, _ in margins])
    if "same" in names and list(margins) == same_margins(windows, lengths):
        return "same"
    if "causal" in names and list(margins) == [(extent - 1, 0) for extent in windows.extents]:
        return "causal"
    return None


def add_zero_padding(assembly: Assembly, margins: Margins) -> None:
    """Add zeros around the axes of a sample, given for each of their axes.

    Raises ValueError for anything but images and sequences, and for padding of their channels.
    """
    padded = [axis for axis, both in enumerate(margins) if any(both)]
    if not padded:
        return
    axes = len(margins) - 1
    last = assembly.layout.ours[-1]
    free = [axis for axis in range(len(margins)) if axis not in padded]
    channels = [axis for axis in free if assembly.layout.theirs[axis] == last] or free
    if axes not in (1, 2) or not free:
        raise ValueError(f"padding of {len(padded)} of {axes + 1} axes, channels among them")
    assembly.images(axes, channels[0])
    chosen = [both for axis, both in enumerate(margins) if axis != channels[0]]
    if axes == 1:
        _pad_sequences(assembly, chosen[0], channels[0])
    else:
        assembly.add_windows(ZeroPadding2D(_border(chosen)), channels=channels[0])


def _pad_sequences(assembly: Assembly, both: tuple[int, int], channels: int) -> None:
    """Pad sequences as images of one column, unless a convolution comes next, which can do it."""
    before = assembly.copy()
    steps, depth = assembly.layout.ours
    assembly.arrange([steps, (), depth])
    their_depth = assembly.layout.theirs[channels]
    assembly.relabel([assembly.layout.theirs[1 - channels], (), their_depth])
    assembly.add_windows(ZeroPadding2D((both, (0, 0))), channels=2)
    padded = assembly.layout.ours[0]
    theirs = (their_depth, padded) if channels == 0 else (padded, their_depth)
    assembly.layout = Layout((padded, (), depth), theirs)
    assembly.unpadded = assembly.last, before, both


def without_padding(assembly: Assembly) -> tuple[Assembly, tuple[int, int]]:
    """Return the assembly before a padding of sequences that was added last, and this padding.

    If there is none, or they do not have the channels first, the assembly itself and no padding.
    """
    theirs = assembly.layout.theirs
    if assembly.unpadded is not None and len(theirs) == 2:
        operation, before, both = assembly.unpadded
        steps, channels = before.layout.ours
        if assembly.last is operation and theirs[0] == channels:
            unpadded = before.copy()
            unpadded.relabel([channels, steps])
            return unpadded, both
    return assembly, (0, 0)


def lengths_of(assembly: Assembly) -> list[int | None]:
    """Return the lengths of the axes of our images or sequences."""
    return list(sizes_of(assembly.layout.ours)[:-1])


def shortest(sizes: Sequence[int]) -> Any:
    """Return one number where all are the same, for an argument such as ``kernel_size``."""
    numbers = tuple(int(size) for size in sizes)
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _border(margins: Margins) -> Any:
    if all(before == after for before, after in margins):
        return shortest([before for before, _ in margins])
    return tuple(margins)
