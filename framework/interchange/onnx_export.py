"""A model as an ONNX file, which other programs can run: ``Model.export_onnx``.

The file has the network as ``predict`` computes it: dropout is left out, batch normalization has
its running statistics folded in, and the activation of a fused loss is included. Its input and its
output are the arrays of ``predict``, images with their channels last; between layers that ONNX has
with channels first, they are. The patterns of ``onnx_patterns`` say how each operation is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from framework.checks import check_class_names, check_count
from framework.containers import Residual
from framework.containers.supervised import Supervised
from framework.interchange.builders import flattened, supported_class
from framework.interchange.onnx_patterns import EXPORT
from framework.interchange.onnx_patterns.pattern import Form, is_available
from framework.interchange.onnx_writer import GraphWriter
from framework.operation import LastAxis, Operation, Shape, describe
from framework.utils.files import check_target, write_atomically
from framework.utils.optional import required

# The operators of this set and the later ones are what the patterns are written in.
OLDEST_OPERATOR_SET = 13
CLASS_NAMES = "class_names"
# The names of the inputs' columns, of a model for a table.
FEATURES = "features"
PRODUCER = "dinputs"


def export_onnx(
    model: Supervised,
    path: str | PathLike[str],
    class_names: Iterable[str] | None = None,
    input_shape: Sequence[int] | None = None,
    opset: int | None = None,
) -> None:
    """Write ``model`` to the file ``path``: see ``Model.export_onnx``."""
    onnx = required("onnx", "'dinputs[onnx]'")
    check_target(path)
    inputs = _sample_shape(model, input_shape)
    proto = _proto(onnx, model, inputs, opset)
    if class_names is not None:
        model.class_names = class_names
    metadata: dict[str, Any] = {}
    if model.class_names is not None:
        names = check_class_names(model.class_names, model.output_shapes(inputs)[-1])
        metadata[CLASS_NAMES] = names
    if model.table is not None:
        metadata |= {FEATURES: model.table.features, "target": model.table.target}
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in metadata.items()}
    onnx.helper.set_model_props(proto, texts)
    write_atomically(path, proto.SerializeToString())


class _NotInThisSet(ValueError):
    """An operation cannot be written in an operator set."""


def _proto(onnx: Any, model: Supervised, inputs: Shape, opset: int | None) -> Any:
    """Return the ``ModelProto`` of ``model``, by default in the lowest possible operator set."""
    newest = onnx.defs.onnx_opset_version()
    lowest = OLDEST_OPERATOR_SET
    if opset is not None:
        if not lowest <= check_count("opset", opset) <= newest:
            raise ValueError(
                f"opset must be from {lowest} to {newest}, the newest that the onnx installed "
                f"here knows, received {opset}"
            )
        lowest = newest = opset
    for operator_set in range(lowest, newest + 1):
        writing = _Writing(onnx, model.parameters.dtype, operator_set)
        try:
            writing.write(model.operations_of_predict, inputs)
        except _NotInThisSet:
            if operator_set == newest:
                raise
        else:
            break
    shape = model.output_shapes(inputs)[-1]
    outputs = None if isinstance(shape, LastAxis) else shape
    proto = writing.graph.model(_declared(model, inputs), outputs, operator_set)
    proto.producer_name = PRODUCER
    return proto


class _Writing:
    """A graph that operations are written into, in one operator set."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any], operator_set: int) -> None:
        self.graph = GraphWriter(onnx, dtype)
        self._onnx = onnx
        self._operator_set = operator_set

    def write(self, operations: Iterable[Any], shape: Shape, path: str = "") -> Shape:
        """Write ``operations``, which take samples of ``shape``; return the shape they give."""
        for position, operation in enumerate(flattened(operations)):
            name = f"{path}{position}"
            cls = supported_class(operation, (*EXPORT, Residual), "ONNX pattern")
            if cls is Residual:
                self._write_sum(operation, shape, name)
            else:
                form = self._form(operation, cls, shape)
                values = EXPORT[cls].values(form, operation, shape)
                axes = len(operation.axes) if form.axes == "first" else 0
                self.graph.write(form, f"{name}.{cls.__name__}", values, axes)
            shape = operation.output_shape(shape)
        return shape

    def _write_sum(self, residual: Residual, shape: Shape, name: str) -> None:
        """Write both branches, and their sum."""
        start = self.graph.place
        ends = []
        for branch in ("operations", "shortcut"):
            self.graph.place = start
            self.write(getattr(residual, branch), shape, f"{name}.{branch}.")
            ends.append(self.graph.place)
        self.graph.add(f"{name}.Residual", *ends)

    def _form(self, operation: Any, cls: type[Operation], shape: Shape) -> Form:
        """Return the first form that can be written, or one like it that turns no axes."""
        forms = (
            form
            for form in EXPORT[cls].forms
            if is_available(form.expression, self.graph.dtype, self._onnx, self._operator_set)
            and (form.when is None or form.when(operation, shape))
        )
        first = next(forms, None)
        if first is None:
            raise _NotInThisSet(
                f"{describe(operation)} cannot be written with opset={self._operator_set} in "
                f"{self.graph.dtype}"
            )
        turning = "last" if self.graph.images else "first"
        if first.axes != turning:
            return first
        alike = (form for form in forms if form.operator == first.operator)
        return next((form for form in alike if form.axes != turning), first)


def _sample_shape(model: Supervised, given: Sequence[int] | None) -> Shape:
    """Return the shape of one sample: as given, or as last seen, or else a row of features."""
    if given is not None:
        if not given:
            raise ValueError("input_shape must be the shape of one sample, such as (784,)")
        return tuple(check_count("each number of input_shape", size) for size in given)
    if model.input_shape is not None:
        return model.input_shape
    found: Shape = None
    for layer in model.leaves():
        if hasattr(layer, "axes"):  # of images, whose sizes are not known
            return None
        if hasattr(layer, "n_inputs"):
            return (layer.n_inputs,) if found is None else found
        if hasattr(layer, "n_features") and found is None:
            found = (layer.n_features,)
    return found


def _declared(model: Supervised, inputs: Shape) -> list[int | str]:
    """Return the sizes of a sample, with names for those that are not known."""
    if inputs is not None:
        return list(inputs)
    for layer in model.leaves():
        if hasattr(layer, "axes"):
            return [*layer.axes, getattr(layer, "n_channels", "channels")]
    return ["features"]
