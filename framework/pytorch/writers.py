"""What each operation adds to a ``ModuleWriter``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from framework.activations import LogSoftmax, PReLU, Softmax
from framework.interchange.foreign.padding import same_margins, shortest
from framework.interchange.layout import sizes_of
from framework.layers import (
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    LayerNormalization,
    MaxPooling1D,
    MaxPooling2D,
    Normalization,
    Permute,
    Reshape,
    Scale,
    ZeroPadding2D,
)
from framework.layers.windows import Margins
from framework.operation import Operation
from framework.pytorch.module_writer import ModuleWriter

Writer: TypeAlias = Callable[[ModuleWriter, Any], None]


def _filled(module: Any, **arrays: Any) -> Any:
    """Return ``module`` with these arrays, by PyTorch's names."""
    state = module.state_dict()
    tensors = {name: _tensor(array) for name, array in arrays.items() if name in state}
    module.load_state_dict({**state, **tensors})
    return module


def _tensor(array: Any) -> Any:
    import torch

    return torch.tensor(np.ascontiguousarray(array))


def _dense(writer: ModuleWriter, layer: Dense) -> None:
    writer.features()
    arrays = {"weight": layer.weights[writer.order(layer.n_inputs)].T}
    if layer.use_bias:
        arrays["bias"] = layer.biases[0]
    sizes = (layer.n_inputs, layer.n_neurons)
    module = writer.torch.nn.Linear(*sizes, bias=layer.use_bias, dtype=writer.dtype)
    writer.add_dense(_filled(module, **arrays), layer.n_neurons)


def _convolution(writer: ModuleWriter, layer: Any) -> None:
    axes, nn = writer.images(), writer.torch.nn
    windows = layer.windows
    padding, strides = layer.padding, set(windows.stride)
    if padding == "causal" or (padding == "same" and strides != {1}):
        padding = _padded(writer, layer, 0.0)
    kernel = layer.weights[..., writer.order(layer.n_channels, axis=0), :]
    arrays = {"weight": np.moveaxis(kernel, (-2, -1), (1, 0))}
    if layer.use_bias:
        arrays["bias"] = layer.biases[0]
    module = getattr(nn, f"Conv{axes}d")(
        layer.n_channels,
        layer.n_filters,
        windows.size,
        stride=windows.stride,
        padding=0 if padding == "valid" else padding,
        dilation=windows.dilation,
        bias=layer.use_bias,
        dtype=writer.dtype,
    )
    writer.add_windows(_filled(module, **arrays), _lengths(writer, layer), layer.n_filters)


def _sizes(writer: ModuleWriter) -> Sequence[int | None]:
    """Return the sizes of our images, without their channels."""
    return sizes_of(writer.layout.ours)[:-1]


def _lengths(writer: ModuleWriter, layer: Any) -> Sequence[int | None]:
    """Return the sizes of the images that ``layer`` gives."""
    lengths = _sizes(writer)
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return [None] * len(lengths)
    return list(layer.windows.counts(known))


def _margins(writer: ModuleWriter, layer: Any) -> Margins:
    """Return the padding of ``layer``. Raises ValueError if it depends on sizes not known."""
    windows = layer.windows
    if windows.padding == "same":
        margins = same_margins(windows, _sizes(writer))
        if margins is None:
            raise ValueError(
                f"{layer!r} pads images by their size, which is not known: call predict before"
            )
        return margins
    return list(windows.margins([1] * len(windows.size)))


def _padded(writer: ModuleWriter, layer: Any, value: float) -> Any:
    """Return the padding of ``layer`` in numbers; where both sides differ, a module pads first."""
    margins = _margins(writer, layer)
    if all(before == after for before, after in margins):
        return tuple(before for before, _ in margins)
    numbers = _torch_padding(margins)
    name = f"ConstantPad{len(margins)}d"
    writer.add(getattr(writer.torch.nn, name)(numbers, value))
    return 0


def _torch_padding(margins: Margins) -> tuple[int, ...]:
    """Return the padding as PyTorch writes it, the last axis first."""
    return tuple(number for both in reversed(margins) for number in both)


def _pooling(writer: ModuleWriter, layer: Any, kind: str) -> None:
    """Add PyTorch's own pooling, or where it cannot pad so, one of ours."""
    from framework.pytorch import own_modules

    axes, windows = writer.images(), layer.windows
    known = windows.padding != "same" or same_margins(windows, _sizes(writer)) is not None
    margins: Any = _margins(writer, layer) if known else "same"
    module: Any
    if known and _is_plain(layer, margins):
        settings = {"count_include_pad": False} if kind == "Average" else {}
        name = f"{'Avg' if kind == 'Average' else kind}Pool{axes}d"
        numbers = [windows.size, windows.stride, [before for before, _ in margins]]
        module = getattr(writer.torch.nn, name)(*map(shortest, numbers), **settings)
    else:
        padding = "same" if windows.padding == "same" else margins
        module = getattr(own_modules, f"Padded{kind}")(windows.size, windows.stride, padding)
    writer.add_windows(module, _lengths(writer, layer), None)


def _is_plain(layer: Any, margins: Margins) -> bool:
    """Whether PyTorch's pooling can pad so: alike on both sides, by at most half of a window."""
    both = zip(margins, layer.windows.size, strict=True)
    return all(before == after and 2 * before <= size for (before, after), size in both)


def _global_pooling(writer: ModuleWriter, layer: Any, name: str) -> None:
    axes, nn = writer.images(), writer.torch.nn
    writer.add_pooled([getattr(nn, f"{name}{axes}d")(1), nn.Flatten()])


def _zero_padding(writer: ModuleWriter, layer: ZeroPadding2D) -> None:
    writer.images()
    lengths = _sizes(writer)
    sizes = [
        None if length is None else length + sum(both)
        for length, both in zip(lengths, layer.margins, strict=True)
    ]
    writer.add_windows(writer.torch.nn.ZeroPad2d(_torch_padding(layer.margins)), sizes, None)


def _batch_normalization(writer: ModuleWriter, layer: BatchNormalization) -> None:
    axes = writer.images()
    if axes > 2:
        raise ValueError(f"{layer!r}: the BatchNorm2d of PyTorch takes images, not more axes")
    order = writer.order(layer.n_features, axis=0)
    module = getattr(writer.torch.nn, "BatchNorm2d" if axes == 2 else "BatchNorm1d")(
        layer.n_features, momentum=1 - layer.momentum, eps=layer.epsilon, dtype=writer.dtype
    )
    arrays = {
        "weight": layer.weights,
        "bias": layer.biases,
        "running_mean": layer.running_mean,
        "running_var": layer.running_variance,
    }
    ordered = {name: array[0][order] for name, array in arrays.items()}
    writer.add(_filled(module, **ordered))


def _layer_normalization(writer: ModuleWriter, layer: LayerNormalization) -> None:
    writer.features()
    order = writer.order(layer.n_features)
    arrays = {"weight": layer.weights[0][order], "bias": layer.biases[0][order]}
    module = writer.torch.nn.LayerNorm(layer.n_features, eps=layer.epsilon, dtype=writer.dtype)
    writer.add(_filled(module, **arrays))


def _normalization(writer: ModuleWriter, layer: Normalization) -> None:
    from framework.pytorch.own_modules import Normalization as Module

    axis = writer.feature_axis()
    order = writer.order(layer.n_features, axis=axis - 1 if axis > 0 else axis)
    mean, rest, deviation = (
        _tensor(statistic[0][order]) for statistic in (layer.mean, layer.mean_rest, layer.deviation)
    )
    writer.add(Module(mean, rest, deviation, axis))


def _prelu(writer: ModuleWriter, operation: PReLU) -> None:
    slopes = operation.weights[0]
    if len(slopes) > 1:
        writer.images()
        slopes = slopes[writer.order(len(slopes), axis=0)]
    module = writer.torch.nn.PReLU(len(slopes), dtype=writer.dtype)
    writer.add(_filled(module, weight=slopes))


def _softmax(writer: ModuleWriter, operation: Any, name: str) -> None:
    if getattr(operation, "temperature", 1) != 1:
        raise ValueError(f"{operation!r}: the {name} of PyTorch has no temperature")
    writer.add(getattr(writer.torch.nn, name)(dim=writer.feature_axis()))


def _flatten(writer: ModuleWriter, operation: Flatten) -> None:
    writer.flatten()


def _reshape(writer: ModuleWriter, operation: Reshape) -> None:
    shape = operation.output_shape(writer.shape)
    open_sizes = [None if size == -1 else size for size in operation.shape]
    writer.reshape(open_sizes if shape is None else shape)


def _permute(writer: ModuleWriter, operation: Permute) -> None:
    writer.turn([axis - 1 for axis in operation.dims])


def _scale(writer: ModuleWriter, operation: Scale) -> None:
    from framework.pytorch.own_modules import Scale as Module

    writer.add(Module(operation.factor, operation.offset))


WRITERS: dict[type[Operation], Writer] = {
    Dense: _dense,
    Conv1D: _convolution,
    Conv2D: _convolution,
    MaxPooling1D: partial(_pooling, kind="Max"),
    MaxPooling2D: partial(_pooling, kind="Max"),
    AveragePooling1D: partial(_pooling, kind="Average"),
    AveragePooling2D: partial(_pooling, kind="Average"),
    GlobalMaxPooling1D: partial(_global_pooling, name="AdaptiveMaxPool"),
    GlobalMaxPooling2D: partial(_global_pooling, name="AdaptiveMaxPool"),
    GlobalAveragePooling1D: partial(_global_pooling, name="AdaptiveAvgPool"),
    GlobalAveragePooling2D: partial(_global_pooling, name="AdaptiveAvgPool"),
    ZeroPadding2D: _zero_padding,
    BatchNormalization: _batch_normalization,
    LayerNormalization: _layer_normalization,
    Normalization: _normalization,
    PReLU: _prelu,
    Softmax: partial(_softmax, name="Softmax"),
    LogSoftmax: partial(_softmax, name="LogSoftmax"),
    Flatten: _flatten,
    Reshape: _reshape,
    Permute: _permute,
    Scale: _scale,
}
