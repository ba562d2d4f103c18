"""The result of a gradient check."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ArrayReport:
    """How far one analytic gradient is from the numerical one.

    Attributes:
        name: of the gradient, such as "dinputs" or "dweights".
        shape: of the array it is the gradient of.
        max_relative_error: the largest, over its elements that were checked, 0 if none was;
            infinite where the gradient is missing, not finite or of another shape.
        index: the element where that is; None if there is no such element.
        analytic, numerical: the two gradients there.
        note: the fault in words, where the numbers do not show it.
        at_kink: how many elements are at a kink, and so were not checked.
    """

    name: str
    shape: tuple[int, ...]
    max_relative_error: float
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    note: str = ""
    at_kink: int = 0

    @property
    def size(self) -> int:
        """How many elements the array has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GradientReport:
    """The result of ``check_gradients``. It prints as a table; its truth value is ``passed``.

    ``passed`` says that no error was found among the elements that were checked. How much that is
    worth depends on how many these are: see ``checked`` and ``at_kink``.
    """

    subject: str
    arrays: tuple[ArrayReport, ...]
    tolerance: float
    note: str = ""

    @property
    def max_relative_error(self) -> float:
        """The largest relative error over all arrays."""
        return max((array.max_relative_error for array in self.arrays), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every error is at most the tolerance: True also if nothing could be checked."""
        return self.max_relative_error <= self.tolerance

    @property
    def at_kink(self) -> int:
        """How many elements, over all arrays, are at a kink and were not checked."""
        return sum(array.at_kink for array in self.arrays)

    @property
    def checked(self) -> int:
        """How many elements, over all arrays, were checked."""
        return sum(array.size for array in self.arrays) - self.at_kink

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max([8, *(len(array.name) for array in self.arrays)])
        verdict = "NOTHING CHECKED"
        if self.checked or not self.passed:
            verdict = (
                f"{'passed' if self.passed else 'FAILED'}, largest relative error "
                f"{self.max_relative_error:.2g} (tolerance {self.tolerance:g})"
            )
        lines = [
            f"{self.subject}: {verdict}",
            f"  {'gradient':{width}}  {'shape':>12}  {'error':>8}  {'at':>10}  "
            f"{'backward':>12}  {'numerical':>12}",
        ]
        for array in self.arrays:
            shape = "×".join(map(str, array.shape)) or "scalar"
            where = "" if array.index is None else ",".join(map(str, array.index))
            error = f"{array.max_relative_error:.2g}"
            figures = array.note or f"{array.analytic:12.6g}  {array.numerical:12.6g}"
            if array.index is None and not array.note:
                error = figures = ""
            if array.at_kink:
                figures += f"  {array.at_kink} of {array.size} at a kink, not checked"
            lines.append(f"  {array.name:{width}}  {shape:>12}  {error:>8}  {where:>10}  {figures}")
        return "\n".join(lines + [f"  {note}" for note in (self._on_kinks(), self.note) if note])

    def _on_kinks(self) -> str:
        if not self.at_kink:
            return ""
        text = (
            f"{self.at_kink} of {self.at_kink + self.checked} elements are at a kink, not checked"
        )
        if self.at_kink > self.checked:
            text += ", so this proves little: try other inputs, fewer samples or a smaller step"
        elif unchecked := [a.name for a in self.arrays if a.at_kink == a.size > 0]:
            text += f", among them all of {', '.join(unchecked)}"
        return text
