"""The patterns of activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from framework.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)
from framework.activations.gelu import CUBIC, SCALE
from framework.activations.selu import ALPHA as SELU_ALPHA
from framework.activations.selu import SCALE as SELU_SCALE
from framework.interchange.assembly import Assembly
from framework.interchange.builders import number_of
from framework.interchange.foreign.activations import add_along, add_prelu
from framework.interchange.foreign.arithmetic import add_arithmetic, add_clip
from framework.interchange.onnx_expressions import Argument, Node, X, node
from framework.interchange.onnx_patterns.axes import axes_from, sample_axis
from framework.interchange.onnx_patterns.erfc import erfc
from framework.interchange.onnx_patterns.pattern import (
    Builder,
    Form,
    Pattern,
    default_builder,
    single,
)
from framework.operation import Operation, Shape
from optimizers.arrays import Array

LOW, HIGH = Argument("low"), Argument("high")
ALPHA, SLOPES, TEMPERATURE = Argument("alpha"), Argument("slopes"), Argument("temperature")
AXIS: dict[str, Any] = {"axis": Argument("axis"), "along_all": Argument("along_all")}


def _where_positive(negative: Node) -> Node:
    return node("Where", node("Greater", X, 0.0), X, negative)


# What onnxruntime has no operator for in float64, and older operator sets none at all.
SOFTPLUS = node(
    "Add",
    node("Max", X, 0.0),
    node("Log", node("Add", node("Exp", node("Neg", node("Abs", X))), 1.0)),
)
EXPM1_OF_NEGATIVE = node("Sub", node("Exp", node("Min", X, 0.0)), 1.0)


def _one_plus_tanh(cube: Node) -> Node:
    inner = node("Mul", SCALE, node("Add", X, node("Mul", CUBIC, cube)))
    return node("Add", 1.0, node("Tanh", inner))


ONE_PLUS_TANH = [
    _one_plus_tanh(cube) for cube in (node("Mul", X, node("Mul", X, X)), node("Pow", X, 3.0))
]
ONE_PLUS_ERF = [
    node("Add", 1.0, node("Erf", scaled))
    for scaled in (node("Mul", X, math.sqrt(0.5)), node("Div", X, math.sqrt(2)))
]


def _half_of_x_times(part: Node) -> list[Node]:
    """Return the orders in which programs multiply x, one half and ``part``."""
    return [
        node("Mul", X, node("Mul", 0.5, part)),
        node("Mul", 0.5, node("Mul", X, part)),
        node("Mul", node("Mul", 0.5, X), part),
    ]


EXACT_GELU_IN_FLOAT64 = node("Mul", node("Mul", 0.5, X), erfc(node("Mul", X, -math.sqrt(0.5))))


def _gelu(approximate: Any) -> Builder:
    def builder(assembly: Assembly) -> None:
        assembly.append(GELU(approximate))

    return builder


def _is(approximate: str) -> Any:
    return lambda operation, shape: operation.approximate == approximate


def _add_gelu(assembly: Assembly, approximate: Any) -> None:
    assembly.append(GELU(approximate))


def _has_temperature(operation: Any, shape: Shape) -> bool:
    return bool(operation.temperature != 1)


def _softmax(
    assembly: Assembly, axis: int = -1, along_all: Any = None, temperature: Array | None = None
) -> None:
    activation = Softmax(1.0 if temperature is None else number_of(temperature))
    axes = axes_from(assembly, axis) if along_all else [sample_axis(assembly, axis)]
    add_along(assembly, activation, axes)


def _log_softmax(assembly: Assembly, axis: int, along_all: Any) -> None:
    axes = axes_from(assembly, axis) if along_all else [sample_axis(assembly, axis)]
    add_along(assembly, LogSoftmax(), axes)


def _clip(
    assembly: Assembly, low: Array | float | None = None, high: Array | float | None = None
) -> None:
    numbers = [None if one is None else number_of(one) for one in (low, high)]
    # The largest numbers of float32 stand for no limit.
    add_clip(assembly, *(one if one is None or abs(one) < 3e38 else None for one in numbers))


def _hard_sigmoid(assembly: Assembly, alpha: float, beta: float) -> None:
    add_arithmetic(assembly, weights=np.array(alpha), biases=np.array(beta))
    add_clip(assembly, 0.0, 1.0)


def _negative_slopes(assembly: Assembly, slopes: Array) -> None:
    add_prelu(assembly, -slopes)


def _slopes(operation: PReLU, shape: Shape) -> dict[str, Any]:
    return {"slopes": operation.weights[0]}


EXPORT: dict[type[Operation], Pattern] = {
    Linear: single(node("Identity", X)),
    Step: single(node("Where", node("GreaterOrEqual", X, 0.0), 1.0, 0.0)),
    Sigmoid: single(node("Sigmoid", X)),
    Tanh: single(node("Tanh", X)),
    ReLU: single(node("Relu", X)),
    LeakyReLU: Pattern(
        (
            Form(node("LeakyRelu", X, alpha=ALPHA)),
            Form(_where_positive(node("Mul", X, ALPHA))),
        )
    ),
    ELU: Pattern(
        (
            Form(node("Elu", X, alpha=ALPHA)),
            Form(_where_positive(node("Mul", EXPM1_OF_NEGATIVE, ALPHA))),
        )
    ),
    SELU: Pattern(
        (
            Form(node("Selu", X, alpha=SELU_ALPHA, gamma=SELU_SCALE)),
            Form(
                node("Mul", _where_positive(node("Mul", EXPM1_OF_NEGATIVE, SELU_ALPHA)), SELU_SCALE)
            ),
        )
    ),
    PReLU: Pattern(
        (
            Form(node("PRelu", X, SLOPES)),
            # Not as LeakyReLU, whose pattern a single slope would be taken for.
            Form(node("Add", node("Max", X, 0.0), node("Mul", node("Min", X, 0.0), SLOPES))),
        ),
        arguments=_slopes,
        builder=add_prelu,
    ),
    Softplus: Pattern((Form(node("Softplus", X)), Form(SOFTPLUS))),
    Mish: Pattern(
        (
            Form(node("Mish", X)),
            Form(node("Mul", X, node("Tanh", node("Softplus", X)))),
            Form(node("Mul", X, node("Tanh", SOFTPLUS))),
        )
    ),
    Swish: single(node("Mul", X, node("Sigmoid", X))),
    GELU: Pattern(
        (
            Form(node("Gelu", X, approximate=Argument("approximate")), builder=_add_gelu),
            Form(_half_of_x_times(ONE_PLUS_TANH[0])[0], when=_is("tanh"), builder=_gelu("tanh")),
            Form(_half_of_x_times(ONE_PLUS_ERF[0])[0], when=_is("none"), builder=_gelu("none")),
            Form(EXACT_GELU_IN_FLOAT64, when=_is("none"), builder=_gelu("none")),
        )
    ),
    Softmax: Pattern(
        (
            Form(
                node("Softmax", node("Div", X, TEMPERATURE), axis=-1), "last", when=_has_temperature
            ),
            Form(node("Softmax", X, axis=-1), "last"),
        ),
        builder=_softmax,
    ),
    LogSoftmax: single(node("LogSoftmax", X, axis=-1), _log_softmax, axes="last"),
}

IMPORT: list[tuple[Node, Builder]] = [
    *(
        (expression, _gelu(approximate))
        for approximate, parts in (("tanh", ONE_PLUS_TANH), ("none", ONE_PLUS_ERF))
        for part in parts
        for expression in _half_of_x_times(part)
    ),
    # Above 20, the softplus of a number is that number, to 3e-9.
    (node("Where", node("Greater", X, 20.0), X, node("Softplus", X)), default_builder(Softplus)),
    (node("Clip", X, LOW, HIGH), _clip),
    (node("Clip", X, LOW), _clip),
    (node("Clip", X, None, HIGH), _clip),
    (node("Clip", X, min=LOW, max=HIGH), _clip),  # before operator set 11
    (node("Max", X, LOW), _clip),
    (node("Min", X, HIGH), _clip),
    (node("HardSigmoid", X, alpha=ALPHA, beta=Argument("beta")), _hard_sigmoid),
    (node("Swish", X), default_builder(Swish)),  # since operator set 24
    (node("GreaterOrEqual", X, 0.0), default_builder(Step)),
    # As Keras writes PReLU.
    (
        node("Add", node("Relu", X), node("Mul", node("Relu", node("Neg", X)), SLOPES)),
        _negative_slopes,
    ),
    (node("Softmax", X, **AXIS), _softmax),
    (node("Softmax", node("Div", X, TEMPERATURE), **AXIS), _softmax),
    (node("LogSoftmax", X, **AXIS), _log_softmax),
]
