"""One of every operation, loss, accuracy and optimizer that the packages export.

Tests of properties that all of them share go through these lists, so a new class is held to them
as soon as it is exported. ``VARIANTS`` are arguments that change what is computed.
"""

import copy
import inspect
from typing import Any

import numpy as np

import optimizers
from framework import accuracies, activations, layers, losses
from framework.accuracies import Accuracy
from framework.activations import ELU, GELU, Activation, LeakyReLU, Softmax
from framework.layers import (
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    Reshape,
    Scale,
    ZeroPadding2D,
)
from framework.losses import FusedLoss, Huber, Loss
from framework.operation import Operation
from framework.parameters import state_names
from framework.utils.exports import exported
from optimizers import SGD, Optimizer
from optimizers.configuration import constructor_arguments
from optimizers.optimizer import parameter_names
from tests.strategies import Array

OPERATION_CLASSES: list[type[Operation]] = [
    *exported(activations, Activation).values(),
    *exported(layers, Operation).values(),
]
VARIANTS: list[Operation] = [
    LeakyReLU(alpha=0.3),
    ELU(alpha=0.5),
    Softmax(temperature=0.5),
    Dropout(0.0),
    Dropout(0.4),
    GELU(approximate="none"),
    Scale(-1.5, 0.5),
    Reshape((-1, 1, 1)),
    Permute((2, 3, 1)),
    ZeroPadding2D(((1, 0), (0, 2))),
    MaxPooling2D((2, 3), stride=1, padding="same"),
    MaxPooling1D(3, stride=2, padding=1),
    AveragePooling2D((2, 3), stride=1, padding="same"),
    AveragePooling1D(3, stride=2, padding=1),
]
PENALTIES: dict[str, Any] = {
    "weight_regularizer_l1": 0.1,
    "weight_regularizer_l2": 0.2,
    "bias_regularizer_l1": 0.3,
    "bias_regularizer_l2": 0.4,
}


def operations_for(features: int, dtype: str = "float32") -> list[Operation]:
    """Return operations that have a gradient and take ``features``, variants included.

    Those for images or sequences take them as channels: see ``suitable``.
    """
    operations = [
        *(cls.for_features(features) for cls in OPERATION_CLASSES if cls.differentiable),
        *copy.deepcopy(VARIANTS),
        Dense(features, 2, weight_initializer="he_normal", bias_initializer="normal", **PENALTIES),
        Dense(features, 2, use_bias=False),
        Conv2D(
            features,
            3,
            (3, 2),
            stride=(2, 1),
            padding=(1, 0),
            dilation=(1, 2),
            bias_initializer="normal",
            **PENALTIES,
        ),
        Conv1D(features, 3, 2, padding="causal", dilation=2, use_bias=False),
        BatchNormalization(features, momentum=0.5, epsilon=0.1),
    ]
    return [_with_dtype(operation, dtype) for operation in operations]


def suitable(operation: Operation, rows: Array) -> Array:
    """Return ``rows``, or one or two random images or sequences with as many channels."""
    shape = (min(2, len(rows)), *operation.example_axes, rows.shape[-1])
    return np.random.default_rng(0).normal(size=shape) if operation.example_axes else rows


def takes(operation: Operation, sample_shape: tuple[int, ...]) -> bool:
    """Whether ``operation`` takes samples of this shape."""
    try:
        operation.output_shape(sample_shape)
    except ValueError:
        return False
    return True


def _with_dtype(operation: Operation, dtype: str) -> Operation:
    configuration = operation.configuration()
    if "dtype" not in configuration:
        return operation
    found = type(operation)(**(configuration | {"dtype": dtype}))
    for name in state_names(operation):
        setattr(found, name, getattr(operation, name))
    return found


def _has_defaults(cls: type) -> bool:
    arguments = constructor_arguments(cls).values()
    return all(argument.default is not inspect.Parameter.empty for argument in arguments)


# Those that are made without a number of features.
_ACTIVATIONS: list[Activation] = [
    *(cls() for cls in exported(activations, Activation).values() if _has_defaults(cls)),
    *(variant for variant in VARIANTS if isinstance(variant, Activation)),
]
ACTIVATIONS = [activation for activation in _ACTIVATIONS if activation.differentiable]
WITHOUT_GRADIENT = [activation for activation in _ACTIVATIONS if not activation.differentiable]
WITHOUT_PARAMETERS = [op for op in operations_for(2) if not parameter_names(op)]

LOSSES: list[Loss] = [
    *(cls() for cls in exported(losses, Loss, FusedLoss).values()),
    Huber(delta=0.3),
]
ACCURACIES: list[Accuracy] = [cls() for cls in exported(accuracies, Accuracy).values()]

# A rate that falls lets those that take steps of one size settle.
OPTIMIZERS: list[Optimizer] = [
    *(cls(1.0, decay=0.1) for cls in exported(optimizers, Optimizer).values()),
    SGD(0.1, momentum=0.9),
    SGD(0.1, momentum=0.9, nesterov=True),
]
