"""What a term of a formula is worth, with arrays for its names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from framework.activations.erf import erf
from framework.inspection.expressions import (
    Binary,
    Call,
    Choice,
    Name,
    NotUnderstood,
    Number,
    Prefix,
    Sequence,
    Series,
    Term,
    parse,
)
from framework.inspection.formulas import Formula
from optimizers.arrays import Array

CONSTANTS = {"e": math.e, "π": math.pi}
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "clip": np.clip,
    "erf": erf,
    "exp": np.exp,
    "log": np.log,
    "max": np.maximum,
    "min": np.minimum,
    "sign": np.sign,
    "tanh": np.tanh,
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
ARITHMETIC: dict[str, Callable[..., Any]] = {
    **COMPARISONS,
    "+": np.add,
    "-": np.subtract,
    "·": np.multiply,
    "/": np.divide,
    "^": np.power,
}


class Scope:
    """What the names in formulas stand for.

    Args:
        values: arrays and numbers by name. A name that ends like "output_j" is looked up as it is,
            then as "output".
        formulas: of the names that are not among the values.
        independent_samples: whether ``mean(a)`` is over the features of a sample, or else over the
            samples of the batch.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        formulas: Iterable[Formula] = (),
        *,
        independent_samples: bool = True,
    ) -> None:
        self.values = dict(values)
        self.formulas: dict[str, str] = {}
        for formula in formulas:
            self.formulas.setdefault(formula.name, formula.text)
        self.independent_samples = independent_samples
        self._open: set[str] = set()

    def knows(self, name: str) -> bool:
        """Whether a name has a value or a formula of its own."""
        return name in self.values or name in self.formulas

    def value(self, name: str) -> Array:
        """Return the value of a name. Raises NotUnderstood if it has none."""
        for known in (name, name[:-2] if name[-2:-1] == "_" else name):
            if known in self.values:
                return np.asarray(self.values[known], dtype=np.float64)
            if known in self.formulas and known not in self._open:
                self._open.add(known)
                try:
                    return evaluate(parse(self.formulas[known]), self)
                finally:
                    self._open.remove(known)
        if name.endswith("ₜ₊₁"):
            return self._at_step(name[:-2], float(self.value("t")) + 1)
        if name in CONSTANTS:
            return np.asarray(CONSTANTS[name])
        raise NotUnderstood(f"{name} is not known")

    def product_to(self, last: str) -> Array:
        """Return the product of what ``last`` is at the steps 1, 2, … up to its own."""
        steps = int(self.value("t")) + last.endswith("₊₁")
        return np.asarray(np.prod(self._at_step(last.removesuffix("₊₁"), np.arange(1, steps + 1))))

    def _at_step(self, name: str, steps: Any) -> Array:
        if name not in self.formulas:
            raise NotUnderstood(f"{name} is not known")
        return evaluate(parse(self.formulas[name]), Scope({**self.values, "t": steps}))


def evaluate(term: Term, scope: Scope, shape: tuple[int, ...] | None = None) -> Array:
    """Return the value of a term in float64. ``Σ`` adds up to an array of ``shape``.

    Raises NotUnderstood where a name is not known, or shapes do not fit.
    """
    try:
        with np.errstate(all="ignore"):
            return _evaluate(term, scope, shape)
    except (ValueError, TypeError) as error:
        raise NotUnderstood(str(error)) from error


def _evaluate(term: Term, scope: Scope, shape: tuple[int, ...] | None) -> Array:
    def of(inner: Term) -> Array:
        return _evaluate(inner, scope, shape)

    match term:
        case Number(text):
            return np.asarray(float(text))
        case Name(name, transposed):
            value = scope.value(name)
            return _rows(value).T if transposed else value
        case Sequence(last):
            return scope.product_to(last)
        case Prefix("-", inner):
            return -of(inner)
        case Prefix("√", inner):
            return np.sqrt(of(inner))
        case Prefix(_, inner):
            return np.abs(of(inner))
        case Binary("@", left, right):
            return np.matmul(*factors(term, scope))
        case Binary(sign, left, right):
            return np.asarray(ARITHMETIC[sign](of(left), of(right)))
        case Call("mean", (inner,)):
            values = of(inner)
            axes = -1 if scope.independent_samples else tuple(range(values.ndim - 1))
            return values.mean(axis=axes, keepdims=True)
        case Call(function, arguments):
            return np.asarray(ELEMENTWISE[function](*map(of, arguments)))
        case Series("mean", inner):
            values = of(inner)
            return values.reshape(len(values), -1).mean(axis=1)
        case Series("Σ", inner):
            return _sum_to(of(inner), shape)
        case Series(_, inner):
            return of(inner).sum(axis=-1, keepdims=True)
        case Choice(condition, then, otherwise):
            return np.where(of(condition), of(then), of(otherwise))


def factors(term: Binary, scope: Scope) -> tuple[Array, Array]:
    """Return the two arrays of a product of matrices; samples and their places are rows."""
    left, right = (_evaluate(side, scope, None) for side in (term.left, term.right))
    is_transposed = isinstance(term.left, Name) and term.left.transposed
    return left, _rows(right) if is_transposed else right


def _rows(values: Array) -> Array:
    return values if values.ndim < 3 else values.reshape(-1, values.shape[-1])


def _sum_to(values: Array, shape: tuple[int, ...] | None) -> Array:
    """Add up ``values`` over the axes that ``shape`` does not have, or has with length 1."""
    if shape is None or values.ndim < len(shape):
        raise NotUnderstood("it is not said over what the sum goes")
    total = values.sum(axis=tuple(range(values.ndim - len(shape))))
    short = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.asarray(total.sum(axis=short, keepdims=True))
