"""Expressions of ONNX operators, such as ``Mul(X, Sigmoid(X))``.

An expression is a tree: operators, whose operands are the inputs of the operation (``X``),
numbers, arguments of the operation, or further expressions. One that stands in several places of
a tree is the same value there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """An ONNX operator with its operands and attributes. A number is a constant.

    Attributes that are not named here have their defaults. ``output`` is the position of the
    output that is meant, where there are several.
    """

    operator: str
    inputs: tuple[Expression, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    output: int = 0

    @property
    def commutative(self) -> bool:
        """Whether the order of the inputs makes no difference."""
        return self.operator in ("Add", "Mul", "Max", "Min")

    @property
    def size(self) -> int:
        """The number of operators in the expression."""
        return 1 + sum(part.size for part in self.inputs if isinstance(part, (Node, Positions)))


@dataclass(frozen=True)
class Positions:
    """Stands for any number of operands: the values at each position of windows of ``values``.

    Each is a ``Slice`` of ``values`` that has what all windows see at one position, as in
    ``framework.layers.windows``. ``name`` is the argument that has the ``Slices``.
    """

    values: Expression
    name: str

    @property
    def size(self) -> int:
        """The number of operators, as if there was one position."""
        return 1 + (self.values.size if isinstance(self.values, Node) else 0)


@dataclass(frozen=True)
class Slices:
    """Where slices begin and end: a list for each, of a number for each axis of an image.

    Attributes:
        steps: between the values of a slice, a number for each axis.
    """

    starts: list[list[int]]
    ends: list[list[int]]
    steps: list[int]


# None is an operand that is left out.
Expression: TypeAlias = Inputs | Argument | Node | Positions | float | None

X = Inputs()


def node(operator: str, *inputs: Expression, **attributes: Any) -> Node:
    """Return an operator with these inputs and attributes."""
    return Node(operator, inputs, attributes)


def operators_in(expression: Expression) -> Iterator[Node]:
    """Yield each operator in ``expression``, the operators of several places once."""
    seen: set[int] = set()
    left: list[Expression] = [expression]
    while left:
        part = left.pop()
        if isinstance(part, Positions):
            left.append(part.values)
        if isinstance(part, Node) and id(part) not in seen:
            seen.add(id(part))
            yield part
            left += part.inputs


def arguments_in(expression: Expression) -> set[str]:
    """Return the names of the arguments in ``expression``."""
    found: set[str] = set()
    for part in operators_in(expression):
        operands: Sequence[Any] = [*part.inputs, *part.attributes.values()]
        found |= {one.name for one in operands if isinstance(one, (Argument, Positions))}
    return found
