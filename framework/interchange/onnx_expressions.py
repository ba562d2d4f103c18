"""Expressions of ONNX operators, such as ``Mul(X, Sigmoid(X))``.

An expression is a tree: operators, whose inputs are the inputs of the operation (``X``), numbers,
arguments of the operation, or further expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias


class Inputs:
    """Stands for the inputs of the operation."""


@dataclass(frozen=True)
class Argument:
    """Stands for a number or an array of the operation, such as its ``weights``."""

    name: str


@dataclass(frozen=True)
class Node:
    """An ONNX operator with its inputs and all of its attributes. A number is a constant."""

    operator: str
    inputs: tuple[Expression, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def commutative(self) -> bool:
        """Whether the order of the inputs makes no difference."""
        return self.operator in ("Add", "Mul", "Max", "Min")

    @property
    def size(self) -> int:
        """The number of operators in the expression."""
        return 1 + sum(part.size for part in self.inputs if isinstance(part, Node))


Expression: TypeAlias = Inputs | Argument | Node | float

X = Inputs()


def node(operator: str, *inputs: Expression, **attributes: Any) -> Node:
    """Return an operator with these inputs and attributes."""
    return Node(operator, inputs, attributes)


def argument_names(expression: Expression) -> Iterator[str]:
    """Yield the name of each argument in ``expression``."""
    if isinstance(expression, Argument):
        yield expression.name
    elif isinstance(expression, Node):
        for part in (*expression.inputs, *expression.attributes.values()):
            yield from argument_names(part)
