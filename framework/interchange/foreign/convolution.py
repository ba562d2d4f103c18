"""Convolutions, whose weights ONNX and PyTorch have as ``(filters, channels, height, width)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.builders import build
from framework.interchange.foreign.padding import (
    add_zero_padding,
    lengths_of,
    padding_of,
    shortest,
    without_padding,
)
from framework.layers import Conv1D, Conv2D
from framework.layers.windows import Margins, Windows
from optimizers.arrays import Array


def add_convolution(
    assembly: Assembly,
    weights: Array,
    biases: Array | None,
    margins: Margins | str,
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int = 1,
) -> None:
    """Add a convolution over images or sequences.

    Args:
        weights: ``(filters, channels, *kernel)``.
        margins: the padding before and after each axis, or "same".

    Raises ValueError for one in groups or over other axes, and for arrays that do not fit.
    """
    kernel = weights.shape[2:]
    if groups != 1:
        raise ValueError(f"group={groups}: this framework has no convolution in groups")
    if len(kernel) not in (1, 2):
        raise ValueError(f"it works on {len(kernel)} axes: there are Conv1D and Conv2D")
    windows = Windows(kernel, tuple(strides), tuple(dilations), "valid")
    padding: Any = margins
    if not isinstance(margins, str):
        padding = _merged(assembly, windows, margins)
    if padding is None and not isinstance(margins, str):
        assembly.images(len(kernel))
        add_zero_padding(assembly, [(0, 0), *margins])
        padding = "valid"
    assembly.images(len(kernel))
    weights = np.moveaxis(weights, (1, 0), (-2, -1))[..., assembly.order(weights.shape[1]), :]
    arrays = {} if biases is None else {"biases": biases}
    operation = build(
        Conv1D if len(kernel) == 1 else Conv2D,
        n_channels=weights.shape[-2],
        n_filters=weights.shape[-1],
        kernel_size=shortest(kernel),
        stride=shortest(strides),
        dilation=shortest(dilations),
        padding=padding,
        use_bias=biases is not None,
        weights=weights,
        **arrays,
    )
    assembly.add_windows(operation, weights.shape[-1])


def _merged(assembly: Assembly, windows: Windows, margins: Margins) -> Any:
    """Return the padding with these margins and those of a padding of sequences just before."""
    names = ["same", "causal"] if len(margins) == 1 else ["same"]
    before, (first, last) = without_padding(assembly)
    if before is not assembly and len(margins) == 1:
        both = [(first + margins[0][0], last + margins[0][1])]
        padding = padding_of(windows, both, lengths_of(before), names)
        if padding is not None:
            assembly.go_back_to(before)
        return padding
    assembly.images(len(margins))
    return padding_of(windows, margins, lengths_of(assembly), names)
