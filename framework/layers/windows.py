"""Windows that slide over images and sequences, for convolution and pooling.

Inputs are ``(samples, height, width, channels)`` or ``(samples, steps, channels)``. A window sees,
along each axis between samples and channels, ``size`` values that are ``dilation`` apart; the next
window begins ``stride`` values further on.

There are two ways to use windows, and a convolution takes for each of its products the faster one.
Measured on one core in float32, with 3 × 3 kernels (milliseconds, the best of seven):

| products of a convolution | 64 × 16×16, 16 → 32 | 32 × 34×34, 32 → 32 | 32 × 18×18, 64 → 64 |
|---|---|---|---|
| forward: all columns gathered, one product | 1.4 | 12.3 | 8.1 |
| forward: columns of a few samples at a time | 1.3 | 6.9 | 5.8 |
| forward: a product for each position of the kernel | 2.0 | 8.5 | 7.8 |
| dinputs: one product, added back by position | 2.7 | 25.5 | 10.0 |
| dinputs: as a convolution of ``dvalues`` | 2.1 | 7.7 | 7.4 |
| dinputs: a product for each position, added back | 1.6 | 8.9 | 7.1 |

``columns`` copies the windows of a few samples from a strided view into the rows of a matrix that
stays in the second-level cache. BLAS cannot multiply the view itself, since its rows overlap, and
``np.einsum``, which can, takes eight times as long or more. Columns of all samples are slower,
because they go out to memory and back, and would take nine times the memory of the inputs.
``positions`` goes through the values of a window instead. At each of them, the values that all
windows see are one regularly spaced slice of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from framework.checks import check_count
from optimizers.arrays import Array

# One number for all axes, or one for each.
Sizes: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = str | Sizes
# Values before the first and after the last, for each axis.
Margins: TypeAlias = Sequence[tuple[int, int]]

# Measured: from 0.5 to 2 MB of columns make no difference.
BYTES_OF_COLUMNS = 2**20


@dataclass(frozen=True)
class Windows:
    """How windows slide over the axes between samples and channels.

    Attributes:
        size, stride, dilation: a number for each axis, at least 1.
        padding: "valid" for none; "same" for as many windows as a stride of 1 would take steps,
            ``⌈length / stride⌉``, half of the padding on each side and an odd one at the end, as
            TensorFlow and ONNX's SAME_UPPER split it; "causal" for all of it before the first
            value, so that a window ends at its own step; or a number for each axis, which is put
            on both of its sides.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str | tuple[int, ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """How many values a window reaches over along each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True))

    @property
    def overlap(self) -> bool:
        """Whether windows share values."""
        return any(s < n for s, n in zip(self.stride, self.extents, strict=True))

    def margins(self, lengths: Sequence[int]) -> Margins:
        """Return the padding before and after, for axes of these lengths."""
        if self.padding == "valid":
            return [(0, 0)] * len(lengths)
        if self.padding == "causal":
            return [(extent - 1, 0) for extent in self.extents]
        if self.padding == "same":
            margins = []
            for length, extent, stride in zip(lengths, self.extents, self.stride, strict=True):
                last_start = (math.ceil(length / stride) - 1) * stride
                total = max(last_start + extent - length, 0)
                margins.append((total // 2, total - total // 2))
            return margins
        return [(int(margin), int(margin)) for margin in self.padding]

    def padded_lengths(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Return the lengths of the axes with their padding."""
        return tuple(n + sum(both) for n, both in zip(lengths, self.margins(lengths), strict=True))

    def counts(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Return how many windows there are along each axis, 0 or less where none fits in."""
        axes = zip(self.padded_lengths(lengths), self.extents, self.stride, strict=True)
        return tuple((length - extent) // stride + 1 for length, extent, stride in axes)

    def inside(self, lengths: Sequence[int]) -> Array:
        """Return how many values of each window are no padding, ``(*counts, 1)``.

        For windows without dilation.
        """
        numbers: Array = np.ones(1, np.intp)
        for axis, (length, count, (before, _)) in enumerate(
            zip(lengths, self.counts(lengths), self.margins(lengths), strict=True)
        ):
            start = np.arange(count) * self.stride[axis] - before
            end = start + self.size[axis]
            along_axis = np.minimum(end, length) - np.maximum(start, 0)
            numbers = numbers[..., np.newaxis, :] * along_axis[:, np.newaxis]
        return numbers

    def first_inside(self, lengths: Sequence[int]) -> Array:
        """Return which position of each window is its first that is no padding, ``(*counts, 1)``.

        Positions are numbered in the order of ``positions``.
        """
        numbers: Array = np.zeros(1, np.intp)
        for axis, (count, (before, _)) in enumerate(
            zip(self.counts(lengths), self.margins(lengths), strict=True)
        ):
            skipped = np.maximum(before - np.arange(count) * self.stride[axis], 0)
            skipped = -(-skipped // self.dilation[axis])
            numbers = numbers[..., np.newaxis, :] * self.size[axis] + skipped[:, np.newaxis]
        return numbers

    def columns(self, padded: Array) -> Iterator[tuple[slice, Array]]:
        """Yield the windows of a few samples at a time, each window as a row of numbers.

        Yields a slice of the samples, and ``(windows of these, size · channels)``. The array is
        used again for the next samples.
        """
        windows = self._view(padded)
        count = math.prod(windows.shape[1 : padded.ndim - 1])
        width = math.prod(self.size) * padded.shape[-1]
        few = max(1, BYTES_OF_COLUMNS // max(1, count * width * padded.itemsize))
        # The longer what lies side by side in both, the faster NumPy copies it: with one channel
        # that is a row of windows, and else a row of one window.
        order: Any = "F" if padded.shape[-1] == 1 else "C"
        columns = np.empty((min(few, len(windows)) * count, width), padded.dtype, order=order)
        for start in range(0, len(windows), few):
            chosen = windows[start : start + few]
            gathered = columns[: len(chosen) * count]
            gathered.reshape(chosen.shape)[...] = chosen
            yield slice(start, start + len(chosen)), gathered

    def positions(
        self, counts: Sequence[int]
    ) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Yield each position in a window, and where all windows have it in the padded inputs."""
        for position in np.ndindex(*self.size):
            axes = zip(position, self.dilation, self.stride, counts, strict=True)
            yield (
                position,
                (
                    slice(None),
                    *(slice(p * d, p * d + s * (count - 1) + 1, s) for p, d, s, count in axes),
                ),
            )

    def _view(self, padded: Array) -> Array:
        """Return all windows as a view, ``(samples, *counts, *size, channels)``."""
        axes = tuple(range(1, padded.ndim - 1))
        every = sliding_window_view(padded, self.extents, axis=axes)
        starts = tuple(slice(None, None, stride) for stride in self.stride)
        steps = tuple(slice(None, None, dilation) for dilation in self.dilation)
        chosen = every[(slice(None), *starts, slice(None), *steps)]
        return np.moveaxis(chosen, padded.ndim - 1, -1)


def pad(inputs: Array, margins: Margins, value: float = 0.0) -> Array:
    """Return ``inputs`` with ``value`` around the axes between samples and channels.

    Without margins that is the array itself.
    """
    if not any(map(any, margins)):
        return inputs
    lengths = inputs.shape[1:-1]
    padded_lengths = [n + sum(both) for n, both in zip(lengths, margins, strict=True)]
    padded = np.full((len(inputs), *padded_lengths, inputs.shape[-1]), value, inputs.dtype)
    padded[_within(margins, lengths)] = inputs
    return padded


def crop(padded: Array, margins: Margins) -> Array:
    """Return ``padded`` without its margins: the array itself where there are none."""
    if not any(map(any, margins)):
        return padded
    lengths = [n - sum(both) for n, both in zip(padded.shape[1:-1], margins, strict=True)]
    return padded[_within(margins, lengths)].copy()


def _within(margins: Margins, lengths: Sequence[int]) -> tuple[slice, ...]:
    axes = zip(margins, lengths, strict=True)
    return (slice(None), *(slice(before, before + n) for (before, _), n in axes))


def check_sizes(name: str, value: Any, axes: Sequence[str], minimum: int = 1) -> Sizes:
    """Return a whole number, or a tuple of one for each of ``axes``, as it was given.

    Raises TypeError for anything else, ValueError for a number below ``minimum``.
    """
    if isinstance(value, (tuple, list)):
        if len(value) != len(axes):
            raise ValueError(
                f"{name} must be a whole number or ({', '.join(axes)}), received {value!r}"
            )
        return tuple(check_count(name, number, minimum) for number in value)
    return check_count(name, value, minimum)


def check_padding(value: Any, axes: Sequence[str], names: Sequence[str]) -> Padding:
    """Return one of ``names``, or numbers as ``check_sizes`` does. Raises as that."""
    if isinstance(value, str):
        if value not in names:
            known = ", ".join(map(repr, names))
            raise ValueError(f"padding must be {known} or whole numbers, received {value!r}")
        return value
    return check_sizes("padding", value, axes, minimum=0)


def per_axis(value: Sizes, axes: Sequence[str]) -> tuple[int, ...]:
    """Return a number for each of ``axes``."""
    return value if isinstance(value, tuple) else (value,) * len(axes)


def padding_per_axis(padding: Padding, axes: Sequence[str]) -> str | tuple[int, ...]:
    """Return the name of a padding, or a number for each of ``axes``."""
    return padding if isinstance(padding, str) else per_axis(padding, axes)
