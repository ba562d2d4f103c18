"""The formulas of an operation, a loss or an optimizer, as its docstring has them.

A docstring is where the formula stands for those who read the code, so it is where a trace takes it
from: a line ``output = max(0, inputs)``, indented or between double backticks. What follows under
it, further to the right, belongs to it. A paragraph before it that names an argument and its value,
such as ``nesterov=True``, says when it holds.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from framework.inspection.expressions import NAME

# What stands behind the formulas in a docstring.
REST = re.compile(r"^(Shapes|Args|Attributes|Returns|Raises|Source|>>>)", re.MULTILINE)
# A name may have an index, "output[s, j]", or a suffix, "loss_s", that says of which element.
DEFINITION = re.compile(rf"({NAME})(?:\[[^\]]*\])?\s*\+?=\s(.+)", re.DOTALL)
INLINE = re.compile(r"``([^`]+)``")
CONDITION = re.compile(rf"``({NAME})=([^`]+)``")


@dataclass(frozen=True)
class Formula:
    """A line of a docstring that says how a number is computed.

    Attributes:
        name: of what is computed, such as "output" or "dweights".
        text: the right-hand side, as it is written; of several lines if it is.
        condition: the name of an argument and the repr of the value with which the formula holds,
            or None if it always does.
    """

    name: str
    text: str
    condition: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.name} = {self.text}"


def formulas_of(subject: Any) -> list[Formula]:
    """Return the formulas of an object's class that hold for its arguments, in their order.

    Where a name is defined again under a condition that holds, that definition takes the place of
    the one before. A class without a docstring of its own has the formulas of its base, unless it
    has a ``forward``, ``backward`` or ``update`` of its own: these may compute something else.
    """
    found: list[Formula] = []
    for formula in _formulas(_docstring(type(subject))):
        if formula.condition is not None:
            argument, value = formula.condition
            if repr(getattr(subject, argument, None)) != value:
                continue
            replaced = [i for i, one in enumerate(found) if one.name == formula.name]
            if replaced:
                found[replaced[-1]] = formula
                continue
        found.append(formula)
    conditional = {one.name for one in found if one.condition is not None}
    return [one for one in found if one.condition is not None or one.name not in conditional]


def _docstring(cls: type) -> str:
    for base in cls.__mro__:
        if vars(base).get("__doc__"):
            return REST.split(inspect.cleandoc(vars(base)["__doc__"]))[0]
        if {"forward", "backward", "update"} & vars(base).keys():
            return ""
    return ""


def _formulas(docstring: str) -> Iterator[Formula]:
    condition = None
    for paragraph in re.split(r"\n\s*\n", docstring):
        lines = paragraph.splitlines()
        if lines and all(line.startswith("    ") for line in lines):
            for name, text in _definitions(lines):
                yield Formula(name, text, condition)
            continue
        text = " ".join(lines)
        for inline in INLINE.findall(text):
            if (match := DEFINITION.fullmatch(inline)) and "==" not in inline:
                yield Formula(_plain(match[1]), match[2].strip())
        conditions = CONDITION.findall(text)
        # A value is written as in Python: "tanh", True, 2.
        condition = (conditions[-1][0], conditions[-1][1].replace('"', "'")) if conditions else None


def _definitions(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the names and the texts of an indented block."""
    name, text, column = "", "", 0
    for line in lines:
        match = DEFINITION.fullmatch(line.strip())
        indent = len(line) - len(line.lstrip())
        if match is not None and (not name or indent < column):
            if name:
                yield name, text
            name, text = _plain(match[1]), match[2]
            column = line.index(match[2])
        elif name:
            # Lines of one formula keep the places that they have under each other.
            text += "\n" + " " * max(0, indent - column) + line.strip()
    if name:
        yield name, text


def _plain(name: str) -> str:
    """Return a name without the suffix that says of which element: "output_j" is the output."""
    return re.sub(r"_[a-z]$", "", name)
