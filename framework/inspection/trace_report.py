"""The result of ``trace``: a training step as objects, and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from framework.inspection.formulas import Formula
from framework.inspection.trace_text import Section, as_html, as_text
from framework.inspection.worked import Calculation, Index, number, update_lines
from optimizers.arrays import Array


@dataclass(frozen=True, repr=False)
class Part:
    """What a ``Trace`` has of one object: its formulas and its arrays.

    Attributes:
        name: the repr of the object.
        formulas: those in its docstring that hold for its arguments, in their order.
    """

    name: str
    formulas: tuple[Formula, ...]
    calculation: Calculation

    def line(
        self, name: str, index: Index, symbols: Mapping[str, Sequence[str]] | None = None
    ) -> str:
        """Return how one number was computed, such as "output[0, 2] = max(0, 0.31) = 0.31".

        It is empty where the docstring has no formula that gives this number.

        Args:
            name: "output", "dinputs", "dweights", …
            index: of the element.
            symbols: texts in place of the numbers of an array, such as ``{"inputs": "xy"}``.
        """
        return self.calculation.line(name, index, symbols)


@dataclass(frozen=True, repr=False)
class ParameterTrace:
    """One parameter in a ``Trace``: before and after the update.

    Attributes:
        name: such as "weights".
        before, gradient, after: arrays of one shape.
        state_before, state_after: what the optimizer keeps for it, by name, such as "momentum".
    """

    name: str
    before: Array
    gradient: Array
    after: Array
    state_before: dict[str, Array]
    state_after: dict[str, Array]
    formulas: tuple[Formula, ...] = field(repr=False)
    values: dict[str, Any] = field(repr=False)

    def lines(self, index: Index) -> list[str]:
        """Return how the optimizer changed one element, a line for each of its formulas.

        There are none where its docstring has no formulas that give the change.
        """
        values = {**self.values, **self.state_before, "gradient": self.gradient}
        return update_lines(self.formulas, values, self.before, self.after, index)


@dataclass(frozen=True, repr=False)
class OperationTrace(Part):
    """One operation in a ``Trace``. Arrays that it did not store are None.

    Attributes:
        position: in the model, from 1; "3.1" is the first operation inside the third.
        inputs, output: of ``forward``.
        dvalues, dinputs: of ``backward``.
        parameters: each trained array before and after the update.
    """

    position: str
    inputs: Array | None
    output: Array | None
    dvalues: Array | None
    dinputs: Array | None
    parameters: tuple[ParameterTrace, ...]


@dataclass(frozen=True, repr=False)
class LossTrace(Part):
    """The loss in a ``Trace``. If it is fused with an activation, that is a part of it.

    Attributes:
        inputs: the predictions; the logits for a fused loss.
        output: the outputs of the model: of the activation, for a fused loss.
        targets: as the loss compares them with.
        losses: of each sample.
        value: their mean, without penalties.
        penalties: the penalties on all parameters.
        dinputs: the gradient of the mean by ``inputs``.
    """

    inputs: Array
    output: Array
    targets: Array
    losses: Array
    value: float
    penalties: float
    dinputs: Array


@dataclass(frozen=True, repr=False)
class Trace:
    """One training step, number by number. It prints as text of 80 columns, a few of each array.

    Attributes:
        operations: in order; those inside a container of one's own follow it.
        loss: the loss, with an activation that is fused with it.
        optimizer, optimizer_formulas: its repr, and what its docstring says.
        step, learning_rate: the number of the update, from 1, and its rate; None where an optimizer
            of another kind does not tell.
        samples: how many the batch had.
    """

    operations: tuple[OperationTrace, ...]
    loss: LossTrace
    optimizer: str
    optimizer_formulas: tuple[Formula, ...]
    step: int | None
    learning_rate: float | None
    samples: int

    def __repr__(self) -> str:
        return as_text(self._title(), list(self._sections()))

    def _repr_html_(self) -> str:
        return as_html(self._title(), list(self._sections()))

    def _title(self) -> str:
        penalties = (
            f" and penalties of {number(self.loss.penalties)}" if self.loss.penalties else ""
        )
        samples = f"{self.samples:,} sample" + ("" if self.samples == 1 else "s")
        return f"One training step with {samples}: loss {number(self.loss.value)}{penalties}"

    def _sections(self) -> Iterator[Section]:
        for one in self.operations:
            names = ["output", "dinputs", *("d" + parameter.name for parameter in one.parameters)]
            arrays = {
                "inputs": one.inputs,
                **{parameter.name: parameter.before for parameter in one.parameters},
                "output": one.output,
                "dvalues": one.dvalues,
                "dinputs": one.dinputs,
                **{"d" + parameter.name: parameter.gradient for parameter in one.parameters},
            }
            yield _section(f"{one.position}  {one.name}", one, names, arrays)
        loss = self.loss
        arrays = {"inputs": loss.inputs, "output": loss.output, "targets": loss.targets}
        if loss.inputs is loss.output:
            del arrays["inputs"]
        arrays |= {"losses": loss.losses[:, np.newaxis], "dinputs": loss.dinputs}
        yield _section(f"Loss  {loss.name}", loss, ["loss", "dinputs"], arrays)
        step = "" if self.step is None else f", step {self.step:,}"
        rate = "" if self.learning_rate is None else f", learning rate {self.learning_rate:g}"
        yield Section(f"Update  {self.optimizer}{step}{rate}", _aligned(self.optimizer_formulas))
        for one in self.operations:
            for parameter in one.parameters:
                yield _update_section(one, parameter)


def _section(
    heading: str, part: Part, names: list[str], arrays: Mapping[str, Array | None]
) -> Section:
    """Return the section of a part: the formulas, the arrays, and the first element of each."""
    results = part.calculation.results
    worked = [part.line(name, (0,) * results[name].ndim) for name in names if name in results]
    known = [(name, array) for name, array in arrays.items() if array is not None]
    return Section(heading, _aligned(part.formulas), known, [line for line in worked if line])


def _update_section(one: OperationTrace, parameter: ParameterTrace) -> Section:
    name, first = parameter.name, (0,) * parameter.before.ndim
    arrays = [("before", parameter.before), ("gradient", parameter.gradient)]
    arrays += [*parameter.state_after.items(), ("after", parameter.after)]
    lines = parameter.lines(first)
    place = f"{name}[{', '.join(map(str, first))}]:"
    return Section(f"   {name} of {one.position} {one.name}", (), arrays, [place, *lines])


def _aligned(formulas: Sequence[Formula]) -> list[str]:
    """Return the formulas with their equals signs under each other."""
    width = max((len(formula.name) for formula in formulas), default=0)
    indent = "\n" + " " * (width + 3)
    return [f"{one.name:{width}} = {one.text.replace(chr(10), indent)}" for one in formulas]
