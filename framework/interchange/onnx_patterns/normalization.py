"""The patterns of batch and layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.builders import number_of
from framework.interchange.foreign.arithmetic import add_arithmetic
from framework.interchange.foreign.normalization import (
    add_batch_normalization,
    add_layer_normalization,
)
from framework.interchange.onnx_expressions import Argument, Expression, Node, X, node
from framework.interchange.onnx_patterns.axes import axes_from, sample_axes
from framework.interchange.onnx_patterns.pattern import Builder, Form, Pattern
from framework.layers import BatchNormalization, LayerNormalization
from framework.operation import Operation, Shape
from optimizers.arrays import Array

WEIGHTS, BIASES, EPSILON = Argument("weights"), Argument("biases"), Argument("epsilon")
MEAN, VARIANCE = Argument("mean"), Argument("variance")
AXES, SECOND_AXES = Argument("axes"), Argument("second_axes")


def _folded_statistics(layer: BatchNormalization, shape: Shape) -> dict[str, Array]:
    """Return the arguments of a batch normalization with its running statistics folded in.

        output = (inputs - running_mean) * (weights / √(running_variance + epsilon)) + biases

    The mean could be folded into the biases too, but a large mean would cost digits.
    """
    variance = layer.running_variance.astype(np.float64) + layer.epsilon
    return {
        "mean": layer.running_mean[0],
        "weights": (layer.weights / np.sqrt(variance))[0],
        "biases": layer.biases[0],
    }


def _batch(
    assembly: Assembly,
    weights: Array,
    biases: Array,
    mean: Array,
    variance: Array,
    epsilon: float,
    momentum: float,
) -> None:
    arrays = {
        "weights": weights,
        "biases": biases,
        "running_mean": mean,
        "running_variance": variance,
    }
    add_batch_normalization(assembly, arrays, epsilon=epsilon, momentum=momentum)


def _normalized(mean: Any) -> Node:
    """Return (x - mean) / √(variance + epsilon), given how ``mean`` writes the mean of a value."""
    centred = node("Sub", X, mean(X, AXES))
    square = node("Mul", centred, centred)
    return _divided(centred, mean(square, SECOND_AXES))


def _divided(centred: Node, variance: Node) -> Node:
    return node("Div", centred, node("Sqrt", node("Add", variance, EPSILON)))


def _mean_by_attribute(value: Expression, axes: Argument) -> Node:
    return node("ReduceMean", value, axes=axes)


def _mean_by_operand(value: Expression, axes: Argument) -> Node:  # since operator set 18
    return node("ReduceMean", value, axes)


def _layer_arguments(layer: LayerNormalization, shape: Shape) -> dict[str, Any]:
    return {
        "weights": layer.weights[0],
        "biases": layer.biases[0],
        "epsilon": layer.epsilon,
        "axes": np.array([-1]),
        "second_axes": np.array([-1]),
    }


def _layer(
    assembly: Assembly,
    axes: Sequence[int],
    second_axes: Sequence[int],
    epsilon: Array | float,
    weights: Array | None = None,
    biases: Array | None = None,
) -> None:
    if list(axes) != list(second_axes):
        raise ValueError(f"its mean is over axes {axes}, its variance over {second_axes}")
    chosen = sorted(sample_axes(assembly, [int(axis) for axis in axes]))
    add_layer_normalization(assembly, chosen, number_of(epsilon), weights, biases)


def _layer_from(
    assembly: Assembly,
    weights: Array,
    axis: int,
    epsilon: float,
    biases: Array | None = None,
) -> None:
    add_layer_normalization(assembly, axes_from(assembly, axis), epsilon, weights, biases)


def _scaled(normalized: Node) -> Node:
    return node("Add", node("Mul", normalized, WEIGHTS), BIASES)


def _layer_forms() -> list[Node]:
    """Return the ways in which programs write layer normalization, scaled and shifted or not."""
    found = []
    for mean in (_mean_by_attribute, _mean_by_operand):
        centred = node("Sub", X, mean(X, AXES))
        for square in (node("Mul", centred, centred), node("Pow", centred, 2.0)):
            normalized = _divided(centred, mean(square, SECOND_AXES))
            found += [normalized, node("Mul", normalized, WEIGHTS), _scaled(normalized)]
    return found


EXPORT: dict[type[Operation], Pattern] = {
    # ONNX's own operator wants the channels of an image before its rows and columns.
    BatchNormalization: Pattern(
        (Form(_scaled(node("Sub", X, MEAN))),),
        arguments=_folded_statistics,
        builder=add_arithmetic,
    ),
    LayerNormalization: Pattern(
        (
            Form(
                node("LayerNormalization", X, WEIGHTS, BIASES, epsilon=EPSILON),
                "last",
                builder=_layer_from,
            ),
            Form(_scaled(_normalized(_mean_by_attribute)), "last"),
            Form(_scaled(_normalized(_mean_by_operand)), "last"),
        ),
        arguments=_layer_arguments,
        builder=_layer,
    ),
}

FROM_AXIS: dict[str, Any] = {"axis": Argument("axis"), "epsilon": EPSILON}
IMPORT: list[tuple[Node, Builder]] = [
    (
        node(
            "BatchNormalization",
            *(X, WEIGHTS, BIASES, MEAN, VARIANCE),
            epsilon=EPSILON,
            momentum=Argument("momentum"),
        ),
        _batch,
    ),
    (node("LayerNormalization", X, WEIGHTS, BIASES, **FROM_AXIS), _layer_from),
    (node("LayerNormalization", X, WEIGHTS, **FROM_AXIS), _layer_from),
    *((expression, _layer) for expression in _layer_forms()),
]
