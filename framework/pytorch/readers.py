"""What each PyTorch module adds to an ``Assembly``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from framework.activations import LogSoftmax, Softmax
from framework.interchange.assembly import Assembly
from framework.interchange.builders import build
from framework.interchange.foreign.activations import add_along, add_prelu
from framework.interchange.foreign.convolution import add_convolution
from framework.interchange.foreign.dense import add_dense
from framework.interchange.foreign.normalization import (
    add_batch_normalization,
    add_layer_normalization,
)
from framework.interchange.foreign.padding import add_zero_padding
from framework.interchange.foreign.pooling import add_global_pooling, add_pooling
from framework.layers import Dense, Flatten, Normalization, Scale
from framework.pytorch.modules import MODULES
from optimizers.arrays import Array

Reader: TypeAlias = Callable[[Assembly, Any], None]


def reader_of(nn: Any, module: Any) -> Reader:
    """Return the function that reads ``module``. Raises TypeError if there is none."""
    from framework.pytorch import own_modules

    for cls, entry in MODULES.items():
        if type(module) is getattr(nn, entry.name):
            return partial(_read_plain, cls=cls)
    for names, library in ((READERS, nn), (OWN_READERS, own_modules)):
        name = type(module).__name__
        if name in names and type(module) is getattr(library, name):
            return names[name]
    raise TypeError(
        "this framework has no such operation; Model.from_onnx may read what torch.onnx.export "
        "makes of it"
    )


def _read_plain(assembly: Assembly, module: Any, cls: Any) -> None:
    entry = MODULES[cls]
    for name, expected in entry.settings.items():
        _check(module, cls.__name__, name, expected)
    values = {ours: getattr(module, theirs) for ours, theirs in entry.arguments.items()}
    assembly.append(build(cls, **values))


def _check(module: Any, name: str, setting: str, expected: Any) -> None:
    found = getattr(module, setting)
    if found != expected:
        raise ValueError(f"{name}() is the same only with {setting}={expected!r}, not {found!r}")


def _array(tensor: Any) -> Array:
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(f"expected parameters in float32 or float64, found {tensor.dtype}")
    array: Array = tensor.detach().cpu().numpy()
    return array


def _optional(tensor: Any) -> Array | None:
    return None if tensor is None else _array(tensor)


def _linear(assembly: Assembly, module: Any) -> None:
    add_dense(assembly, _array(module.weight).T, _optional(module.bias))


def _convolution(assembly: Assembly, module: Any) -> None:
    _check(module, type(module).__name__, "padding_mode", "zeros")
    padding = module.padding
    margins: Any = padding
    if padding == "valid":
        margins = [(0, 0) for _ in module.kernel_size]
    elif not isinstance(padding, str):
        margins = [(number, number) for number in padding]
    weights, biases = _array(module.weight), _optional(module.bias)
    sizes = module.stride, module.dilation
    add_convolution(assembly, weights, biases, margins, *sizes, module.groups)


def _pooling(assembly: Assembly, module: Any, kind: str, axes: int) -> None:
    name = type(module).__name__
    if kind == "max":
        _check(module, name, "return_indices", False)
        if set(_each(module.dilation, axes)) != {1}:
            raise ValueError(f"dilation={module.dilation}: pooling here has no dilation")
    if getattr(module, "divisor_override", None) is not None:
        raise ValueError(f"divisor_override={module.divisor_override}: averages here are averages")
    margins = [(number, number) for number in _each(module.padding, axes)]
    add_pooling(
        assembly,
        kind,
        _each(module.kernel_size, axes),
        _each(module.stride, axes),
        margins,
        count_padding=getattr(module, "count_include_pad", False),
        round_up=module.ceil_mode,
    )


def _each(number: Any, axes: int) -> Sequence[int]:
    return number if isinstance(number, tuple) else (number,) * axes


def _global_pooling(assembly: Assembly, module: Any, kind: str, axes: int) -> None:
    if set(_each(module.output_size, axes)) != {1}:
        raise ValueError(f"output_size={module.output_size}: global pooling here leaves 1")
    assembly.images(axes)
    add_global_pooling(assembly, kind, range(1, axes + 1), keep_axes=True)


def _padding(assembly: Assembly, module: Any) -> None:
    _check(module, type(module).__name__, "value", 0)
    pairs = [module.padding[i : i + 2] for i in range(0, len(module.padding), 2)]
    add_zero_padding(assembly, [(0, 0), *pairs[::-1]])


def _batch_normalization(assembly: Assembly, module: Any) -> None:
    for name in ("momentum", "running_mean", "running_var"):
        if getattr(module, name) is None:
            raise ValueError(f"BatchNormalization needs a {name}, and it has none")
    arrays = {
        "weights": _optional(module.weight),
        "biases": _optional(module.bias),
        "running_mean": _array(module.running_mean),
        "running_variance": _array(module.running_var),
    }
    given = {name: array for name, array in arrays.items() if array is not None}
    add_batch_normalization(assembly, given, momentum=1 - module.momentum, epsilon=module.eps)


def _layer_normalization(assembly: Assembly, module: Any) -> None:
    axes = range(-len(module.normalized_shape), 0)
    weights, biases = _optional(module.weight), _optional(module.bias)
    if len(axes) > len(assembly.sizes):
        raise ValueError(f"normalized_shape={module.normalized_shape}, where samples are rows")
    for axis, size in zip(axes, module.normalized_shape, strict=True):
        _learn(assembly, axis, size)
    add_layer_normalization(assembly, [*axes], module.eps, weights, biases)


def _prelu(assembly: Assembly, module: Any) -> None:
    slopes = _array(module.weight)
    others = len(assembly.sizes) - 1
    add_prelu(assembly, slopes if len(slopes) == 1 else slopes.reshape(-1, *(1,) * others))


def _softmax(assembly: Assembly, module: Any, kind: Any) -> None:
    rows = any(isinstance(operation, (Dense, Flatten)) for operation in assembly.operations)
    count = len(assembly.sizes)
    axis = module.dim if module.dim is not None and module.dim < 0 else (module.dim or 0) - 1
    known = rows or count > 1
    if not -count <= axis < count or module.dim in (0, None) or (axis != -1 and not known):
        raise ValueError(f"{kind.__name__}() is the same only with dim=-1, not {module.dim!r}")
    add_along(assembly, kind(), [axis])


def _flatten(assembly: Assembly, module: Any) -> None:
    _check(module, "Flatten", "start_dim", 1)
    _check(module, "Flatten", "end_dim", -1)
    if len(assembly.sizes) == 1:  # of how many axes, no module has told
        assembly.settled = True
        assembly.append(Flatten())
    else:
        assembly.reshape([None])


def _unflatten(assembly: Assembly, module: Any) -> None:
    count = len(assembly.sizes)
    axis = module.dim - 1 if module.dim > 0 else module.dim + count
    if not 0 <= axis < count or not all(isinstance(n, int) for n in module.unflattened_size):
        raise ValueError(f"dim={module.dim!r}: expected an axis of a sample, and sizes")
    sizes = [None if size == -1 else size for size in module.unflattened_size]
    if None not in sizes:
        _learn(assembly, axis, math.prod(size for size in sizes if size is not None))
    assembly.reshape([*assembly.sizes[:axis], *sizes, *assembly.sizes[axis + 1 :]])


def _learn(assembly: Assembly, axis: int, size: int) -> None:
    """A module tells the size of an axis that was not known."""
    parts = assembly.layout.theirs[axis]
    if len(parts) == 1 and parts[0].size is None:
        parts[0].size = size


def _permute(assembly: Assembly, module: Any) -> None:
    assembly.turn([axis - 1 for axis in module.dims])


def _scale(assembly: Assembly, module: Any) -> None:
    assembly.append(Scale(module.factor, module.offset))


def _normalization(assembly: Assembly, module: Any) -> None:
    assembly.features(module.dim - 1 if module.dim > 0 else module.dim)
    mean, deviation = _array(module.mean), _array(module.deviation)
    exact = mean.astype("float64") + _array(module.mean_rest)
    order = assembly.order(len(mean))
    arrays: Any = {"mean": exact[order], "deviation": deviation[order]}
    assembly.append(Normalization(len(mean), **arrays, dtype=mean.dtype.name))


def _padded(assembly: Assembly, module: Any, kind: str) -> None:
    add_pooling(assembly, kind, module.size, module.stride, module.padding)


READERS: dict[str, Reader] = {
    "Linear": _linear,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    **{
        f"{name}{axes}d": partial(reader, kind=kind, axes=axes)
        for axes in (1, 2)
        for name, reader, kind in (
            ("MaxPool", _pooling, "max"),
            ("AvgPool", _pooling, "average"),
            ("AdaptiveMaxPool", _global_pooling, "max"),
            ("AdaptiveAvgPool", _global_pooling, "average"),
        )
    },
    **{f"{name}Pad{axes}d": _padding for axes in (1, 2) for name in ("Zero", "Constant")},
    "BatchNorm1d": _batch_normalization,
    "BatchNorm2d": _batch_normalization,
    "LayerNorm": _layer_normalization,
    "PReLU": _prelu,
    "Softmax": partial(_softmax, kind=Softmax),
    "LogSoftmax": partial(_softmax, kind=LogSoftmax),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
}
OWN_READERS: dict[str, Reader] = {
    "Permute": _permute,
    "Scale": _scale,
    "Normalization": _normalization,
    "PaddedMax": partial(_padded, kind="max"),
    "PaddedAverage": partial(_padded, kind="average"),
}
