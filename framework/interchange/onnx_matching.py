"""Whether an expression computes a value of a graph, and with which arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from framework.interchange.onnx_expressions import (
    Argument,
    Expression,
    Inputs,
    Node,
    Positions,
    Slices,
)
from framework.interchange.onnx_graph import Graph
from framework.interchange.onnx_nodes import GraphNode

# The values found for the arguments of an expression, and under ``INPUTS`` the name of its inputs.
Found: TypeAlias = dict[str, Any]
INPUTS = "inputs"


class Later(str):
    """The name of a constant that is known when the operations before it are."""


def match(
    graph: Graph, expression: Expression, value: str, found: Found | None = None
) -> Found | None:
    """Return the arguments of ``expression`` if it computes ``value`` in ``graph``, else None.

    ``found`` has the arguments that were found so far, which are returned too. A constant that
    depends on the shapes of other values is found as its name, a ``Later``.
    """
    found = found or {}
    if expression is None:
        return found if not value else None
    if isinstance(expression, Inputs):
        same = graph.depends_on_data(value) and found.get(INPUTS, value) == value
        return {**found, INPUTS: value} if same else None
    if isinstance(expression, Node):
        if expression.operator == "Cast":  # which a graph is known without
            return match(graph, expression.inputs[0], value, found)
        return _match_node(graph, expression, value, found)
    if isinstance(expression, Positions) or value not in graph.constants:
        return None
    constant = graph.constants.array(value)
    if isinstance(expression, Argument):
        return {**found, expression.name: Later(value) if constant is None else constant}
    number = constant.item() if constant is not None and constant.shape in ((), (1,)) else math.nan
    return found if is_close(number, expression) else None


def _match_node(graph: Graph, expression: Node, value: str, found: Found) -> Found | None:
    node = graph.nodes.get(value)
    if node is None or node.operator != expression.operator or node.attributes is None:
        return None
    # A part of an expression that stands in several places is matched once.
    if found.get(_key(expression)) == value:
        return found
    if node.outputs[expression.output] != value:
        return None
    for name in {*node.attributes, *expression.attributes}:
        setting, expected = node.attributes.get(name), expression.attributes.get(name)
        if isinstance(expected, Argument):
            found = {**found, expected.name: setting}
        elif not _is_same(setting, node.defaults.get(name) if expected is None else expected):
            return None
    if len(expression.inputs) == 1 and isinstance(expression.inputs[0], Positions):
        result = _match_positions(graph, expression.inputs[0], node, found)
    else:
        orders = [expression.inputs]
        if expression.commutative:
            orders.append(expression.inputs[::-1])
        matches = (_match_operands(graph, parts, node.inputs, found) for parts in orders)
        result = next((one for one in matches if one is not None), None)
    return None if result is None else {**result, _key(expression): value}


def _match_operands(
    graph: Graph, parts: Sequence[Expression], values: Sequence[str], found: Found
) -> Found | None:
    if len(parts) != len(values):
        return None
    result: Found | None = found
    for part, value in zip(parts, values, strict=True):
        result = None if result is None else match(graph, part, value, result)
    return result


def _match_positions(
    graph: Graph, expression: Positions, node: GraphNode, found: Found
) -> Found | None:
    """Match operands that are all slices of one value, along the axes of an image."""
    sources, numbers = set(), list[list[list[int]]]()
    for one in map(graph.nodes.get, node.inputs):
        if one is None or one.operator != "Slice":
            return None
        arrays = [graph.constants.array(name) for name in one.inputs[1:]]
        sources.add(one.inputs[0])
        numbers.append(
            [array.tolist() for array in arrays if array is not None and array.ndim == 1]
        )
    if len(sources) != 1 or any(len(lists) != 4 for lists in numbers):
        return None
    starts, ends, axes, steps = (list(lists) for lists in zip(*numbers, strict=True))
    along = list(range(1, 1 + len(axes[0])))
    if any(one != along for one in axes) or any(one != steps[0] for one in steps):
        return None
    return match(
        graph,
        expression.values,
        sources.pop(),
        {**found, expression.name: Slices(starts, ends, steps[0])},
    )


def _key(expression: Node) -> str:
    return f"node {id(expression)}"


def _is_same(setting: Any, expected: Any) -> bool:
    if isinstance(setting, float) and isinstance(expected, float):
        return is_close(setting, expected)
    return bool(setting == expected)


def is_close(number: float, expected: float) -> bool:
    """Whether a number in a file is the one that is meant."""
    # Programs round constants to float32, or write fewer digits.
    return math.isclose(number, expected, rel_tol=1e-6)
