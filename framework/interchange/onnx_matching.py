"""Whether an expression computes a value of a graph, and with which arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from framework.interchange.onnx_expressions import Argument, Expression, Inputs, Node
from framework.interchange.onnx_graph import Graph

# The values found for the arguments of an expression, and under ``INPUTS`` the name of its inputs.
Found: TypeAlias = dict[str, Any]
INPUTS = "inputs"

# For values of more than two axes these operators compute something that no operation here does.
ROWS_ONLY = ("Gemm", "BatchNormalization", "Concat")


def match(
    graph: Graph, expression: Expression, value: str, found: Found | None = None
) -> Found | None:
    """Return the arguments of ``expression`` if it computes ``value`` in ``graph``, else None.

    ``found`` has the arguments that were found so far, which are returned too.
    """
    found = found or {}
    if isinstance(expression, Inputs):
        same = value in graph.shapes and found.get(INPUTS, value) == value
        return {**found, INPUTS: value} if same else None
    if isinstance(expression, Node):
        return _match_node(graph, expression, value, found)
    constant = graph.constants.get(value)
    if constant is None:
        return None
    if isinstance(expression, Argument):
        return {**found, expression.name: constant}
    number = constant.item() if constant.shape in ((), (1,)) else math.nan
    return found if _is_close(number, expression) else None


def _match_node(graph: Graph, expression: Node, value: str, found: Found) -> Found | None:
    node = graph.nodes.get(value)
    if node is None or node.op_type != expression.operator or node.output[0] != value:
        return None
    attributes = graph.attributes(node)
    axes = max(len(graph.shapes.get(name, ())) for name in node.input)
    if attributes is None or (expression.operator in ROWS_ONLY and axes != 2):
        return None
    if expression.operator == "Softmax":
        # Before operator set 13, softmax was over all axes from this one on.
        if graph.operator_set < 13 and axes != 2:
            return None
        attributes["axis"] -= axes if attributes["axis"] >= 0 else 0
    for name, setting in attributes.items():
        expected = expression.attributes.get(name)
        if isinstance(expected, Argument):
            found = {**found, expected.name: setting}
        elif setting != expected and not (
            isinstance(setting, float)
            and isinstance(expected, float)
            and _is_close(setting, expected)
        ):
            return None
    orders = [expression.inputs]
    if expression.commutative:
        orders.append(expression.inputs[::-1])
    matches = (_match_operands(graph, parts, list(node.input), found) for parts in orders)
    return next((result for result in matches if result is not None), None)


def _match_operands(
    graph: Graph, parts: Sequence[Expression], values: Sequence[str], found: Found
) -> Found | None:
    if len(parts) != len(values):
        return None
    result: Found | None = found
    for part, value in zip(parts, values, strict=True):
        result = None if result is None else match(graph, part, value, result)
    return result


def _is_close(number: float, expected: float) -> bool:
    # Programs round constants to float32, or write fewer digits.
    return math.isclose(number, expected, rel_tol=1e-6)
