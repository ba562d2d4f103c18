"""A model as an ONNX file, which other programs can run: ``Model.export_onnx``.

The file has the network as ``predict`` computes it: dropout is left out, batch normalization has
its running statistics folded in, and the activation of a fused loss is included. The patterns of
``onnx_patterns`` say how each operation is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import check_class_names, check_count
from framework.containers.supervised import Supervised
from framework.interchange.builders import flattened, supported_class
from framework.interchange.onnx_expressions import Argument, Expression, Inputs, Node, X, node
from framework.interchange.onnx_patterns import EXPORT, OPERATOR_SET
from framework.operation import Shape
from framework.utils.files import check_target, write_atomically
from framework.utils.optional import required

# The version of the file format that belongs to the operator set.
FILE_FORMAT = 9
CLASS_NAMES = "class_names"
# The names of the inputs' columns, of a model for a table.
FEATURES = "features"
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
    graph = _GraphWriter(onnx, dtype)
    inputs = _sample_shape(model, input_shape)
    value, shape = "input", inputs
    for position, operation in enumerate(flattened(model.operations_of_predict)):
        cls = supported_class(operation, EXPORT, "ONNX pattern")
        expression = EXPORT[cls].expression_for(operation, cls, dtype, shape)
        values = EXPORT[cls].values(operation, expression)
        value = graph.write(expression, f"{position}.{cls.__name__}", value, values)
        shape = operation.output_shape(shape)
    if not graph.nodes:  # the output of an ONNX graph must be computed by a node
        graph.write(node("Identity", X), "0.Linear", value, {})
    graph.nodes[-1].output[0] = "output"

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
    metadata: dict[str, Any] = {}
    if model.class_names is not None:
        names = check_class_names(model.class_names, outputs)
        metadata[CLASS_NAMES] = names
    if model.table is not None:
        metadata |= {FEATURES: model.table.features, "target": model.table.target}
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in metadata.items()}
    onnx.helper.set_model_props(proto, texts)
    write_atomically(path, proto.SerializeToString())


class _GraphWriter:
    """The nodes and the constants that were written so far, all in one dtype."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def write(
        self, part: Expression, name: str, inputs: str, arguments: dict[str, ArrayLike]
    ) -> str:
        """Write ``part`` under ``name``, and return the name of the value that it computes."""
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
        """Return the declaration of an input or output: any number of samples of this shape."""
        data_type = self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        shape = ["batch", *(sample or ["features"])]
        return self.onnx.helper.make_tensor_value_info(name, data_type, shape)


def _label(part: Expression) -> str:
    if isinstance(part, Node):
        return part.operator
    return part.name if isinstance(part, Argument) else str(part)


def _sample_shape(model: Supervised, given: Sequence[int] | None) -> Shape:
    """Return the shape of one sample: as given, or as last seen, or else a row of features."""
    if given is not None:
        if not given:
            raise ValueError("input_shape must be the shape of one sample, such as (784,)")
        return tuple(check_count("each number of input_shape", size) for size in given)
    if model.input_shape is not None:
        return model.input_shape
    for layer in flattened(model.layers):
        for name in ("n_inputs", "n_features"):
            if hasattr(layer, name):
                return (getattr(layer, name),)
    return None
