"""The result of a gradient check, and the table that it prints as."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

# How many wrong elements of an array the table shows.
SHOWN = 5


@dataclass(frozen=True)
class Element:
    """One element of a gradient.

    Attributes:
        index: in the array.
        error: the relative error; infinite where ``analytic`` or ``numerical`` is not finite.
        analytic: the result of ``backward``.
        numerical: the result of differences of ``forward``.
    """

    index: tuple[int, ...]
    error: float
    analytic: float
    numerical: float


@dataclass(frozen=True)
class ArrayReport:
    """How far one analytic gradient is from the numerical one.

    Attributes:
        name: of the gradient, such as "dinputs" or "dweights".
        shape: of the array it is the gradient of.
        worst: the wrong elements, the worst first, at most five; if none is wrong, the one with
            the largest error; none if no element was checked.
        wrong: how many elements are wrong.
        at_kink: how many elements are at a kink, and so were not checked.
        rounded: how many elements were checked with a larger tolerance, because rounding inside
            ``forward`` makes their differences inexact.
        left_out: how many elements of a large array were not drawn, and so not checked.
        note: the fault in words where there are no elements to compare.
        hint: the common trait of the wrong elements, if any.
    """

    name: str
    shape: tuple[int, ...]
    worst: tuple[Element, ...] = ()
    wrong: int = 0
    at_kink: int = 0
    rounded: int = 0
    left_out: int = 0
    note: str = ""
    hint: str = ""

    @property
    def size(self) -> int:
        """How many elements the array has."""
        return math.prod(self.shape)

    @property
    def drawn(self) -> int:
        """How many elements were to be checked: all, or a sample of a large array."""
        return self.size - self.left_out

    @property
    def max_relative_error(self) -> float:
        """The largest error of an element that was checked, 0 if none was.

        It is infinite where the gradient is missing, not finite or of another shape.
        """
        if self.note:
            return math.inf
        return self.worst[0].error if self.worst else 0.0

    @property
    def index(self) -> tuple[int, ...] | None:
        """The element with the largest error; None if there is no such element."""
        return self.worst[0].index if self.worst else None

    @property
    def analytic(self) -> float:
        """The gradient of ``backward`` at ``index``."""
        return self.worst[0].analytic if self.worst else math.nan

    @property
    def numerical(self) -> float:
        """The numerical gradient at ``index``."""
        return self.worst[0].numerical if self.worst else math.nan


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The result of ``check_gradients``. It prints as a table; its truth value is ``passed``.

    ``passed`` says that no error was found among the elements that were checked. How much that is
    worth depends on how many these are: see ``checked`` and ``at_kink``.

    Attributes:
        subject: the repr of the checked object.
        arrays: the report of each gradient.
        tolerance: the largest error that passes.
        faults: the faults besides the numbers of ``arrays``, a sentence each: arrays written
            to that belong to others, gradients that depend on earlier batches, and so on.
        notes: the parts that could not be checked, a sentence each.
    """

    subject: str
    arrays: tuple[ArrayReport, ...]
    tolerance: float
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def max_relative_error(self) -> float:
        """The largest relative error over all arrays."""
        return max((array.max_relative_error for array in self.arrays), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every error is at most the tolerance and there are no faults.

        It is True also if nothing could be checked.
        """
        return self.max_relative_error <= self.tolerance and not self.faults

    @property
    def at_kink(self) -> int:
        """How many elements, over all arrays, are at a kink and were not checked."""
        return sum(array.at_kink for array in self.arrays)

    @property
    def checked(self) -> int:
        """How many elements, over all arrays, were checked."""
        return sum(array.drawn for array in self.arrays) - self.at_kink

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.subject}: {self._verdict()}"
        width = max([8, *(len(array.name) for array in self.arrays)])
        yield (
            f"  {'gradient':{width}}  {'shape':>12}  {'error':>8}  {'at':>10}  "
            f"{'backward':>12}  {'numerical':>12}"
        )
        for array in self.arrays:
            yield from _rows(array, width)
        for array in self.arrays:
            if array.wrong:
                hint = f", {array.hint}" if array.hint else ""
                yield f"  {array.name}: {array.wrong} of {array.drawn} wrong{hint}"
        remarks = *self._on_kinks(), *self._on_rounding(), *self._on_samples()
        for sentence in (*self.faults, *remarks, *self.notes):
            yield f"  {sentence}"

    def _verdict(self) -> str:
        if self.passed and not self.checked:
            return "NOTHING CHECKED"
        if self.faults and self.max_relative_error <= self.tolerance:
            return "FAILED, though the gradients of a single batch are right"
        return (
            f"{'passed' if self.passed else 'FAILED'}, largest relative error "
            f"{self.max_relative_error:.2g} (tolerance {self.tolerance:g})"
        )

    def _on_kinks(self) -> Iterator[str]:
        if not self.at_kink:
            return
        text = (
            f"{self.at_kink} of {self.at_kink + self.checked} elements are at a kink, not checked"
        )
        if self.at_kink > self.checked:
            text += ", so this proves little: try other inputs, fewer samples or a smaller step"
        elif unchecked := [a.name for a in self.arrays if a.at_kink == a.drawn > 0]:
            text += f", among them all of {', '.join(unchecked)}"
        yield text

    def _on_rounding(self) -> Iterator[str]:
        if rounded := sum(array.rounded for array in self.arrays):
            yield (
                f"{rounded} of {self.checked} elements were checked less exactly, if at all, "
                "because of rounding inside forward"
            )

    def _on_samples(self) -> Iterator[str]:
        for array in self.arrays:
            if array.left_out:
                yield (
                    f"{array.name}: {array.drawn:,} of {array.size:,} elements, "
                    "drawn at random, were checked (entries=None checks all)"
                )


def _rows(array: ArrayReport, width: int) -> Iterator[str]:
    shape = "×".join(map(str, array.shape)) or "scalar"
    start = f"  {array.name:{width}}  {shape:>12}"
    unchecked = (
        f"  {array.at_kink} of {array.drawn} at a kink, not checked" if array.at_kink else ""
    )
    if not array.worst:
        error = f"{array.max_relative_error:.2g}" if array.note else ""
        yield f"{start}  {error:>8}  {'':>10}  {array.note}{unchecked}"
    for element in array.worst:
        where = ",".join(map(str, element.index))
        yield (
            f"{start}  {element.error:8.2g}  {where:>10}  {element.analytic:12.6g}  "
            f"{element.numerical:12.6g}{unchecked}"
        )
        start, unchecked = " " * len(start), ""
