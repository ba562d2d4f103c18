"""Every number: how a neuron, a weight, a point or the loss came about, with the present numbers.

All numbers are those of the step that training would take next: see ``framework.trace``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from framework.inspection.diagram import Column, columns_of
from framework.inspection.trace import trace
from framework.inspection.trace_report import OperationTrace, ParameterTrace, Trace
from framework.inspection.trace_text import Section
from framework.inspection.worked import number
from framework.playground.experiment import NO_POINTS, Experiment
from optimizers.arrays import Array

# Of a neuron with more inputs, the gradients of the first weights are worked out.
SHOWN_WEIGHTS = 8


@dataclass(frozen=True)
class Selection:
    """What was chosen in the page.

    Attributes:
        kind: "neuron", "weight", "point" or "loss".
        column: of the diagram, of a neuron or of the neuron that a weight leads to.
        neuron: its number in the column, from 0.
        before: the neuron that a weight comes from.
        point: the row among the points; those to train on come first, then those to test on.
    """

    kind: str
    column: int = 0
    neuron: int = 0
    before: int = 0
    point: int = 0


@dataclass(frozen=True)
class Panel:
    """What is said about a selection: a title, a remark, and sections."""

    title: str
    remark: str
    sections: tuple[Section, ...]


class Numbers:
    """The next step of an experiment, in which any number can be looked up.

    Args:
        point: a row among the points, which is to be in the batch; None for any.

    Attributes:
        trace: of the step.
        sample: the row of the batch that is shown.
        remark: which batch it is, in words.

    Raises ValueError while there are no points.
    """

    def __init__(self, experiment: Experiment, point: int | None = None) -> None:
        if experiment.run is None or experiment.model is None:
            raise ValueError(NO_POINTS)
        self.experiment = experiment
        rows = experiment.run.next_rows()
        X, y = experiment.run.next_batch()
        self.sample = 0
        self.remark = f"the next batch, of {len(X):,} samples; its first sample is shown"
        if point is not None:
            X, y = self._with_point(X, y, rows, point)
        self.trace: Trace = trace(experiment.model, X, y)
        self.columns = columns_of(experiment.model)

    def panel(self, selection: Selection) -> Panel:
        """Return what there is to say about a selection.

        Raises ValueError for what is not in the network.
        """
        if selection.kind == "loss":
            return Panel("The loss", self.remark, tuple(self._loss()))
        if selection.kind == "point":
            return Panel(f"Point {selection.point + 1}", self.remark, tuple(self._point()))
        column = self._column(selection)
        if selection.kind == "neuron":
            title = f"Neuron {selection.neuron + 1} of {' → '.join(column.names)}"
            sections = tuple(self._neuron(selection.column, selection.neuron))
            return Panel(title, self.remark, sections)
        names = self.names_before(selection.column)
        title = f"Weight from {names[selection.before]} to neuron {selection.neuron + 1}"
        index = (selection.before, selection.neuron)
        return Panel(title, self.remark, tuple(self._weight(column, index)))

    def names_before(self, column: int) -> list[str]:
        """Return a name for each neuron of the column before one: features, or h1, h2, …"""
        before = self.columns[column - 1]
        if column == 1 and len(self.experiment.features) == before.neurons:
            return list(self.experiment.features)
        return [f"h{neuron + 1}" for neuron in range(before.neurons)]

    def stages(self) -> list[Section]:
        """Return the step operation by operation: forward, the loss, back, and the update."""
        step = self.trace
        forward = [
            self._stage(f"forward  {one.position}  {one.name}", one, ["inputs", "output"], "output")
            for one in step.operations
        ]
        back = [
            self._stage(f"back  {one.position}  {one.name}", one, ["dvalues", "dinputs"], "dinputs")
            for one in reversed(step.operations)
        ]
        updates = [
            self._update(f"update  {parameter.name} of {one.position}  {one.name}", parameter)
            for one in step.operations
            for parameter in one.parameters
        ]
        loss = Section(
            f"loss  {step.loss.name}",
            [str(formula) for formula in step.loss.formulas],
            [
                ("output", step.loss.output),
                ("targets", step.loss.targets),
                ("losses", step.loss.losses[:, np.newaxis]),
                ("dinputs", step.loss.dinputs),
            ],
            [line for line in (step.loss.line("loss", (self.sample,)),) if line],
        )
        return [*forward, loss, *back, *updates]

    # Parts of a panel

    def _neuron(self, place: int, neuron: int) -> Iterator[Section]:
        column = self.columns[place]
        if not place:
            value = self.trace.operations[0].inputs
            assert value is not None
            yield Section("Input", (), (), [f"value = {number(value[self.sample, neuron])}"])
            return
        parts = self._parts(column)
        index = (self.sample, neuron)
        lines = self._in_one(parts, index, self.names_before(place))
        lines += [line for part in parts if (line := part.line("output", index))]
        if self._is_output(column):
            lines += [self.trace.loss.line("loss", (self.sample,))]
            lines.append(f"probability or value = {number(self.trace.loss.output[index])}")
        yield Section("Forward", self._formulas(parts), (), [line for line in lines if line])
        lines = [line for part in reversed(parts[1:]) if (line := part.line("dinputs", index))]
        if self._is_output(column):
            lines.insert(0, self.trace.loss.line("dinputs", index))
        if column.weights is not None:
            rows = range(min(len(column.weights), SHOWN_WEIGHTS))
            lines += [parts[0].line("dweights", (row, neuron)) for row in rows]
            lines.append(parts[0].line("dbiases", (0, neuron)))
        yield Section("Back", (), (), [line for line in lines if line])
        for parameter in parts[0].parameters:
            if parameter.name == "biases":
                yield self._update("Update of its bias", parameter, (0, neuron))

    def _in_one(
        self, parts: list[OperationTrace], index: tuple[int, ...], names: list[str]
    ) -> list[str]:
        """Return the neuron as one line: what its operations make of the neurons before it."""
        line = parts[0].line("output", index, {"inputs": names})
        for part in parts[1:]:
            if not line:
                return []
            inner = line.split(" = ")[1]
            line = part.line("output", index, {"inputs": [inner] * (index[-1] + 1)})
        return [line] if line else []

    def _weight(self, column: Column, index: tuple[int, int]) -> Iterator[Section]:
        (part, *_) = self._parts(column)
        weights = next(one for one in part.parameters if one.name == "weights")
        line = part.line("dweights", index)
        lines = [f"weights[{index[0]}, {index[1]}] = {number(weights.before[index])}", line]
        yield Section("Gradient", self._formulas([part], "dweights"), (), [x for x in lines if x])
        yield self._update("Update", weights, index)

    def _point(self) -> Iterator[Section]:
        row = self.sample
        operations = [one for one in self.trace.operations if one.output is not None]
        inputs = operations[0].inputs
        arrays = [] if inputs is None else [("inputs", inputs[row : row + 1])]
        arrays += [
            (f"{one.position} {one.name.partition('(')[0]}", one.output[row : row + 1])
            for one in operations
            if one.output is not None
        ]
        arrays += [
            ("output", self.trace.loss.output[row : row + 1]),
            ("target", self.trace.loss.targets[row : row + 1]),
        ]
        yield Section("Forward", (), arrays, [])
        yield from self._loss()

    def _loss(self) -> Iterator[Section]:
        loss, row = self.trace.loss, self.sample
        lines = [loss.line("loss", (row,))]
        lines.append(f"mean over {self.trace.samples:,} samples = {number(loss.value)}")
        if loss.penalties:
            lines.append(f"penalties on the weights = {number(loss.penalties)}")
        yield Section("Loss", [str(one) for one in loss.formulas], (), [x for x in lines if x])
        outputs = range(min(loss.dinputs.reshape(len(loss.dinputs), -1).shape[1], SHOWN_WEIGHTS))
        lines = [loss.line("dinputs", (row, one)) for one in outputs if loss.dinputs.ndim == 2]
        yield Section("Back", (), (), [line for line in lines if line])

    def _update(
        self, heading: str, parameter: ParameterTrace, index: tuple[int, ...] | None = None
    ) -> Section:
        index = (0,) * parameter.before.ndim if index is None else index
        place = f"{parameter.name}[{', '.join(map(str, index))}]"
        lines = parameter.lines(index)
        lines = [f"before: {place} = {number(parameter.before[index])}", *lines]
        lines.append(f"after: {place} = {number(parameter.after[index])}")
        return Section(heading, [str(one) for one in parameter.formulas], (), lines)

    def _stage(self, heading: str, one: OperationTrace, names: list[str], what: str) -> Section:
        arrays = [(name, array) for name in names if (array := getattr(one, name)) is not None]
        if what == "dinputs":
            arrays += [("d" + parameter.name, parameter.gradient) for parameter in one.parameters]
        result = getattr(one, what)
        place = (self.sample, *(0,) * (np.ndim(result) - 1))
        line = one.line(what, place) if np.ndim(result) else ""
        names = [what, *(name for name, _ in arrays if name != what)]
        formulas = [str(formula) for formula in one.formulas if formula.name in names]
        return Section(heading, formulas, arrays, [line] if line else [])

    # Details

    def _column(self, selection: Selection) -> Column:
        if not 0 <= selection.column < len(self.columns):
            raise ValueError("the network has no such layer")
        column = self.columns[selection.column]
        if not 0 <= selection.neuron < column.neurons:
            raise ValueError("the layer has no such neuron")
        if selection.kind == "weight" and (
            column.weights is None or not 0 <= selection.before < len(column.weights)
        ):
            raise ValueError("there is no such weight")
        return column

    def _parts(self, column: Column) -> list[OperationTrace]:
        places = {str(place + 1) for place in range(max(column.operation, 0), column.last + 1)}
        return [one for one in self.trace.operations if one.position in places]

    def _is_output(self, column: Column) -> bool:
        return column is self.columns[-1]

    def _formulas(self, parts: list[OperationTrace], name: str = "output") -> list[str]:
        return [str(one) for part in parts for one in part.formulas if one.name == name]

    def _with_point(self, X: Array, y: Array, rows: Array, point: int) -> tuple[Array, Array]:
        """Return the batch, with the point in place of its first sample unless it is in it."""
        split = self.experiment.split
        if not 0 <= point < len(split.train) + len(split.test):
            raise ValueError("there is no such point")
        found = np.flatnonzero(rows == point)
        if len(found):
            self.sample = int(found[0])
            self.remark = f"the next batch, of {len(X):,} samples, in which this point is"
            return X, y
        points, row = (split.train, point)
        if point >= len(split.train):
            points, row = split.test, point - len(split.train)
        X, y = X.copy(), y.copy()
        X[0] = self.experiment.inputs_of(points.X[row : row + 1])[0]
        y[0] = points.y[row].reshape(y[0].shape) if y[0].ndim == points.y[row].ndim else y[0]
        self.remark = f"the next batch, of {len(X):,} samples, with this point as its first"
        return X, y
