"""Base classes of the pooling layers: their windows, and the shape of the output."""

from __future__ import annotations

from typing import ClassVar

from framework.layers.sample_shapes import are_known, channels_of, windows_in
from framework.layers.windows import (
    Padding,
    Sizes,
    Windows,
    check_padding,
    check_sizes,
    padding_per_axis,
    per_axis,
)
from framework.operation import Operation, Shape


class Pooling(Operation):
    """Base class of layers that make one number of each window, for each channel by itself."""

    axes: ClassVar[tuple[str, ...]]
    independent_samples = True

    def __init__(
        self, size: Sizes = 2, stride: Sizes | None = None, padding: Padding = "valid"
    ) -> None:
        self.size = check_sizes("size", size, self.axes)
        self.stride = None if stride is None else check_sizes("stride", stride, self.axes)
        self.padding = check_padding(padding, self.axes, ("valid", "same"))
        self.windows = Windows(
            size=per_axis(self.size, self.axes),
            stride=per_axis(self.size if self.stride is None else self.stride, self.axes),
            dilation=(1,) * len(self.axes),
            padding=padding_per_axis(self.padding, self.axes),
        )
        margins = self.windows.padding
        if not isinstance(margins, str) and any(map(int.__ge__, margins, self.windows.size)):
            raise ValueError(
                f"padding must be less than the size, {self.size!r}, so that no window is padding "
                f"alone, received {padding!r}"
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        counts = windows_in(self, input_shape, self.axes, self.windows)
        if counts is None or input_shape is None:
            return channels_of(input_shape)
        return (*counts, input_shape[-1])


class GlobalPooling(Operation):
    """Base class of layers that make one number of each channel of a sample."""

    axes: ClassVar[tuple[str, ...]]
    independent_samples = True

    def output_shape(self, input_shape: Shape) -> Shape:
        if are_known(self, input_shape, self.axes) and 0 in (input_shape or ())[:-1]:
            raise ValueError(f"{self!r} has nothing to pool: it expects at least one value")
        return input_shape and input_shape[-1:]
