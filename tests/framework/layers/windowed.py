"""Windows written another way: one loop over every index, as the formulas have them."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.strategies import Array


def margins(padding: Any, lengths: Any, extents: Any, strides: Any) -> list[tuple[int, int]]:
    """Zeros before and after each axis."""
    found = []
    for axis, (length, extent, stride) in enumerate(zip(lengths, extents, strides, strict=True)):
        if padding == "valid":
            found.append((0, 0))
        elif padding == "causal":
            found.append((extent - 1, 0))
        elif padding == "same":  # tensorflow.org, "Notes on padding"
            needed = extent - stride if length % stride == 0 else extent - length % stride
            found.append((max(needed, 0) // 2, -(-max(needed, 0) // 2)))
        else:
            found.append((each(padding, lengths)[axis],) * 2)
    return found


def each(value: Any, lengths: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * len(lengths)


def windows(
    inputs: Array, size: Any, stride: Any = 1, dilation: Any = 1, padding: Any = "valid"
) -> Iterator[tuple[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]]:
    """Yield each place of the output with what its window sees inside of the inputs.

    That is a list of positions in the kernel and in the inputs.
    """
    lengths = inputs.shape[1:-1]
    size, stride, dilation = (each(value, lengths) for value in (size, stride, dilation))
    extents = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    around = margins(padding, lengths, extents, stride)
    counts = [
        math.floor((length + sum(both) - extent) / s) + 1
        for length, both, extent, s in zip(lengths, around, extents, stride, strict=True)
    ]
    for place in itertools.product(*map(range, counts)):
        seen = []
        for position in itertools.product(*map(range, size)):
            at = tuple(
                i * s + u * d - before
                for i, s, u, d, (before, _) in zip(
                    place, stride, position, dilation, around, strict=True
                )
            )
            if all(0 <= i < length for i, length in zip(at, lengths, strict=True)):
                seen.append((position, at))
        yield place, seen


def filled(places: list[tuple[int, ...]], values: list[Array]) -> Array:
    """Put a value, ``(samples, channels)``, at each place: ``(samples, *places, channels)``."""
    counts = np.max(places, axis=0) + 1
    output = np.full((len(values[0]), *counts, values[0].shape[1]), np.nan)
    for place, value in zip(places, values, strict=True):
        output[(slice(None), *place)] = value
    return output
