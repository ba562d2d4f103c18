"""The ONNX pattern of each operation: its entry in ``EXPORT``.

A pattern is written into a graph when a model is exported, and looked for in a graph when one is
imported, so one entry does both. ``IMPORT`` has the patterns of PyTorch and scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    Linear,
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
from framework.interchange.builders import build, build_dense
from framework.interchange.onnx_expressions import (
    Argument,
    Expression,
    Node,
    X,
    argument_names,
    node,
)
from framework.layers import BatchNormalization, Dense, Dropout, Flatten, Normalization, Scale
from framework.operation import Operation, Shape
from optimizers.arrays import Array
from optimizers.configuration import constructor_arguments

# Makes the operations, in order, from the values that are found for the arguments of a pattern.
Builder: TypeAlias = Callable[..., list[Operation]]


@dataclass(frozen=True)
class Pattern:
    """The form of an operation in ONNX.

    Attributes:
        expression: the ONNX operators that compute it. ``X`` alone leaves the operation out.
        in_float64: the expression for float64, where onnxruntime has an operator in float32 only.
        in_more_axes: the expression for inputs of more axes than ``(samples, features)``.
        by_default: a shorter expression for an operation with the default arguments.
        arguments: returns the values of the expression's arguments by name. None reads the
            operation's attributes of these names.
        builder: makes the operation again. None calls its class with the constructor's arguments,
            and copies the arrays (see ``build``).
    """

    expression: Expression
    in_float64: Node | None = None
    in_more_axes: Node | None = None
    by_default: Node | None = None
    arguments: Callable[[Any], dict[str, ArrayLike]] | None = None
    builder: Builder | None = None

    def expression_for(
        self, operation: Any, cls: type, dtype: np.dtype[Any], shape: Shape
    ) -> Expression:
        """Return the expression of ``operation``, which computes as ``cls``, in ``dtype``.

        ``shape`` is that of one sample of its inputs, if known.
        """
        if self.in_more_axes is not None and shape is not None and len(shape) > 1:
            return self.in_more_axes
        defaults = {name: p.default for name, p in constructor_arguments(cls).items()}
        if self.by_default is not None and all(
            getattr(operation, name) == default for name, default in defaults.items()
        ):
            return self.by_default
        if self.in_float64 is not None and dtype == np.float64:
            return self.in_float64
        return self.expression

    def values(self, operation: Any, expression: Expression) -> dict[str, ArrayLike]:
        """Return the values of the arguments in ``expression``, by name."""
        if self.arguments is not None:
            return self.arguments(operation)
        return {name: getattr(operation, name) for name in argument_names(expression)}


def _dense_arguments(layer: Dense) -> dict[str, ArrayLike]:
    biases = layer.biases[0] if layer.use_bias else np.zeros_like(layer.weights[0])
    return {"weights": layer.weights, "biases": biases}


def _dense(weights: Array, biases: Array | float = 0.0, transposed: int = 0) -> list[Operation]:
    return [build_dense(weights.T if transposed else weights, biases)]


def _folded_statistics(layer: BatchNormalization) -> dict[str, ArrayLike]:
    """Return the arguments of a batch normalization with its running statistics folded in.

        output = (inputs - running_mean) * (weights / √(running_variance + epsilon)) + biases

    The mean could be folded into the biases too, but a large mean would cost digits.
    """
    variance = layer.running_variance.astype(np.float64) + layer.epsilon
    return {
        "running_mean": layer.running_mean[0],
        "weights": (layer.weights / np.sqrt(variance))[0],
        "biases": layer.biases[0],
    }


def _folded(**arrays: Array) -> list[Operation]:
    layer = build(BatchNormalization, **arrays)
    # The weights are divided already: running_variance + epsilon is 1.
    layer.running_variance = np.ones_like(layer.running_variance) - layer.epsilon
    return [layer]


def _normalization_arguments(layer: Normalization) -> dict[str, ArrayLike]:
    deviation = layer.deviation[0]
    factor = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return {"mean": layer.mean[0], "weights": factor}


def _normalization(mean: Array, weights: Array) -> list[Operation]:
    deviation = np.divide(1, weights, out=np.zeros_like(weights), where=weights != 0)
    n_features, dtype = np.size(mean), np.asarray(mean).dtype
    return [Normalization(n_features, mean=mean, deviation=deviation, dtype=dtype)]


def _prelu_arguments(operation: PReLU) -> dict[str, ArrayLike]:
    return {"weights": operation.weights[0]}


def _prelu(weights: Array) -> list[Operation]:
    return [build(PReLU, weights=np.atleast_1d(weights))]


def _both_classes() -> list[Operation]:
    # The sigmoid of a number is the softmax of 0 and that number.
    return [build_dense(np.array([[0, 1]], dtype=np.float32)), Softmax()]


def _gelu(approximate: Any = "none") -> list[Operation]:
    return [GELU(approximate)]


# The expressions are written in this version of ONNX's operators, the first that has GELU.
OPERATOR_SET = 20

WEIGHTS, BIASES, MEAN = Argument("weights"), Argument("biases"), Argument("running_mean")
ALPHA = Argument("alpha")
# Attributes are written down even where they have their defaults, since import compares them all.
GEMM = {"alpha": 1.0, "beta": 1.0, "transA": 0}

# Types of ONNX's tensors.
FLOAT, DOUBLE = 1, 11

# The operators that onnxruntime does not have in float64.
SOFTPLUS = node(
    "Add",
    node("Max", X, 0.0),
    node("Log", node("Add", node("Exp", node("Neg", node("Abs", X))), 1.0)),
)
GELUS = node("Gelu", X, approximate=Argument("approximate"))
# Its error function is right to the digits of float32.
ERF = node("Erf", node("Cast", node("Mul", X, math.sqrt(0.5)), to=FLOAT, saturate=1))
EXACT_GELU_IN_FLOAT64 = node(
    "Mul", X, node("Mul", 0.5, node("Add", 1.0, node("Cast", ERF, to=DOUBLE, saturate=1)))
)
EXPM1_OF_NEGATIVE = node("Sub", node("Exp", node("Min", X, 0.0)), 1.0)


def _where_positive(negative: Node) -> Node:
    return node("Where", node("Greater", X, 0.0), X, negative)


EXPORT: dict[type[Operation], Pattern] = {
    Dense: Pattern(
        node("Gemm", X, WEIGHTS, BIASES, **GEMM, transB=0),
        in_more_axes=node("Add", node("MatMul", X, WEIGHTS), BIASES),
        arguments=_dense_arguments,
        builder=_dense,
    ),
    # ONNX's own operator wants the channels of an image before its rows and columns.
    BatchNormalization: Pattern(
        node("Add", node("Mul", node("Sub", X, MEAN), WEIGHTS), BIASES),
        arguments=_folded_statistics,
        builder=_folded,
    ),
    Normalization: Pattern(
        node("Mul", node("Sub", X, Argument("mean")), WEIGHTS),
        arguments=_normalization_arguments,
        builder=_normalization,
    ),
    Dropout: Pattern(X),
    Flatten: Pattern(node("Flatten", X, axis=1)),
    Scale: Pattern(node("Add", node("Mul", X, Argument("factor")), Argument("offset"))),
    Linear: Pattern(node("Identity", X)),
    Step: Pattern(node("Where", node("GreaterOrEqual", X, 0.0), 1.0, 0.0)),
    Sigmoid: Pattern(node("Sigmoid", X)),
    Tanh: Pattern(node("Tanh", X)),
    ReLU: Pattern(node("Relu", X)),
    LeakyReLU: Pattern(
        node("LeakyRelu", X, alpha=ALPHA),
        in_float64=_where_positive(node("Mul", X, ALPHA)),
    ),
    ELU: Pattern(
        node("Elu", X, alpha=ALPHA),
        in_float64=_where_positive(node("Mul", EXPM1_OF_NEGATIVE, ALPHA)),
    ),
    SELU: Pattern(
        node("Selu", X, alpha=SELU_ALPHA, gamma=SELU_SCALE),
        in_float64=node(
            "Mul", _where_positive(node("Mul", EXPM1_OF_NEGATIVE, SELU_ALPHA)), SELU_SCALE
        ),
    ),
    # In float64 not as LeakyReLU, whose pattern a single slope would be taken for.
    PReLU: Pattern(
        node("PRelu", X, WEIGHTS),
        in_float64=node("Add", node("Max", X, 0.0), node("Mul", node("Min", X, 0.0), WEIGHTS)),
        arguments=_prelu_arguments,
        builder=_prelu,
    ),
    Softplus: Pattern(node("Softplus", X), in_float64=SOFTPLUS),
    Mish: Pattern(node("Mish", X), in_float64=node("Mul", X, node("Tanh", SOFTPLUS))),
    Swish: Pattern(node("Mul", X, node("Sigmoid", X))),
    GELU: Pattern(GELUS, by_default=GELUS, in_float64=EXACT_GELU_IN_FLOAT64, builder=_gelu),
    Softmax: Pattern(
        node("Softmax", node("Div", X, Argument("temperature")), axis=-1),
        by_default=node("Softmax", X, axis=-1),
    ),
}


def _default_builder(cls: type[Operation]) -> Builder:
    def builder(**found: Any) -> list[Operation]:
        taken = constructor_arguments(cls)
        values = {name: _number(v) if name in taken else v for name, v in found.items()}
        return [build(cls, **values)]

    return builder


def _number(value: Array | float) -> float:
    array = np.asarray(value)
    if array.shape not in ((), (1,)):
        raise ValueError(f"expected one number, received shape {array.shape}")
    return shortest(array.reshape(-1)[0])


def shortest(number: np.generic) -> float:
    """Return the float with the fewest digits that is ``number`` in its dtype, such as 0.1."""
    return float(str(number))


CUBES = [node("Mul", X, node("Mul", X, X)), node("Pow", X, 3.0)]
ONE_PLUS_TANH = [
    node("Add", 1.0, node("Tanh", node("Mul", SCALE, node("Add", X, node("Mul", CUBIC, cube)))))
    for cube in CUBES
]

ONE_PLUS_ERF = [
    node("Add", 1.0, node("Erf", scaled))
    for scaled in (node("Div", X, math.sqrt(2)), node("Mul", X, math.sqrt(0.5)))
]

IMPORT: list[tuple[Node, Builder]] = [
    (node("Gemm", X, WEIGHTS, BIASES, **GEMM, transB=Argument("transposed")), _dense),
    (node("Gemm", X, WEIGHTS, **GEMM, transB=Argument("transposed")), _dense),
    (node("Add", node("MatMul", X, WEIGHTS), BIASES), _dense),
    (node("MatMul", X, WEIGHTS), _dense),
    (
        node(
            "BatchNormalization",
            *(X, WEIGHTS, BIASES, MEAN, Argument("running_variance")),
            epsilon=Argument("epsilon"),
            momentum=Argument("momentum"),
            training_mode=0,  # since operator set 14
            spatial=1,  # until operator set 8
        ),
        _default_builder(BatchNormalization),
    ),
    # Above 20, the softplus of a number is that number, to 3e-9.
    (node("Where", node("Greater", X, 20.0), X, node("Softplus", X)), _default_builder(Softplus)),
    # Before operator set 18, which has Mish.
    (node("Mul", X, node("Tanh", node("Softplus", X))), _default_builder(Mish)),
    *((node("Mul", 0.5, node("Mul", X, part)), _default_builder(GELU)) for part in ONE_PLUS_TANH),
    *((node("Mul", X, node("Mul", 0.5, part)), _default_builder(GELU)) for part in ONE_PLUS_TANH),
    *((node("Mul", 0.5, node("Mul", X, part)), _gelu) for part in ONE_PLUS_ERF),
    *((node("Mul", X, node("Mul", 0.5, part)), _gelu) for part in ONE_PLUS_ERF),
    *((node("Mul", node("Mul", 0.5, X), part), _gelu) for part in ONE_PLUS_ERF),
    # Both probabilities of a classifier of two classes.
    (
        node("Concat", node("Sub", 1.0, node("Sigmoid", X)), node("Sigmoid", X), axis=1),
        _both_classes,
    ),
]


def _all_patterns() -> Iterator[tuple[Node, Builder]]:
    yield from IMPORT
    for cls, pattern in EXPORT.items():
        builder = pattern.builder or _default_builder(cls)
        for expression in (pattern.expression, pattern.by_default, pattern.in_float64):
            if isinstance(expression, Node):
                yield expression, builder


def patterns_by_operator() -> dict[str, list[tuple[Node, Builder]]]:
    """Return all patterns with their builders, by their last operator, the largest first."""
    found: dict[str, list[tuple[Node, Builder]]] = {}
    for expression, builder in sorted(_all_patterns(), key=lambda entry: -entry[0].size):
        found.setdefault(expression.operator, []).append((expression, builder))
    return found
