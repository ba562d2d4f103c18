"""The complement of the error function in float64, where onnxruntime has none.

It is computed as in ``framework.activations.erf``, which has the source: a quotient of polynomials
in each of four ranges, of which every number takes its own.
"""

from __future__ import annotations

from framework.activations.erf import (
    BEYOND,
    ERF_NEAR_1,
    ERFC_IS_ZERO,
    UP_TO_0_84375,
    UP_TO_1_25,
    UP_TO_2_86,
    Polynomials,
)
from framework.interchange.onnx_expressions import Expression, Node, node

# Types of ONNX's tensors.
FLOAT, DOUBLE = 1, 11


def erfc(x: Expression) -> Node:
    """Return the expression of ``1 - erf(x)``."""
    size = node("Min", node("Abs", x), ERFC_IS_ZERO)
    positive = _choice(
        size,
        (0.84375, _low(size)),
        (1.25, _middle(size)),
        (1 / 0.35, _high(UP_TO_2_86, size)),
        (None, _high(BEYOND, size)),
    )
    return node("Where", node("Less", x, 0.0), node("Sub", 2.0, positive), positive)


def _choice(size: Node, *ranges: tuple[float | None, Node]) -> Node:
    """Return the value of the first range that ``size`` is below the end of."""
    (end, value), *others = ranges
    if end is None:
        return value
    return node("Where", node("Less", size, end), value, _choice(size, *others))


def _low(x: Node) -> Node:
    correction = node("Mul", x, _quotient(UP_TO_0_84375, node("Mul", x, x)))
    near = node("Sub", 1.0, node("Add", x, correction))
    # Above one fourth, 1 - erf would round erf first.
    far = node("Sub", 0.5, node("Add", node("Sub", x, 0.5), correction))
    return node("Where", node("Less", x, 0.25), near, far)


def _middle(x: Node) -> Node:
    return node("Sub", 1 - ERF_NEAR_1, _quotient(UP_TO_1_25, node("Sub", x, 1.0)))


def _high(polynomials: Polynomials, x: Node) -> Node:
    # The square of the first digits is exact, so exp loses none to a rounded argument.
    first = node("Cast", node("Cast", x, to=FLOAT), to=DOUBLE)
    square = node("Mul", node("Sub", first, x), node("Add", first, x))
    quotient = _quotient(polynomials, node("Div", 1.0, node("Mul", x, x)))
    outer = node("Exp", node("Sub", -0.5625, node("Mul", first, first)))
    inner = node("Exp", node("Add", square, quotient))
    return node("Div", node("Mul", outer, inner), x)


def _quotient(polynomials: Polynomials, x: Node) -> Node:
    numerator, denominator = (_polynomial(coefficients, x) for coefficients in polynomials)
    return node("Div", numerator, denominator)


def _polynomial(coefficients: tuple[float, ...], x: Node) -> Expression:
    """Return the polynomial of these coefficients, of rising powers, by Horner's rule."""
    result: Expression = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        result = node("Add", node("Mul", result, x), coefficient)
    return result
