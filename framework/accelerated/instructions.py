"""The description of a network for the compiled code: an instruction for each operation.

Instructions hold plain numbers, so that the compiled code is the same for every network.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.accelerated.kernels import (
    COPY,
    FORK,
    OPERATIONS,
    REGULARIZERS,
    SUM,
    OperationKernel,
    takes,
)
from framework.accelerated.records import INSTRUCTION, row_of
from framework.accelerated.state import Place
from framework.activations import Linear
from framework.containers.flattening import flattened
from framework.containers.residual import Residual
from framework.parameters import stored_names
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# Types of attributes whose values count, and not which object it is.
COMPARED = (bool, int, float, str, tuple)
LONGEST = max(len(kernel.operations) for kernel in OPERATIONS)


@dataclass(frozen=True)
class Group:
    """The operations that one instruction stands for.

    Attributes:
        kernel: computes them.
        operations: these objects; of a fork and a sum, the residual that they are a part of.
        input_shape, output_shape: of one sample.
    """

    kernel: OperationKernel
    operations: tuple[Any, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


class Instructions:
    """The instructions of consecutive operations, for samples of ``input_shape``.

    Attributes:
        groups: the operations of each instruction.
        array: the instructions, an array of ``INSTRUCTION``; the addresses of the kernels are
            written there by ``find_kernels``.
        fields: the same numbers without the addresses, by name, which Python reads faster.
        dtype: of the parameters.
        first: the instruction with the first operation that is trained, or the fork of the residual
            that it is in, where backward ends.
        n_inputs, n_outputs: numbers per sample that go in and come out.
        values, dvalues: numbers per sample that are computed, forward and backward.
        uniforms: random numbers per sample.
        statistics: numbers that the normalizations need, and the parameters of frozen operations.
        partials: numbers that each part remembers about its own samples.
        work: multiplications per sample, forward.

    Raises ValueError if an operation does not take what the one before gives, or if its
    parameters in the vector (see ``places``) are not as many as it says.
    """

    def __init__(
        self,
        operations: Sequence[Any],
        places: dict[int, Place],
        input_shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.groups: list[Group] = []
        self.n_inputs = math.prod(input_shape)
        self.values = self.dvalues = self.uniforms = self.statistics = 0
        self.partials = self.work = 0
        self.first = -1
        self._places, self.dtype = places, dtype
        self._rows: list[dict[str, float]] = []
        # Where the inputs of the next operation are, and the fields for where its dinputs are.
        self._source = 0
        self._ends: list[tuple[dict[str, float], str]] = []
        # The instruction of the outermost residual that is being added, -1 outside.
        self._outermost = -1
        self.output_shape = self._add_all(operations, input_shape)
        self.n_outputs = math.prod(self.output_shape)
        self._connect(self.dvalues)  # to the loss
        rows = [row_of(INSTRUCTION, **row) for row in self._rows]
        self.array: Array = np.array(rows, dtype=INSTRUCTION)
        names = INSTRUCTION.names or ()
        self.fields = [dict(zip(names, row, strict=True)) for row in rows]

    def _add_all(self, operations: Sequence[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
        """Add operations one after the other, and return the shape of an output sample."""
        position = 0
        while position < len(operations):
            if isinstance(operations[position], Residual):
                shape = self._add_residual(operations[position], shape)
                position += 1
            else:
                kernel = _kernel_of(operations[position:], self._places)
                taken = tuple(operations[position : position + len(kernel.operations)])
                position += len(taken)
                shape = self._add(kernel, taken, shape)
        return shape

    def _add_residual(self, residual: Residual, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Add a fork, both branches, and their sum: see ``layers/residual.py``."""
        output_shape = residual.output_shape(shape)
        assert isinstance(output_shape, tuple)
        if not self._rows:  # the branches read what an instruction has written
            self._add(COPY, (Linear(),), shape)
        is_outermost = self._outermost < 0
        if is_outermost:
            self._outermost = len(self._rows)
        source = self._source
        fork = self._append(FORK, residual, shape, shape, inputs=source, dinputs=self.dvalues)
        self._connect(self.dvalues)
        self.dvalues += math.prod(shape)

        ends: list[tuple[dict[str, float], str]] = []
        outputs = []
        for branch, field in ((residual.operations, "dvalues"), (residual.shortcut, "output")):
            self._source, self._ends = source, [(fork, field)]
            self._add_all(list(flattened(branch)), shape)
            outputs.append(self._source)
            ends += self._ends

        computed, passed = outputs
        total = self._append(
            SUM, residual, output_shape, output_shape,
            inputs=computed, saved=passed, n_saved=1, output=self.values,
        )  # fmt: skip
        self._source, self._ends = self.values, [*ends, (total, "dvalues"), (total, "dinputs")]
        self.values += math.prod(output_shape)
        if is_outermost:
            self._outermost = -1
        return output_shape

    def _append(
        self,
        kernel: OperationKernel,
        residual: Residual,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        **fields: float,
    ) -> dict[str, float]:
        """Add an instruction that stands for no operation in particular."""
        row = {
            "n_inputs": math.prod(input_shape),
            "n_outputs": math.prod(output_shape),
            **fields,
        }
        self._rows.append(row)
        self.groups.append(Group(kernel, (residual,), input_shape, output_shape))
        return row

    def _connect(self, dinputs: int) -> None:
        """Tell the operations that end here where the gradient by their output will be."""
        for row, field in self._ends:
            row[field] = dinputs

    def _add(
        self, kernel: OperationKernel, taken: tuple[Any, ...], before: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Add the operations that a kernel has taken."""
        shape = _output_shape(taken, before)
        n_inputs, n_outputs = math.prod(before), math.prod(shape)
        place = _place(taken[0], self._places)
        is_first = self.first < 0 and place.size > 0
        is_inside = self._outermost >= 0
        if is_first:
            self.first = self._outermost if is_inside else len(self._rows)
        n_all = sum(getattr(taken[0], name).size for name in parameter_names(taken[0]))
        n_frozen = n_all - place.size
        n_statistics = len(kernel.constants + kernel.statistics) * before[-1]
        n_uniforms = n_outputs * kernel.uniforms
        n_partials = kernel.partials(taken[0], before)
        row = {
            "n_inputs": n_inputs,
            "n_outputs": n_outputs,
            "last_axis": before[-1],
            "output_axis": shape[-1],
            # Training does not need the gradient of the data.
            "leaves_out_dinputs": (
                is_first and not is_inside and hasattr(taken[0], "parameter_gradients")
            ),
            "parameters": place.start,
            "n_parameters": place.size,
            "n_weights": _size_of_first_parameter(taken[0]),
            "frozen": self.statistics + n_statistics,
            "n_frozen": n_frozen,
            "parameter_row": _row_of_parameters(taken[0], place.size),
            "statistics": self.statistics,
            "n_statistics": n_statistics,
            "uniforms": self.uniforms,
            "n_uniforms": n_uniforms,
            "inputs": self._source,
            "output": self.values,
            "saved": self.values + n_outputs,
            "n_saved": kernel.n_saved,
            "dinputs": self.dvalues,
            "partials": self.partials,
            "n_partials": n_partials,
            **kernel.fields(taken[0], before),
            **{name: getattr(taken[0], name) for name in kernel.settings},
            # What is not trained has no penalty either.
            **(dict.fromkeys(REGULARIZERS, 0) if n_frozen else {}),
        }
        self._connect(self.dvalues)
        self._source, self._ends = self.values, [(row, "dvalues")]
        self._rows.append(row)
        self.groups.append(Group(kernel, taken, before, shape))
        self.values += n_outputs * (1 + kernel.n_saved)
        self.dvalues += n_inputs
        self.uniforms += n_uniforms
        self.statistics += n_statistics + n_frozen
        self.partials += n_partials
        # Each parameter is used wherever the last axis of the output is computed.
        self.work += n_all * (n_outputs // shape[-1] if shape else 1)
        return shape


def _kernel_of(operations: Sequence[Any], places: dict[int, Place]) -> OperationKernel:
    """Return the kernel for the first of ``operations``, and as many more as it can take."""
    is_frozen = bool(parameter_names(operations[0])) and id(operations[0]) not in places
    return next(
        kernel
        for count in range(min(LONGEST, len(operations)), 0, -1)
        for kernel in OPERATIONS
        if takes(kernel, operations[:count]) and kernel.frozen in (None, is_frozen)
    )


def _output_shape(operations: Sequence[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    for operation in operations:
        shape = operation.output_shape(shape)
    return shape


def _place(operation: Any, places: dict[int, Place]) -> Place:
    """Return the place of the parameters of ``operation``, of size 0 for none or frozen ones."""
    held = [getattr(operation, name).size for name in parameter_names(operation)]
    place = places.get(id(operation), Place(0, 0))
    found = place.size or sum(held)
    shapes = operation.stored_shapes(vars(operation))
    expected = sum(math.prod(shapes[name]) for name in parameter_names(operation))
    if found != expected:
        raise ValueError(
            f"{operation!r} says that it has {expected} parameters, but the model holds "
            f"{found} of it: its n_inputs, n_neurons or n_features were changed"
        )
    return place


def _size_of_first_parameter(operation: Any) -> int:
    return next((getattr(operation, name).size for name in parameter_names(operation)), 0)


def _row_of_parameters(operation: Any, size: int) -> int:
    """Return the last axis of the first parameter, if all parameters are so many rows."""
    for name in parameter_names(operation):
        row = int(getattr(operation, name).shape[-1])
        return row if size % row == 0 else size
    return 1


def description(operations: Iterable[Any]) -> list[Any]:
    """Return ``operations``, those inside residuals, and every attribute; of arrays the shape.

    Instructions depend on nothing else about operations. Not even on the shape of what a pass
    stores, which is that of the last batch, large or small.
    """
    described: list[Any] = []
    for operation in operations:
        described.append(operation)
        stored = stored_names(operation)
        for name, value in vars(operation).items():
            if isinstance(value, np.ndarray):
                value = value.shape if name in stored else np.ndarray
            described += name, value
        if isinstance(operation, Residual):
            for branch in (operation.operations, operation.shortcut):
                described += description(flattened(branch))
    return described


def are_same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether these hold equal numbers, names and shapes, and otherwise the same objects."""
    return len(first) == len(second) and all(
        a is b or (type(a) is type(b) and type(a) in COMPARED and a == b)
        for a, b in zip(first, second, strict=True)
    )
