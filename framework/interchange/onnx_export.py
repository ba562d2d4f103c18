"""A network as an ONNX file, which other programs run without this one: ``Model.export_onnx``.

The file has the network as ``predict`` computes it: dropout is left out, batch normalization has
its running statistics folded in, and the activation of a fused loss is there. What an operation
becomes stands in ``onnx_forms``.
"""

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations import Linear
from framework.checks import check_class_names, check_count
from framework.containers.supervised import Supervised
from framework.interchange.builders import kind_of
from framework.interchange.onnx_patterns import (
    OPERATOR_SET,
    WRITTEN,
    Argument,
    Inputs,
    Node,
    Part,
    arguments_of,
    form_of,
)
from framework.layers import Dropout
from framework.operation import Shape
from framework.utils.files import check_target, write_atomically
from framework.utils.optional import required

# The version of the file format that came with the operator set.
FILE_FORMAT = 9
CLASS_NAMES = "class_names"
PRODUCER = "dinputs"


def export_onnx(
    model: Supervised,
    path: str | PathLike[str],
    class_names: Iterable[str] | None = None,
    input_shape: Sequence[int] | None = None,
) -> None:
    """Write ``model`` to the file ``path``: see ``Model.export_onnx``."""
    onnx = required("onnx", "'dinputs[onnx]'")
    check_target(path)
    dtype = model.parameters.dtype
    graph = _Graph(onnx, dtype)
    value = "input"
    for position, operation in enumerate(model.operations_of_predict):
        kind = kind_of(operation, {*WRITTEN, Dropout}, "form in ONNX")
        if kind is not Dropout:
            form = form_of(operation, kind, dtype)
            name = f"{position}.{kind.__name__}"
            value = graph.write(form, name, value, arguments_of(operation, kind))
    if not graph.nodes:
        graph.write(WRITTEN[Linear], "0.Linear", value, {})
    graph.nodes[-1].output[0] = "output"

    inputs = _sample_shape(model, input_shape)
    outputs = model.output_shapes(inputs)[-1]
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "network",
            [graph.values("input", inputs)],
            [graph.values("output", outputs)],
            graph.constants,
        ),
        producer_name=PRODUCER,
        ir_version=FILE_FORMAT,
        opset_imports=[onnx.helper.make_opsetid("", OPERATOR_SET)],
    )
    if class_names is not None:
        model.class_names = class_names
    if model.class_names is not None:
        names = check_class_names(model.class_names, outputs)
        onnx.helper.set_model_props(proto, {CLASS_NAMES: json.dumps(names, ensure_ascii=False)})
    write_atomically(path, proto.SerializeToString())


class _Graph:
    """The nodes and constants written so far, all in one dtype."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def write(self, part: Part, name: str, inputs: str, arguments: dict[str, ArrayLike]) -> str:
        """Write ``part`` as ``name`` and return the name of its value."""
        if isinstance(part, Inputs):
            return inputs
        if not isinstance(part, Node):
            number = arguments[part.name] if isinstance(part, Argument) else part
            array = np.asarray(number, dtype=self.dtype)
            self.constants.append(self.onnx.numpy_helper.from_array(array, name))
            return name
        operands = [
            self.write(operand, f"{name}.{_label(operand)}", inputs, arguments)
            for operand in part.inputs
        ]
        attributes = {
            key: arguments[value.name] if isinstance(value, Argument) else value
            for key, value in part.attributes.items()
        }
        self.nodes.append(
            self.onnx.helper.make_node(part.operator, operands, [name], name, **attributes)
        )
        return name

    def values(self, name: str, sample: Shape) -> Any:
        """Describe the input or the output: any number of samples of this shape."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        shape = ["batch", *(sample or ["features"])]
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


def _label(part: Part) -> str:
    if isinstance(part, Node):
        return part.operator
    return part.name if isinstance(part, Argument) else str(part)


def _sample_shape(model: Supervised, given: Sequence[int] | None) -> Shape:
    """The shape of one sample as given, or as last seen, or a row of what the model takes."""
    if given is not None:
        if not given:
            raise ValueError("input_shape must be the shape of one sample, such as (784,)")
        return tuple(check_count("each number of input_shape", size) for size in given)
    if model.input_shape is not None:
        return model.input_shape
    for layer in model.layers:
        for name in ("n_inputs", "n_features"):
            if hasattr(layer, name):
                return (getattr(layer, name),)
    return None
