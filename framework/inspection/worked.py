"""Formulas worked out for one element of an array: ``output[0, 2] = max(0, 0.31) = 0.31``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from framework.inspection import expressions as terms
from framework.inspection.arithmetic import CONSTANTS, Scope, evaluate, factors
from framework.inspection.expressions import NotUnderstood, Term, names_in, parse
from framework.inspection.formulas import Formula
from optimizers.arrays import Array

Index = tuple[int, ...]

# How strongly the parts of a text are bound together: what is bound less gets parentheses.
BONDS = {"<": 0, "<=": 0, ">": 0, ">=": 0, "+": 1, "-": 1, "·": 2, "/": 2, "^": 4}
NEGATIVE, ATOM = 3, 5
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
# Of a longer sum the first terms are written, and how many more there are.
SHOWN_TERMS = 4
# Arithmetic is shown if it gives the number that was computed, up to the rounding of float32.
TOLERANCE = 1e-3


def number(value: float) -> str:
    """Return a number with four digits; a whole one, such as that of a step, with all.

    >>> number(0.123456), number(-0.0), number(20371.0)
    ('0.1235', '0', '20371')
    """
    if abs(value) < 1e6 and float(value).is_integer():
        return str(int(value))
    return f"{value:.4g}"


def equation(left: str, text: str, value: str, decided: str = "") -> str:
    """Return "left = text = value", with what decided between two branches in parentheses.

    >>> equation("output[0]", "max(0, -2)", "0")
    'output[0] = max(0, -2) = 0'
    """
    line = f"{left} = {text}" + ("" if text == value else f" = {value}")
    return f"{line}   ({decided})" if decided else line


class Calculation:
    """The formulas of one object, with the numbers of one pass through it.

    Args:
        formulas: in their order; of several for one name, the first counts.
        values: of the names in them.
        results: the arrays that were computed, by the names of the formulas.
        independent_samples: see ``Scope``.
    """

    def __init__(
        self,
        formulas: Iterable[Formula],
        values: Mapping[str, Any],
        results: Mapping[str, Array],
        independent_samples: bool = True,
    ) -> None:
        self.formulas = {one.name: one for one in reversed(list(formulas))}
        self.results = dict(results)
        self.scope = Scope(values, self.formulas.values(), independent_samples=independent_samples)

    def line(
        self, name: str, index: Index, symbols: Mapping[str, Sequence[str]] | None = None
    ) -> str:
        """Return how element ``index`` of ``name`` was computed, or "" where that is not known.

        It is shown only if it gives the number that was computed. ``symbols`` are texts to write in
        place of the numbers of an array, for each place along its last axis.
        """
        formula, result = self.formulas.get(name), self.results.get(name)
        if formula is None or result is None:
            return ""
        try:
            term = parse(formula.text)
            values = evaluate(term, self.scope, result.shape).reshape(result.shape)
            writer = Writer(self.scope, result.shape, symbols)
            text = writer.write(term, index)
        except (NotUnderstood, ValueError, IndexError):
            return ""
        if not _agree(values[index], result[index]):
            return ""
        place = f"[{', '.join(map(str, index))}]" if index else ""
        return equation(name + place, text, number(float(result[index])), writer.decided)


def update_lines(
    formulas: Sequence[Formula],
    values: Mapping[str, Any],
    before: Array,
    after: Array,
    index: Index,
) -> list[str]:
    """Return how an optimizer changed element ``index`` of a parameter, a line for each formula.

    The formulas are steps, one after the other: each name stands for its last value. There are no
    lines if they do not lead from ``before`` to ``after``.

    Args:
        formulas: of the optimizer.
        values: of the names in them; state that is not there yet is 0.
    """
    lines = []
    try:
        steps = [(formula.name, parse(formula.text)) for formula in formulas]
        # What is computed from its own last value is 0 before the first step.
        new = {name: np.zeros_like(before) for name, term in steps if name in names_in(term)}
        known = {**new, **values, "parameter": before}
        for name, term in steps:
            scope = Scope(known, formulas)
            result = evaluate(term, scope, before.shape)
            if result.ndim:  # a number, such as that of the step, is looked up where it is used
                text = Writer(scope, before.shape).write(term, index)
                lines.append(equation(name, text, number(float(result[index]))))
                known[name] = result
    except (NotUnderstood, ValueError):
        return []
    return lines if _agree(known["parameter"][index], after[index]) else []


def _agree(computed: Any, actual: Any) -> bool:
    return bool(np.isclose(computed, actual, rtol=TOLERANCE, atol=1e-7, equal_nan=True))


class Writer:
    """Writes terms with numbers for one element of an array of ``shape``.

    Attributes:
        decided: the comparison that decided which branch of a choice was taken.
    """

    def __init__(
        self,
        scope: Scope,
        shape: tuple[int, ...],
        symbols: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.scope, self.shape = scope, shape
        self.symbols = {} if symbols is None else symbols
        self.decided = ""

    def write(self, term: Term, index: Index) -> str:
        """Return the text of ``term``. Raises NotUnderstood as ``evaluate``."""
        return self._write(term, index)[0]

    def _write(self, term: Term, index: Index) -> tuple[str, int]:
        match term:
            case terms.Number(text, exact):
                return text if exact else text + "…", ATOM
            case terms.Name(name):
                return self._name(name, index)
            case terms.Prefix("|", inner):
                return f"|{self.write(inner, index)}|", ATOM
            case terms.Prefix("-", inner):
                return "-" + self._bound(inner, index, BONDS["^"]), NEGATIVE
            case terms.Prefix(sign, inner):
                return sign + self._bound(inner, index, ATOM), ATOM
            case terms.Binary("@"):
                return self._matrix_product(term, index)
            case terms.Binary("^", base, terms.Number(text)) if text.isdecimal():
                return self._bound(base, index, ATOM) + text.translate(SUPERSCRIPTS), BONDS["^"]
            case terms.Binary("^", left, right):
                text = f"{self._bound(left, index, ATOM)}^{self._bound(right, index, ATOM)}"
                return text, BONDS["^"]
            case terms.Binary(sign, left, right):
                return self._binary(sign, left, right, index)
            case terms.Call("mean", _) | terms.Sequence():
                return _of_number(self._at(evaluate(term, self.scope), index))
            case terms.Call(function, arguments):
                inside = ", ".join(self.write(argument, index) for argument in arguments)
                return f"{function}({inside})", ATOM
            case terms.Series():
                return self._series(term, index)
            case terms.Choice(condition, then, otherwise):
                holds = bool(self._at(evaluate(condition, self.scope), index))
                comparison = self.write(condition, index)
                self.decided = comparison if holds else f"not {comparison}"
                return self._write(then if holds else otherwise, index)

    def _name(self, name: str, index: Index) -> tuple[str, int]:
        if name in self.symbols:
            symbol = self.symbols[name][index[-1]]
            return symbol, BONDS["+"] if " " in symbol else ATOM
        if name in CONSTANTS and not self.scope.knows(name):
            return name, ATOM
        return _of_number(self._at(self.scope.value(name), index))

    def _binary(self, sign: str, left: Term, right: Term, index: Index) -> tuple[str, int]:
        bond = BONDS[sign]
        first = self._bound(left, index, bond)
        # What is taken away or divided by needs parentheses around its equals as well.
        second = self._bound(right, index, bond + (sign in "-/"))
        if sign == "-" and second.startswith("-"):
            second = f"({second})"
        return f"{first}{'·' if sign == '·' else f' {sign} '}{second}", bond

    def _bound(self, term: Term, index: Index, bond: int) -> str:
        text, own = self._write(term, index)
        return text if own >= bond else f"({text})"

    def _at(self, values: Array, index: Index) -> float:
        while values.ndim > len(index) and values.shape[-1] == 1:
            values = values[..., 0]  # a column, for a result of one number for each sample
        own = values.shape
        if len(own) != len(index) or any(at >= n for at, n in zip(index, own, strict=True)):
            values = np.broadcast_to(values, self.shape)
        return float(values[index])

    def _matrix_product(self, term: terms.Binary, index: Index) -> tuple[str, int]:
        left, right = factors(term, self.scope)
        row = left[index[:-1]]
        symbols = self.symbols.get(term.left.name) if isinstance(term.left, terms.Name) else None
        weights = [number(value) for value in right[:, index[-1]]]
        if symbols is None:
            pairs = zip(map(number, row), weights, strict=True)
        else:
            pairs = zip(weights, symbols, strict=True)  # 0.31·x
        products = [f"{first}·{second}" for first, second in pairs]
        return _added(products, len(products)), BONDS["+" if len(products) > 1 else "·"]

    def _series(self, term: terms.Series, index: Index) -> tuple[str, int]:
        values = evaluate(term.inner, self.scope)
        places = list(_places(term.kind, values.shape, self.shape, index))
        outer, self.shape = self.shape, values.shape
        shown = [self._bound(term.inner, at, BONDS["+"]) for at in places[: SHOWN_TERMS + 1]]
        self.shape = outer
        text = _added(shown, len(places))
        if term.kind == "mean" and len(places) > 1:
            return f"({text}) / {len(places)}", BONDS["/"]
        return text, BONDS["+"]


def _of_number(value: float) -> tuple[str, int]:
    text = number(value)
    # "0.3·-1.2" and "1 + -2" are read at once, "-1²" is not.
    return text, BONDS["·"] if text.startswith("-") else ATOM


def _added(texts: Sequence[str], count: int) -> str:
    """Return the sum of the first of ``count`` terms, and how many more there are."""
    if count <= SHOWN_TERMS + 1:
        return " + ".join(texts)
    return " + ".join(texts[:SHOWN_TERMS]) + f" + … {count - SHOWN_TERMS:,} more"


def _places(
    kind: str, shape: tuple[int, ...], outer: tuple[int, ...], index: Index
) -> Iterable[Index]:
    """Return the places of an array of ``shape`` that make up element ``index`` of the result."""
    axes = len(shape)
    fixed: list[int | None]
    if kind == "Σ":
        own = [at if size > 1 else None for at, size in zip(index, outer, strict=True)]
        fixed = [*[None] * (axes - len(own)), *own]
    elif kind == "mean":
        fixed = [index[0], *[None] * (axes - 1)]
    else:
        fixed = [*index[: axes - 1], None]
    ranges = [range(n) if at is None else [at] for n, at in zip(shape, fixed, strict=True)]
    return itertools.product(*ranges)
