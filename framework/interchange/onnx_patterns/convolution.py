"""The patterns of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.convolution import add_convolution
from framework.interchange.foreign.padding import lengths_of, lower_margins, margins_of
from framework.interchange.onnx_expressions import Argument, Node, Slices, X, node
from framework.interchange.onnx_patterns.pattern import Builder, Form, Pattern
from framework.interchange.onnx_patterns.windows import (
    PADDED,
    channels_first,
    is_padded,
    known_margins,
    last_margins,
    pads_of,
    positions,
    slices_of,
    windows_of,
)
from framework.layers import Conv1D, Conv2D
from framework.layers.windows import Margins, Windows
from framework.operation import Operation, Shape
from optimizers.arrays import Array

WEIGHTS, BIASES = Argument("weights"), Argument("biases")
WINDOWS: dict[str, Any] = {
    "auto_pad": Argument("auto_pad"),
    "pads": Argument("pads"),
    "strides": Argument("strides"),
    "dilations": Argument("dilations"),
    "kernel_shape": Argument("kernel_shape"),
}


def window_attributes(operation: Any, shape: Shape) -> dict[str, Any]:
    """Return the attributes of an operator with windows, such as ``Conv``."""
    windows: Windows = operation.windows
    found: dict[str, Any] = {
        "strides": list(windows.stride),
        "dilations": list(windows.dilation),
        "kernel_shape": list(windows.size),
    }
    # With a dilation, onnxruntime wants to be told how much that is.
    if windows.padding == "same" and set(windows.dilation) == {1}:
        return {**found, "auto_pad": "SAME_UPPER"}
    margins = known_margins(operation, shape)
    return {**found, "pads": [*(one[0] for one in margins), *(one[1] for one in margins)]}


def read_margins(
    assembly: Assembly,
    windows: Windows,
    auto_pad: str,
    pads: Sequence[int] | None,
) -> Margins | str:
    """Return the padding that these attributes mean. Raises ValueError for other ones."""
    axes = len(windows.size)
    if auto_pad == "SAME_UPPER":
        return "same"
    if auto_pad == "SAME_LOWER":
        assembly.images(axes)
        return lower_margins(windows, lengths_of(assembly))
    return margins_of(None if auto_pad == "VALID" else pads, axes)


def _weights(layer: Any, shape: Shape) -> dict[str, Any]:
    kernel = np.moveaxis(layer.weights, (-2, -1), (1, 0))
    arrays = {"weights": np.ascontiguousarray(kernel)}
    if layer.use_bias:
        arrays["biases"] = layer.biases[0]
    return {**arrays, **window_attributes(layer, shape)}


def _columns(layer: Any, shape: Shape) -> dict[str, Any]:
    """The arguments of a product of all columns and the weights."""
    found = {
        "weights": layer.weights.reshape(-1, layer.n_filters),
        "slices": slices_of(layer.windows),
        "pads": pads_of(layer, shape),
    }
    return {**found, "biases": layer.biases[0]} if layer.use_bias else found


def _adds(layer: Any, shape: Shape) -> bool:
    return bool(layer.use_bias)


def _pads(layer: Any, shape: Shape) -> bool:
    return is_padded(layer, shape)


def _pads_and_adds(layer: Any, shape: Shape) -> bool:
    return _pads(layer, shape) and _adds(layer, shape)


def _convolution(
    assembly: Assembly,
    weights: Array,
    auto_pad: str,
    biases: Array | None = None,
    pads: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    kernel_shape: Sequence[int] | None = None,
    group: int = 1,
) -> None:
    kernel = weights.shape[2:]
    if not kernel:
        raise ValueError(f"expected weights of 3 or 4 axes, received shape {weights.shape}")
    if kernel_shape is not None and tuple(kernel_shape) != kernel:
        raise ValueError(f"kernel_shape={kernel_shape}, with weights of shape {weights.shape}")
    strides, dilations = strides or [1] * len(kernel), dilations or [1] * len(kernel)
    windows = Windows(kernel, tuple(strides), tuple(dilations), "same")
    margins = read_margins(assembly, windows, auto_pad, pads)
    add_convolution(assembly, weights, biases, margins, strides, dilations, group)


def _from_columns(
    assembly: Assembly,
    weights: Array,
    slices: Slices,
    pads: Array | None = None,
    biases: Array | None = None,
) -> None:
    windows = windows_of(slices)
    axes = len(windows.size)
    kernel = weights.reshape(*windows.size, -1, weights.shape[-1])
    with channels_first(assembly, axes):
        add_convolution(
            assembly,
            np.moveaxis(kernel, (-2, -1), (1, 0)),
            biases,
            last_margins(pads, axes),
            windows.stride,
            windows.dilation,
        )


GROUPED: dict[str, Any] = {**WINDOWS, "group": Argument("group")}


def _forms() -> tuple[Form, ...]:
    found = [
        Form(node("Conv", X, WEIGHTS, BIASES, **GROUPED), "first", _adds),
        Form(node("Conv", X, WEIGHTS, **GROUPED), "first"),
    ]
    for values, pads, both in ((PADDED, _pads, _pads_and_adds), (X, None, _adds)):
        product = node("MatMul", node("Concat", positions(values), axis=-1), WEIGHTS)
        found += [
            Form(node("Add", product, BIASES), "last", both, _columns, _from_columns),
            Form(product, "last", pads, _columns, _from_columns),
        ]
    return tuple(found)


PATTERN = Pattern(_forms(), arguments=_weights, builder=_convolution)
EXPORT: dict[type[Operation], Pattern] = {Conv1D: PATTERN, Conv2D: PATTERN}
IMPORT: list[tuple[Node, Builder]] = []
