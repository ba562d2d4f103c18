"""The axes of a sample, which ONNX counts with that of the samples."""

from __future__ import annotations

from collections.abc import Sequence

from framework.interchange.assembly import Assembly


def sample_axis(assembly: Assembly, axis: int) -> int:
    """Return which axis of a sample an axis of ONNX is.

    Raises ValueError for that of the samples, and for one that there is not.
    """
    count = len(assembly.sizes)
    position = axis + count + 1 if axis < 0 else axis
    if not 1 <= position <= count:
        raise ValueError(f"axis={axis}: expected one from 1 to {count}, those of a sample")
    return position - 1


def sample_axes(assembly: Assembly, axes: Sequence[int]) -> list[int]:
    """Return which axes of a sample these are. Raises as ``sample_axis``."""
    return [sample_axis(assembly, axis) for axis in axes]


def axes_from(assembly: Assembly, axis: int) -> list[int]:
    """Return this axis of a sample and those behind it. Raises as ``sample_axis``."""
    return list(range(sample_axis(assembly, axis), len(assembly.sizes)))
