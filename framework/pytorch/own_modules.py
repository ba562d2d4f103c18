"""Modules for operations that ``torch.nn`` lacks. Only this file imports PyTorch at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from framework.layers.windows import Windows


class Permute(torch.nn.Module):
    """Puts the axes of each sample into the order ``dims``; axis 0, that of the samples, stays."""

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.dims = tuple(dims)

    def forward(self, inputs: Any) -> Any:
        return inputs.permute(0, *self.dims)

    def extra_repr(self) -> str:
        return str(self.dims)


class Scale(torch.nn.Module):
    """``factor * inputs + offset``, with two numbers."""

    def __init__(self, factor: float, offset: float) -> None:
        super().__init__()
        self.factor, self.offset = factor, offset

    def forward(self, inputs: Any) -> Any:
        return inputs * self.factor + self.offset

    def extra_repr(self) -> str:
        return f"{self.factor}, {self.offset}"


class Normalization(torch.nn.Module):
    """``(inputs - mean - mean_rest) / deviation`` for each feature, which are along axis ``dim``.

    A feature whose deviation is 0 becomes 0.
    """

    def __init__(self, mean: Any, mean_rest: Any, deviation: Any, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("mean", mean)
        self.register_buffer("mean_rest", mean_rest)
        self.register_buffer("deviation", deviation)

    def forward(self, inputs: Any) -> Any:
        shape = [1] * inputs.dim()
        shape[self.dim] = -1
        factor = torch.where(self.deviation > 0, 1 / self.deviation, 0)
        centred = inputs - self.mean.reshape(shape) - self.mean_rest.reshape(shape)
        return centred * factor.reshape(shape)

    def extra_repr(self) -> str:
        return f"{len(self.mean)}, dim={self.dim}"


class _Padded(torch.nn.Module):
    """Base class of pooling whose padding ``torch.nn`` lacks.

    ``padding`` is "same", for as many windows as a stride of 1 would take steps, or the padding
    before and after each axis.
    """

    def __init__(self, size: Sequence[int], stride: Sequence[int], padding: Any) -> None:
        super().__init__()
        self.size, self.stride, self.padding = tuple(size), tuple(stride), padding

    def padded(self, inputs: Any, value: float) -> Any:
        margins = self.padding
        if margins == "same":
            windows = Windows(self.size, self.stride, (1,) * len(self.size), "same")
            margins = windows.margins(inputs.shape[2:])
        # PyTorch wants the last axis first.
        numbers = [number for both in reversed(margins) for number in both]
        return torch.nn.functional.pad(inputs, numbers, value=value)

    def extra_repr(self) -> str:
        return f"{self.size}, stride={self.stride}, padding={self.padding!r}"


class PaddedMax(_Padded):
    """Max pooling in which the padding never wins."""

    def forward(self, inputs: Any) -> Any:
        functions = torch.nn.functional
        largest = functions.max_pool1d if len(self.size) == 1 else functions.max_pool2d
        return largest(self.padded(inputs, -torch.inf), self.size, self.stride)


class PaddedAverage(_Padded):
    """Average pooling that leaves the padding out of the count."""

    def forward(self, inputs: Any) -> Any:
        functions = torch.nn.functional
        average = functions.avg_pool1d if len(self.size) == 1 else functions.avg_pool2d
        sums, counts = (
            average(self.padded(one, 0.0), self.size, self.stride)
            for one in (inputs, torch.ones_like(inputs[:1, :1]))
        )
        return sums / counts


class Residual(torch.nn.Module):
    """``operations(inputs) + shortcut(inputs)``; an empty shortcut is the inputs themselves."""

    def __init__(self, operations: torch.nn.Sequential, shortcut: torch.nn.Sequential) -> None:
        super().__init__()
        self.operations, self.shortcut = operations, shortcut

    def forward(self, inputs: Any) -> Any:
        return self.operations(inputs) + self.shortcut(inputs)
