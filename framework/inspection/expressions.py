"""The language of the formulas in docstrings: from text to a tree of terms.

    a + b · c / d @ e        sums and products; a product may also be written without a sign
    -a, a^b, a², aᵗ, aᵀ, √a, |a|
    max(a, b), log a, e^a    functions, and the constants e and π
    Σ a, Σₖ aₖ, mean over j of a
    a where b > 0            a choice; the next line is for elsewhere

What a formula cannot say in these terms ("the largest of the window") is not understood, and stays
text. Nothing is run: a term is a number, a name that is looked up, or one of the functions here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

# Letters and underscores, Greek ones too but for Σ, and a subscript.
NAME = "[A-Za-zΑ-ΡΤ-Ωα-ω][A-Za-z0-9_]*[₀-₉ₜ₊]*"
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)(?P<more>…)?"
    rf"|(?P<name>{NAME})(?:\[(?:[^\[\]]|\[[^\]]*\])*\])?"
    r"|(?P<power>[⁰¹²³⁴-⁹ᵗ]+)"
    r"|(?P<sum>Σ[ᵢⱼₖ]?)"
    r"|(?P<sign><=|>=|[-+*·/^@()|√ᵀ<>,…]))"
)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ᵗ", "0123456789t")
FUNCTIONS = ("abs", "clip", "erf", "exp", "log", "max", "mean", "min", "sign", "tanh")
# Formulas are read by functions that call each other for every pair of parentheses.
LONGEST, DEEPEST = 500, 40


class NotUnderstood(ValueError):
    """A formula, or a part of one, that is not written in the language of this module."""


@dataclass(frozen=True)
class Number:
    """A number, as it is written; ``exact`` is False for 1.0507…"""

    text: str
    exact: bool = True


@dataclass(frozen=True)
class Name:
    """A name whose value is looked up; ``transposed`` with ᵀ behind it."""

    name: str
    transposed: bool = False


@dataclass(frozen=True)
class Prefix:
    """``-a``, ``√a`` or ``|a|``."""

    sign: str
    inner: Term


@dataclass(frozen=True)
class Binary:
    """``a + b`` and its like. The sign of a product without one is "·", that of a power "^"."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Call:
    """A function of one or more terms."""

    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Series:
    """A sum or a mean: "Σ" over what the result has no axis for, "Σₖ" over the last axis, and
    "mean" over all axes but that of the samples.
    """

    kind: str
    inner: Term


@dataclass(frozen=True)
class Choice:
    """One term where a comparison holds, another elsewhere."""

    condition: Binary
    then: Term
    otherwise: Term


@dataclass(frozen=True)
class Sequence:
    """A product of a name with index 1, 2, … up to ``last``, written ``μ₁ μ₂ … μₜ``."""

    last: str


Term: TypeAlias = Number | Name | Prefix | Binary | Call | Series | Choice | Sequence


def parse(text: str) -> Term:
    """Return the tree of a formula's right-hand side. Raises NotUnderstood."""
    lines = text.splitlines()
    if len(lines) == 2 and re.search(r"\swhere\s", lines[0]) and "elsewhere" in lines[1]:
        first, condition = re.split(r"\swhere\s", lines[0], maxsplit=1)
        then, otherwise = _parse_line(first), _parse_line(lines[1].replace("elsewhere", ""))
        test = _parse_line(condition)
        if not (isinstance(test, Binary) and test.sign in ("<", ">", "<=", ">=")):
            raise NotUnderstood(f"{condition!r} compares nothing")
        return Choice(test, then, otherwise)
    return _parse_line(" ".join(lines))


def names_in(term: Term) -> set[str]:
    """Return the names that are looked up in a term."""
    match term:
        case Name(name):
            return {name}
        case Sequence(last):
            return {last}
        case Prefix(_, inner) | Series(_, inner):
            return names_in(inner)
        case Binary(_, left, right):
            return names_in(left) | names_in(right)
        case Call(_, arguments):
            return set().union(*map(names_in, arguments))
        case Choice(condition, then, otherwise):
            return names_in(condition) | names_in(then) | names_in(otherwise)
        case _:
            return set()


def _parse_line(text: str) -> Term:
    if len(text) > LONGEST:
        raise NotUnderstood("a formula of more than 500 characters")
    # A remark stands well apart, behind the formula.
    formula = re.split(r"(?<=\S)\s{3,}(?![-+*/@\s])", text)[0]
    reader = _Reader(formula)
    term = reader.comparison()
    if not reader.at_end():
        raise NotUnderstood(f"{formula!r} has more than a formula")
    return term


class _Reader:
    """Reads terms from left to right, the strongest bonds at the deepest level."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                raise NotUnderstood(f"{text[position:]!r} is not understood")
            for kind in ("number", "more", "name", "power", "sum", "sign"):
                if match[kind]:
                    self.tokens.append((kind, match[kind]))
            position = match.end()
        self.position = self.depth = 0

    def at_end(self) -> bool:
        return self.position == len(self.tokens)

    def comparison(self) -> Term:
        left = self.sum()
        sign = self._take("<", ">", "<=", ">=")
        return Binary(sign, left, self.sum()) if sign else left

    def sum(self) -> Term:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotUnderstood("a formula with too many parentheses")
        term = self.product()
        while sign := self._take("+", "-"):
            term = Binary(sign, term, self.product())
        self.depth -= 1
        return term

    def product(self) -> Term:
        term = self.factor()
        while True:
            if sign := self._take("*", "·", "/", "@"):
                term = Binary("·" if sign == "*" else sign, term, self.factor())
            elif self._begins_term():
                term = Binary("·", term, self.factor())
            else:
                return term

    def factor(self) -> Term:
        if self._take("-"):
            return Prefix("-", self.factor())
        term = self._powers(self.primary())
        return Binary("^", term, self.factor()) if self._take("^") else term

    def primary(self) -> Term:
        kind, text = self._peek()
        self.position += 1
        if kind == "number":
            return Number(text, exact=not self._take("…"))
        if kind == "name":
            return self._named(text)
        if kind == "sum":
            if self._take("over"):
                self._skip_to("of")
            return Series(text, self.product())
        if text == "(":
            return self._closed(")")
        if text == "|":
            return Prefix("|", self._closed("|"))
        if text == "√":
            return Prefix("√", self.primary())
        raise NotUnderstood(f"{text!r} begins no term" if text else "the formula has no end")

    def _named(self, name: str) -> Term:
        if name == "mean" and self._take("over"):
            self._skip_to("of")
            return Series("mean", self.product())
        if name in FUNCTIONS and (self._begins_term() or self._peek()[0] == "power"):
            power = self._peek()[1] if self._peek()[0] == "power" else ""
            self.position += bool(power)
            call = Call(name, self._arguments())
            return Binary("^", call, _exponent(power)) if power else call
        following = [text for _, text in self.tokens[self.position : self.position + 2]]
        if name.endswith("₁") and following == [name[:-1] + "₂", "…"]:
            self.position += 3
            return Sequence(self.tokens[self.position - 1][1])
        return Name(name, transposed=bool(self._take("ᵀ")))

    def _arguments(self) -> tuple[Term, ...]:
        if not self._take("("):
            return (self.factor(),)  # log y
        arguments = [self.sum()]
        while self._take(","):
            arguments.append(self.sum())
        if not self._take(")"):
            raise NotUnderstood("a parenthesis is not closed")
        return tuple(arguments)

    def _powers(self, term: Term) -> Term:
        while self._peek()[0] == "power":
            term = Binary("^", term, _exponent(self._peek()[1]))
            self.position += 1
        return term

    def _closed(self, sign: str) -> Term:
        term = self.sum()
        if not self._take(sign):
            raise NotUnderstood(f"a {sign!r} is missing")
        return term

    def _skip_to(self, word: str) -> None:
        while not self._take(word):
            if self.at_end():
                raise NotUnderstood(f"there is no {word!r} behind 'over'")
            self.position += 1

    def _begins_term(self) -> bool:
        kind, text = self._peek()
        return kind in ("number", "name", "sum") or text in ("(", "√")

    def _peek(self) -> tuple[str, str]:
        return ("", "") if self.at_end() else self.tokens[self.position]

    def _take(self, *texts: str) -> str:
        text = self._peek()[1]
        if text not in texts:
            return ""
        self.position += 1
        return text


def _exponent(power: str) -> Term:
    text = power.translate(SUPERSCRIPTS)
    return Number(text) if text.isdecimal() else Name(text)
