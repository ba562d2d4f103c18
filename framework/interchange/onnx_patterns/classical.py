"""The patterns of scikit-learn's converter, many of them operators for classical models."""

from __future__ import annotations

from typing import Any

import numpy as np

from framework.activations import Sigmoid, Softmax
from framework.interchange.assembly import Assembly
from framework.interchange.foreign.arithmetic import add_arithmetic
from framework.interchange.foreign.dense import add_dense
from framework.interchange.onnx_expressions import Argument, Node, X, node
from framework.interchange.onnx_patterns.pattern import Builder
from optimizers.arrays import Array

OFFSET, FACTOR = Argument("offset"), Argument("factor")
COEFFICIENTS, INTERCEPTS = Argument("coefficients"), Argument("intercepts")
TRANSFORM: dict[str, Any] = {
    "coefficients": COEFFICIENTS,
    "intercepts": INTERCEPTS,
    "post_transform": Argument("post_transform"),
}
LABELS: dict[str, Any] = {
    "classlabels_ints": Argument("numbers"),
    "classlabels_strings": Argument("names"),
    "multi_class": Argument("multi_class"),
}
ACTIVATIONS = {"NONE": None, "SOFTMAX": Softmax, "LOGISTIC": Sigmoid}


def _floats(numbers: list[float]) -> Array:
    return np.array(numbers, np.float32)


def _scaler(assembly: Assembly, offset: list[float], factor: list[float]) -> None:
    add_arithmetic(assembly, mean=_floats(offset), weights=_floats(factor))


def _linear(
    assembly: Assembly,
    coefficients: list[float],
    intercepts: list[float] | None,
    outputs: int,
    post_transform: str,
) -> None:
    if post_transform not in ACTIVATIONS:
        raise ValueError(f"post_transform={post_transform!r}: expected one of {[*ACTIVATIONS]}")
    weights = _floats(coefficients).reshape(outputs, -1).T
    add_dense(assembly, weights, None if intercepts is None else _floats(intercepts))
    activation = ACTIVATIONS[post_transform]
    if activation is not None:
        assembly.append(activation())


def _regressor(
    assembly: Assembly,
    coefficients: list[float],
    intercepts: list[float] | None,
    targets: int,
    post_transform: str,
) -> None:
    _linear(assembly, coefficients, intercepts, targets, post_transform)


def _classifier(
    assembly: Assembly,
    coefficients: list[float],
    intercepts: list[float],
    numbers: list[int] | None,
    names: list[str] | None,
    multi_class: int,
    post_transform: str,
) -> None:
    classes = len(numbers or names or intercepts)
    if len(intercepts) == 1 and classes == 2:
        # The score z of the second class alone: that of the first is such that both, or their
        # sigmoids, add up to 1.
        if post_transform == "SOFTMAX":
            raise ValueError("a softmax of a single score, on which programs do not agree")
        sum_of_both = 1.0 if post_transform == "NONE" else 0.0
        coefficients = [*(-number for number in coefficients), *coefficients]
        intercepts = [sum_of_both - intercepts[0], *intercepts]
    opposite = [-number for number in coefficients[len(coefficients) // 2 :]]
    if (classes, post_transform) == (2, "LOGISTIC") and [*coefficients][
        : len(opposite)
    ] == opposite:
        # The sigmoids of z and -z are the softmax of z / 2 and -z / 2.
        coefficients, intercepts = (
            [number / 2 for number in one] for one in (coefficients, intercepts)
        )
        post_transform = "SOFTMAX"
    if len(intercepts) != classes:
        raise ValueError(f"it has scores of {len(intercepts)} classes, and names of {classes}")
    _linear(assembly, coefficients, intercepts, classes, post_transform)


def _probabilities(assembly: Assembly, **found: Any) -> None:
    """Divided by their sum, the probabilities of a softmax stay what they are."""
    _classifier(assembly, **found)
    if not isinstance(assembly.last, Softmax):
        raise ValueError("norm='L1': probabilities that do not add up to 1 before")


def _both_classes(assembly: Assembly) -> None:
    # The sigmoid of a number is the softmax of 0 and that number.
    add_dense(assembly, np.array([[0, 1]], dtype=np.float32))
    assembly.append(Softmax())


CLASSIFIER = Node("LinearClassifier", (X,), {**TRANSFORM, **LABELS}, output=1)

EXPORT: dict[Any, Any] = {}
IMPORT: list[tuple[Node, Builder]] = [
    (node("Scaler", X, offset=OFFSET, scale=FACTOR), _scaler),
    (node("LinearRegressor", X, targets=Argument("targets"), **TRANSFORM), _regressor),
    (CLASSIFIER, _classifier),
    (node("Normalizer", CLASSIFIER, norm="L1"), _probabilities),
    (
        node("Concat", node("Sub", 1.0, node("Sigmoid", X)), node("Sigmoid", X), axis=1),
        _both_classes,
    ),
]
