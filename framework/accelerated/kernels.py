"""The list of all kernels: one row for each operation, loss, optimizer and accuracy.

A row names the class, the module of its kernel, and whatever the kernel needs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

import framework.activations as activations
from framework.accelerated.activations import (
    elu,
    exact_gelu,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    mish,
    prelu,
    relu,
    selu,
    sigmoid,
    softmax,
    softplus,
    swish,
    tanh,
)
from framework.accelerated.layers import (
    average_pooling,
    batch_normalization,
    convolution,
    dense,
    dense_relu,
    dropout,
    fork,
    frozen_batch_normalization,
    global_average_pooling,
    global_max_pooling,
    layer_normalization,
    max_pooling,
    normalization,
    permute,
    residual,
    scale,
    windows,
    zero_padding,
)
from framework.accelerated.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    hinge,
    huber,
    mean_absolute_error,
    mean_squared_error,
    poisson,
    sigmoid_binary_crossentropy,
    softmax_categorical_crossentropy,
)
from framework.accelerated.optimizers import adagrad, adam, lion, nadam, rmsprop, sgd
from framework.accelerated.vectors import whole_vectors
from framework.accuracies import (
    BinaryAccuracy,
    CategoricalAccuracy,
    HingeAccuracy,
    RegressionAccuracy,
)
from framework.containers.residual import Residual
from framework.layers import (
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
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
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Hinge,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    SigmoidBinaryCrossentropy,
    SoftmaxCategoricalCrossentropy,
)
from optimizers import SGD, Adagrad, Adam, AdamW, Lion, Nadam, RMSprop

# The penalties of a dense layer, under the names of its attributes.
REGULARIZERS = (
    "weight_regularizer_l1",
    "weight_regularizer_l2",
    "bias_regularizer_l1",
    "bias_regularizer_l2",
)


@dataclass(frozen=True)
class OperationKernel:
    """The kernel of an operation, or of several that follow each other.

    Attributes:
        operations: their classes.
        module: has ``forward``, ``backward`` and, where parameters are trained,
            ``parameter_gradients``: see ``interpreter.py``.
        settings: names of attributes that are numbers, which the kernel reads from ``op``.
        saved: names of the attributes in which the operation keeps arrays for its backward. Each
            but ``inputs`` is an array of the output's shape that ``forward`` writes: the
            first is ``saved[0]``.
        statistics: names of attributes that hold a number for each feature (of the last axis) and
            change with every step.
        constants: names of attributes that hold such numbers too, and do not change. They stand
            before the statistics.
        uniforms: whether it needs a random number from 0 to 1 for each output.
        required: arguments with the values that the kernel computes; it does not take others.
        frozen: whether it is for frozen operations, or for others; None for both.
        when: whether it takes an operation of its class, for what ``required`` cannot say.
        fields: returns further fields of the instruction, given the operation and the shape of a
            sample: see ``windows.FIELDS``.
        partials: returns how many numbers each part remembers about its own samples, given the
            same.
        store: sets further attributes, given the operation and its inputs, as its own ``forward``
            does.
    """

    operations: tuple[type, ...]
    module: ModuleType
    settings: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    uniforms: bool = False
    required: Mapping[str, Any] = field(default_factory=dict)
    frozen: bool | None = None
    when: Callable[[Any], bool] = lambda operation: True
    fields: Callable[[Any, tuple[int, ...]], dict[str, int]] = lambda operation, shape: {}
    partials: Callable[[Any, tuple[int, ...]], int] = lambda operation, shape: 0
    store: Callable[[Any, Any], None] | None = None

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the saved arrays that take memory of their own."""
        return tuple(name for name in self.saved if name != "inputs")

    @property
    def n_saved(self) -> int:
        """How many arrays it has: those it saves, and the gradient between two operations."""
        return len(self.arrays) + len(self.operations) - 1


@dataclass(frozen=True)
class LossKernel:
    """The kernel of a loss: ``losses`` and ``backward`` of ``module``, see ``losses``.

    Attributes:
        settings: names of attributes of the loss, or of the activation that is fused with it, that
            are numbers, which the kernel reads from ``loss``.
        takes_labels: whether targets can be class indices.
    """

    loss: type
    module: ModuleType
    settings: tuple[str, ...] = ()
    takes_labels: bool = False


@dataclass(frozen=True)
class OptimizerKernel:
    """The kernel of an optimizer: ``update`` of ``module``.

        update(optimizer, parameter, gradient, first, second, rate, step)

    Attributes:
        settings: names of attributes that are numbers, which the kernel reads from ``optimizer``.
        state: names of the arrays, up to two, that it remembers: ``first`` and ``second``.
        stateless_without: name of a setting; nothing is remembered where it is 0.
    """

    optimizer: type
    module: ModuleType
    settings: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    stateless_without: str = ""


def _store_normalization(operation: Any, inputs: Any) -> None:
    operation.training = True
    operation.normalized = operation.normalized.reshape(-1, operation.n_features)
    operation.count = float(len(operation.normalized))


def _store_frozen_normalization(operation: Any, inputs: Any) -> None:
    operation.training = False
    operation.normalized = operation.normalized.reshape(-1, operation.n_features)
    operation.deviation = np.sqrt(operation.running_variance + operation.epsilon)


def _store_input_shape(operation: Any, inputs: Any) -> None:
    operation.input_shape = inputs.shape


def _store_lengths(operation: Any, inputs: Any) -> None:
    operation.lengths = inputs.shape[1:-1]


def _store_largest(operation: Any, inputs: Any) -> None:
    _store_lengths(operation, inputs)
    last = math.prod(operation.windows.size) - 1
    operation.largest = operation.largest.astype(np.min_scalar_type(last))


def _store_global_largest(operation: Any, inputs: Any) -> None:
    _store_input_shape(operation, inputs)
    operation.largest = operation.largest.astype(np.intp)[:, np.newaxis]


def _store_deviation(operation: Any, inputs: Any) -> None:
    operation.deviation = operation.deviation[..., :1].copy()


def _sums_of_parameters(operation: Any, input_shape: tuple[int, ...]) -> int:
    """Those of a convolution, in rows that are filled up to whole vectors."""
    depth = math.prod(operation.weights.shape[:-1])
    return (depth + 1) * whole_vectors(operation.n_filters, operation.weights.itemsize)


def _padding_fields(operation: Any, input_shape: tuple[int, ...]) -> dict[str, int]:
    (height, width, _), (rows, columns, _) = input_shape, operation.output_shape(input_shape)
    (top, _), (left, _) = operation.margins
    return {
        "height": height,
        "width": width,
        "top": top,
        "left": left,
        "rows": rows,
        "columns": columns,
    }


def _has_few_axes(operation: Any) -> bool:
    return len(operation.dims) <= 3


def _permute_fields(operation: Any, input_shape: tuple[int, ...]) -> dict[str, int]:
    strides = [math.prod(input_shape[axis:]) for axis in operation.dims]
    missing = 3 - len(strides)
    rows, columns, _ = (1,) * missing + operation.output_shape(input_shape)
    height, width, channels = [0] * missing + strides
    return {
        "rows": rows,
        "columns": columns,
        "stride_height": height,
        "stride_width": width,
        "stride_channels": channels,
    }


def _check_is_adapted(operation: Any, input_shape: tuple[int, ...]) -> dict[str, int]:
    operation.check_is_adapted()
    return {}


OPERATIONS = (
    OperationKernel(
        (Dense, activations.ReLU), dense_relu, REGULARIZERS, saved=("inputs", "output")
    ),
    OperationKernel((Dense,), dense, REGULARIZERS, saved=("inputs",)),
    OperationKernel((activations.ReLU,), relu),
    OperationKernel((activations.LeakyReLU,), leaky_relu, ("alpha",), saved=("inputs",)),
    OperationKernel((activations.ELU,), elu, ("alpha",), saved=("inputs",)),
    OperationKernel((activations.SELU,), selu, saved=("inputs",)),
    OperationKernel((activations.PReLU,), prelu, saved=("inputs",)),
    OperationKernel((activations.Softplus,), softplus, saved=("inputs",)),
    OperationKernel((activations.Swish,), swish, saved=("sigmoid",)),
    OperationKernel((activations.Mish,), mish, saved=("inputs", "gate")),
    OperationKernel(
        (activations.GELU,), gelu, saved=("inputs", "tanh"), required={"approximate": "tanh"}
    ),
    OperationKernel(
        (activations.GELU,),
        exact_gelu,
        saved=("inputs", "probability"),
        required={"approximate": "none"},
    ),
    OperationKernel((activations.Sigmoid,), sigmoid),
    OperationKernel((activations.Tanh,), tanh),
    OperationKernel((activations.Softmax,), softmax, ("temperature",)),
    OperationKernel((activations.LogSoftmax,), log_softmax),
    OperationKernel((activations.Linear,), linear),
    OperationKernel((Flatten,), linear, store=_store_input_shape),
    OperationKernel((Reshape,), linear, store=_store_input_shape),
    *(
        OperationKernel(
            (convolution_layer,),
            convolution,
            REGULARIZERS,
            saved=("inputs",),
            fields=windows.fields,
            partials=_sums_of_parameters,
        )
        for convolution_layer in (Conv1D, Conv2D)
    ),
    *(
        OperationKernel(
            (pooling,),
            max_pooling,
            saved=("largest",),
            fields=windows.fields,
            store=_store_largest,
        )
        for pooling in (MaxPooling1D, MaxPooling2D)
    ),
    *(
        OperationKernel((pooling,), average_pooling, fields=windows.fields, store=_store_lengths)
        for pooling in (AveragePooling1D, AveragePooling2D)
    ),
    *(
        OperationKernel((pooling,), global_average_pooling, store=_store_input_shape)
        for pooling in (GlobalAveragePooling1D, GlobalAveragePooling2D)
    ),
    *(
        OperationKernel(
            (pooling,), global_max_pooling, saved=("largest",), store=_store_global_largest
        )
        for pooling in (GlobalMaxPooling1D, GlobalMaxPooling2D)
    ),
    OperationKernel((ZeroPadding2D,), zero_padding, fields=_padding_fields),
    OperationKernel((Permute,), permute, fields=_permute_fields, when=_has_few_axes),
    OperationKernel(
        (LayerNormalization,),
        layer_normalization,
        ("epsilon",),
        saved=("normalized", "deviation"),
        store=_store_deviation,
    ),
    OperationKernel(
        (Normalization,),
        normalization,
        constants=("mean", "mean_rest", "deviation"),
        fields=_check_is_adapted,
    ),
    OperationKernel((Scale,), scale, ("factor", "offset")),
    OperationKernel((Dropout,), dropout, ("rate",), saved=("mask",), uniforms=True),
    OperationKernel(
        (BatchNormalization,),
        batch_normalization,
        ("momentum", "epsilon"),
        saved=("normalized",),
        statistics=("running_mean", "running_variance", "deviation"),
        partials=lambda operation, input_shape: 1 + 4 * operation.n_features,
        store=_store_normalization,
        frozen=False,
    ),
    OperationKernel(
        (BatchNormalization,),
        frozen_batch_normalization,
        ("epsilon",),
        saved=("normalized",),
        constants=("running_mean", "running_variance"),
        store=_store_frozen_normalization,
        frozen=True,
    ),
)

# The instructions around the branches of a residual, and one for data that both of them read.
FORK = OperationKernel((Residual,), fork)
SUM = OperationKernel((Residual,), residual)
COPY = next(kernel for kernel in OPERATIONS if kernel.operations == (activations.Linear,))

LOSSES = (
    LossKernel(
        SoftmaxCategoricalCrossentropy,
        softmax_categorical_crossentropy,
        ("temperature", "label_smoothing"),
        takes_labels=True,
    ),
    LossKernel(SigmoidBinaryCrossentropy, sigmoid_binary_crossentropy),
    LossKernel(
        CategoricalCrossentropy,
        categorical_crossentropy,
        ("label_smoothing",),
        takes_labels=True,
    ),
    LossKernel(BinaryCrossentropy, binary_crossentropy),
    LossKernel(MeanSquaredError, mean_squared_error),
    LossKernel(MeanAbsoluteError, mean_absolute_error),
    LossKernel(Huber, huber, ("delta",)),
    LossKernel(Poisson, poisson),
    LossKernel(Hinge, hinge),
)

_ADAM = ("epsilon", "beta_1", "beta_2")

OPTIMIZERS = (
    OptimizerKernel(SGD, sgd, ("momentum", "nesterov"), ("velocity",), "momentum"),
    OptimizerKernel(RMSprop, rmsprop, ("rho", "epsilon"), ("cache",)),
    OptimizerKernel(Adagrad, adagrad, ("epsilon",), ("cache",)),
    OptimizerKernel(Adam, adam, _ADAM, ("momentum", "cache")),
    OptimizerKernel(AdamW, adam, (*_ADAM, "weight_decay"), ("momentum", "cache")),
    OptimizerKernel(Nadam, nadam, (*_ADAM, "momentum_decay"), ("momentum", "cache")),
    OptimizerKernel(Lion, lion, ("beta_1", "beta_2", "weight_decay"), ("momentum",)),
)

# An accuracy's opcode is its place: see ``accuracies.py``.
ACCURACIES = (
    type(None),
    CategoricalAccuracy,
    BinaryAccuracy,
    RegressionAccuracy,
    HingeAccuracy,
)


def settings(kernels: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of all settings, each once."""
    return tuple(dict.fromkeys(name for kernel in kernels for name in kernel.settings))


def takes(kernel: OperationKernel, operations: Sequence[Any]) -> bool:
    """Whether ``kernel`` computes these ``operations``."""
    return (
        tuple(map(type, operations)) == kernel.operations
        and all(getattr(operations[0], name) == value for name, value in kernel.required.items())
        and kernel.when(operations[0])
    )
