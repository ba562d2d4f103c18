"""Writes the nodes and the constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.interchange.onnx_expressions import (
    Argument,
    Expression,
    Inputs,
    Node,
    Positions,
    Slices,
    X,
    node,
)
from framework.interchange.onnx_patterns.pattern import Arguments, Form
from optimizers.arrays import Array


class GraphWriter:
    """The nodes and the constants that were written so far, all in one dtype.

    Attributes:
        value: the name of the value that was written last.
        images: the number of axes of an image if that has its channels first, 0 if it has them
            last or is no image.
    """

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.value = "input"
        self.images = 0
        self.dtype = dtype
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._names: set[str] = {"input", "output"}

    def write(self, form: Form, name: str, arguments: Arguments, axes: int) -> None:
        """Write an operation in this ``form``, under ``name``.

        Args:
            arguments: the values of the form's arguments, by name.
            axes: the number of axes of an image, for a form that works on images.
        """
        if form.axes == "first":
            self._put_channels_first(name, axes)
        elif form.axes == "last":
            self.put_channels_last(name)
        elif self.images:
            arguments = {key: _for_channels(value, self.images) for key, value in arguments.items()}
        self._write(form.expression, name, arguments)
        if form.leaves_rows:
            self.images = 0

    def put_channels_last(self, name: str) -> None:
        """Turn the axes of images that have their channels first."""
        if self.images:
            order = [0, *range(2, self.images + 2), 1]
            self._write(node("Transpose", X, perm=order), f"{name}.last", {})
            self.images = 0

    def _put_channels_first(self, name: str, axes: int) -> None:
        if not self.images:
            order = [0, axes + 1, *range(1, axes + 1)]
            self._write(node("Transpose", X, perm=order), f"{name}.first", {})
            self.images = axes

    @property
    def place(self) -> tuple[str, int]:
        """Where the next operation is written: ``value`` and ``images``."""
        return self.value, self.images

    @place.setter
    def place(self, place: tuple[str, int]) -> None:
        self.value, self.images = place

    def add(self, name: str, one: tuple[str, int], other: tuple[str, int]) -> None:
        """Write the sum of two values, given their places."""
        values = []
        for self.place in (one, other):
            if one[1] != other[1]:
                self.put_channels_last(name)
            values.append(self.value)
        self.value = self._node("Add", values, name, {})

    def model(self, inputs: Sequence[Any], outputs: Sequence[Any] | None, operator_set: int) -> Any:
        """Return the ``ModelProto`` of a network whose output is the last value.

        Args:
            inputs, outputs: the sizes of a sample, names for those that are not known; None if
                nothing is known.
        """
        self.put_channels_last("output")
        if not self._nodes:  # the output of an ONNX graph must be computed by a node
            self._write(node("Identity", X), "output.Identity", {})
        last = self._nodes[-1]
        assert last.output[0] == self.value
        last.output[0] = "output"
        helper = self._onnx.helper
        operators = helper.make_opsetid("", operator_set)
        graph = helper.make_graph(
            self._nodes,
            "network",
            [self._declaration("input", inputs)],
            [self._declaration("output", outputs)],
            self._constants,
        )
        version = helper.find_min_ir_version_for([operators])
        proto = helper.make_model(graph, ir_version=version, opset_imports=[operators])
        if outputs is None:  # how many axes it has must be declared
            proto = self._onnx.shape_inference.infer_shapes(proto)
            del proto.graph.value_info[:]
        return proto

    def _declaration(self, name: str, sizes: Sequence[Any] | None) -> Any:
        data_type = self._onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        shape = None if sizes is None else ["batch", *sizes]
        return self._onnx.helper.make_tensor_value_info(name, data_type, shape)

    # Expressions

    def _write(self, expression: Expression, name: str, arguments: Arguments) -> None:
        self.value = self._part(expression, name, arguments, {})

    def _part(
        self, part: Expression, name: str, arguments: Arguments, written: dict[int, str]
    ) -> str:
        """Write ``part`` under ``name``, unless it was, and return the name of its value."""
        if part is None:
            return ""
        if isinstance(part, Inputs):
            return self.value
        if not isinstance(part, Node):
            number = arguments[part.name] if isinstance(part, Argument) else part
            return self._constant(name, number)
        if id(part) in written:
            return written[id(part)]
        operands: list[str] = []
        for operand in part.inputs:
            label = f"{name}.{_label(operand)}"
            if isinstance(operand, Positions):
                values = self._part(operand.values, label, arguments, written)
                operands += self._slices(values, label, arguments[operand.name])
            else:
                operands.append(self._part(operand, label, arguments, written))
        attributes = {
            key: arguments.get(value.name) if isinstance(value, Argument) else value
            for key, value in part.attributes.items()
        }
        written[id(part)] = self._node(part.operator, operands, name, attributes)
        return written[id(part)]

    def _slices(self, value: str, name: str, slices: Slices) -> list[str]:
        axes = self._constant(f"{name}.axes", np.arange(1, 1 + len(slices.steps)))
        steps = self._constant(f"{name}.steps", np.array(slices.steps))
        return [
            self._node(
                "Slice",
                [
                    value,
                    self._constant(f"{name}.start", np.array(start)),
                    self._constant(f"{name}.end", np.array(end)),
                    axes,
                    steps,
                ],
                name,
                {},
            )
            for start, end in zip(slices.starts, slices.ends, strict=True)
        ]

    def _node(
        self, operator: str, operands: Sequence[str], name: str, attributes: dict[str, Any]
    ) -> str:
        given = {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in attributes.items()
            if value is not None
        }
        name = self._free(name)
        self._nodes.append(self._onnx.helper.make_node(operator, operands, [name], name, **given))
        return name

    def _constant(self, name: str, number: Any) -> str:
        array: Array = np.asarray(number)
        if not (isinstance(number, np.ndarray) and np.issubdtype(array.dtype, np.integer)):
            array = array.astype(self.dtype)
        name = self._free(name)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def _free(self, name: str) -> str:
        """Return ``name``, with a number behind it if it is taken."""
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}_{number}"
        self._names.add(free)
        return free


def _label(part: Expression) -> str:
    if isinstance(part, Node):
        return part.operator
    return part.name if isinstance(part, (Argument, Positions)) else str(part)


def _for_channels(value: Any, images: int) -> Any:
    """Return a row of numbers, one for each channel, so that it broadcasts to channels first."""
    is_row = isinstance(value, np.ndarray) and value.ndim == 1
    return value.reshape(-1, *(1,) * images) if is_row else value
