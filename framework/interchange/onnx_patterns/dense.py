"""The patterns of dense layers, and of constants that values are scaled by."""

from __future__ import annotations

from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.foreign.arithmetic import add_arithmetic
from framework.interchange.foreign.dense import add_dense
from framework.interchange.onnx_expressions import Argument, Node, X, node
from framework.interchange.onnx_patterns.pattern import Builder, Form, Pattern
from framework.layers import Dense, Normalization, Scale
from framework.operation import LastAxis, Operation, Shape
from optimizers.arrays import Array

WEIGHTS, BIASES = Argument("weights"), Argument("biases")
MEAN, REST, DEVIATION = Argument("mean"), Argument("rest"), Argument("deviation")
FACTOR, OFFSET = Argument("factor"), Argument("offset")
GEMM: dict[str, Any] = {
    "alpha": Argument("alpha"),
    "beta": Argument("beta"),
    "transB": Argument("transposed"),
}


def _takes_rows(layer: Dense, shape: Shape) -> bool:
    return shape is not None and len(shape) == 1 and not isinstance(shape, LastAxis)


def _adds(layer: Dense, shape: Shape) -> bool:
    return layer.use_bias


def _takes_rows_and_adds(layer: Dense, shape: Shape) -> bool:
    return _takes_rows(layer, shape) and _adds(layer, shape)


def _dense_arguments(layer: Dense, shape: Shape) -> dict[str, Array]:
    return {"weights": layer.weights, **({"biases": layer.biases[0]} if layer.use_bias else {})}


def _gemm(
    assembly: Assembly,
    weights: Array,
    biases: Array | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
    transposed: int = 0,
) -> None:
    if len(assembly.sizes) != 1:
        raise ValueError(f"expected rows, found samples of shape {assembly.sizes}")
    if alpha != 1:
        weights = weights * weights.dtype.type(alpha)
    if biases is not None:
        biases = None if beta == 0 else biases * np.asarray(beta, biases.dtype)
    add_dense(assembly, weights.T if transposed else weights, biases)


def _scale(assembly: Assembly, factor: Array, offset: Array | None = None) -> None:
    add_arithmetic(assembly, weights=factor, biases=offset)


def _negative(assembly: Assembly, biases: Array | None = None) -> None:
    add_arithmetic(assembly, weights=np.array(-1, np.float32), biases=biases)


def _subtract(assembly: Assembly, factor: Array, offset: Array) -> None:
    add_arithmetic(assembly, weights=factor, biases=-offset)


def _normalization_arguments(layer: Normalization, shape: Shape) -> dict[str, Array]:
    deviation = layer.deviation[0]
    # What is divided by infinity is 0, as the values of a constant feature are.
    return {
        "mean": layer.mean[0],
        "rest": layer.mean_rest[0],
        "deviation": np.where(deviation > 0, deviation, np.inf),
    }


def _has_no_rest(layer: Normalization, shape: Shape) -> bool:
    return not layer.mean_rest.any()


EXPORT: dict[type[Operation], Pattern] = {
    Dense: Pattern(
        (
            Form(node("Gemm", X, WEIGHTS, BIASES), "last", when=_takes_rows_and_adds),
            Form(node("Gemm", X, WEIGHTS), "last", when=_takes_rows),
            Form(node("Add", node("MatMul", X, WEIGHTS), BIASES), "last", when=_adds),
            Form(node("MatMul", X, WEIGHTS), "last"),
        ),
        arguments=_dense_arguments,
        builder=add_dense,
    ),
    Normalization: Pattern(
        (
            Form(node("Div", node("Sub", X, MEAN), DEVIATION), when=_has_no_rest),
            Form(node("Div", node("Sub", node("Sub", X, MEAN), REST), DEVIATION)),
        ),
        arguments=_normalization_arguments,
        builder=add_arithmetic,
    ),
    Scale: Pattern((Form(node("Add", node("Mul", X, FACTOR), OFFSET)),), builder=_scale),
}

IMPORT: list[tuple[Node, Builder]] = [
    (node("Gemm", X, WEIGHTS, BIASES, **GEMM), _gemm),
    (node("Gemm", X, WEIGHTS, **GEMM), _gemm),
    (node("Add", X, BIASES), add_arithmetic),
    (node("Sub", X, MEAN), add_arithmetic),
    (node("Mul", X, WEIGHTS), add_arithmetic),
    (node("Div", X, DEVIATION), add_arithmetic),
    (node("Mul", node("Sub", X, MEAN), WEIGHTS), add_arithmetic),
    (node("Sub", node("Mul", X, FACTOR), OFFSET), _subtract),
    (node("Add", node("Div", X, DEVIATION), BIASES), add_arithmetic),
    (node("Neg", X), _negative),
    (node("Sub", BIASES, X), _negative),
]
