"""The arithmetic of ``Conv1D`` and ``Conv2D``. Their own pages have the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import as_dvalues, check_count
from framework.initializers import Initializer
from framework.layers.sample_shapes import check_inputs, windows_in
from framework.layers.weighted import Weighted, weighted_shapes
from framework.layers.windows import (
    Padding,
    Sizes,
    Windows,
    check_padding,
    check_sizes,
    crop,
    pad,
    padding_per_axis,
    per_axis,
)
from framework.operation import Channels, Shape
from optimizers.arrays import Array


class Convolution(Weighted):
    """Base class of the convolutions over ``axes``, those between samples and channels."""

    axes: ClassVar[tuple[str, ...]]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        kernel_size: Sizes,
        *,
        stride: Sizes = 1,
        padding: Padding = "valid",
        dilation: Sizes = 1,
        use_bias: bool = True,
        weight_initializer: str | Initializer = "glorot_uniform",
        bias_initializer: str | Initializer = "zeros",
        weight_regularizer_l1: float = 0.0,
        weight_regularizer_l2: float = 0.0,
        bias_regularizer_l1: float = 0.0,
        bias_regularizer_l2: float = 0.0,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.n_channels = check_count("n_channels", n_channels)
        self.n_filters = check_count("n_filters", n_filters)
        self.kernel_size = check_sizes("kernel_size", kernel_size, self.axes)
        self.stride = check_sizes("stride", stride, self.axes)
        self.padding = check_padding(padding, self.axes, self.paddings)
        self.dilation = check_sizes("dilation", dilation, self.axes)
        self.windows = Windows(
            size=per_axis(self.kernel_size, self.axes),
            stride=per_axis(self.stride, self.axes),
            dilation=per_axis(self.dilation, self.axes),
            padding=padding_per_axis(self.padding, self.axes),
        )
        super().__init__(
            (*self.windows.size, self.n_channels, self.n_filters),
            use_bias=use_bias,
            weight_initializer=weight_initializer,
            bias_initializer=bias_initializer,
            weight_regularizer_l1=weight_regularizer_l1,
            weight_regularizer_l2=weight_regularizer_l2,
            bias_regularizer_l1=bias_regularizer_l1,
            bias_regularizer_l2=bias_regularizer_l2,
            dtype=dtype,
        )

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        weights = self.weights
        self.inputs = inputs = check_inputs(self, inputs).astype(weights.dtype, copy=False)
        lengths = inputs.shape[1:-1]
        counts = self.windows.counts(lengths)
        padded = pad(inputs, self.windows.margins(lengths))
        kernels = weights.reshape(-1, self.n_filters)
        output = np.empty((len(inputs), *counts, self.n_filters), weights.dtype)
        for samples, columns in self.windows.columns(padded):
            np.matmul(columns, kernels, out=output[samples].reshape(-1, self.n_filters))
            if self.use_bias:
                # Those of a whole row of windows at once: NumPy adds long rows faster.
                rows = output[samples].reshape(-1, counts[-1] * self.n_filters)
                rows += np.tile(self.biases, counts[-1])
        self.output = output
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        if self.trainable:
            self.parameter_gradients(dvalues)
        dvalues, inputs = as_dvalues(self, dvalues), self.inputs
        lengths, counts = inputs.shape[1:-1], dvalues.shape[1:-1]
        shape = (len(inputs), *self.windows.padded_lengths(lengths), self.n_channels)
        dpadded = np.zeros(shape, dvalues.dtype)
        rows = dvalues.reshape(-1, self.n_filters)
        passed = np.empty((len(rows), self.n_channels), dvalues.dtype)
        for position, seen in self.windows.positions(counts):
            np.matmul(rows, self.weights[position].T, out=passed)
            dpadded[seen] += passed.reshape(len(inputs), *counts, self.n_channels)
        self.dinputs = crop(dpadded, self.windows.margins(lengths))
        return self.dinputs

    def parameter_gradients(self, dvalues: ArrayLike) -> None:
        """Compute ``dweights`` and ``dbiases`` alone, for a layer whose inputs are the data."""
        dvalues, inputs = as_dvalues(self, dvalues), self.inputs
        padded = pad(inputs, self.windows.margins(inputs.shape[1:-1]))
        dweights = np.zeros_like(self.weights).reshape(-1, self.n_filters)
        for samples, columns in self.windows.columns(padded):
            dweights += columns.T @ dvalues[samples].reshape(-1, self.n_filters)
        self.dweights = dweights.reshape(self.weights.shape)
        if self.use_bias:
            rows = dvalues.reshape(-1, self.n_filters)
            # A product with ones, since a sum over so many rows is slower and less exact.
            self.dbiases = np.ones((1, len(rows)), rows.dtype) @ rows
        self.add_penalty_gradients()

    def output_shape(self, input_shape: Shape) -> Shape:
        counts = windows_in(self, input_shape, self.axes, self.windows, self.n_channels)
        return Channels((self.n_filters,)) if counts is None else (*counts, self.n_filters)

    @classmethod
    def for_features(cls, n_features: int) -> Convolution:
        return cls(n_features, 2, 3, padding="same")

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        size = per_axis(arguments["kernel_size"], cls.axes)
        return weighted_shapes((*size, arguments["n_channels"], arguments["n_filters"]), arguments)
