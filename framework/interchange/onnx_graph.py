"""The graph in an ONNX file, read and checked.

The file is not trusted: nothing in it is run, no other file is opened, and memory is taken only
for numbers that are there.
"""

from __future__ import annotations

import math
import os
from typing import Any, TypeAlias

import numpy as np

from framework.errors import OnnxError
from framework.interchange.onnx_patterns import shortest
from framework.operation import Shape
from optimizers.arrays import Array

# The shape of a value, samples first. A size is None if it is not known.
ValueShape: TypeAlias = tuple[int | None, ...]

# Since this version of the operators, operands are broadcast as in NumPy.
OLDEST_OPERATOR_SET = 7
# The limit of protocol buffers.
LARGEST_FILE = 2**31 - 1
MOST_NODES = 10_000
DEFAULT_DOMAINS = ("", "ai.onnx")
# The field that has the numbers of a tensor, unless they are kept as bytes.
FIELDS = {
    "FLOAT": "float_data",
    "DOUBLE": "double_data",
    "INT32": "int32_data",
    "INT64": "int64_data",
}


def parse(onnx: Any, path: str | os.PathLike[str]) -> Any:
    """Return the ``ModelProto`` in the file ``path``.

    Raises OSError if it cannot be read, OnnxError if it is damaged or no ONNX file.
    """
    from google.protobuf.message import DecodeError

    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size > LARGEST_FILE:
            raise OnnxError(f"an ONNX file has at most {LARGEST_FILE:,} bytes")
        content = file.read()
    try:
        proto = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise OnnxError(f"the file is damaged, or no ONNX file: {error}") from None
    if not proto.HasField("graph") or not proto.opset_import:
        raise OnnxError("the file is damaged, or no ONNX file: it has no complete graph")
    if proto.functions:
        raise OnnxError(f"it defines an operator of its own, {proto.functions[0].name!r}")
    return proto


class Graph:
    """The graph of a ``ModelProto``: its values by name, and the nodes that compute them.

    Attributes:
        operator_set: the version of ONNX's operators.
        constants: arrays by name; None for an array of a type that no operation here has.
        input, output: the one input, by name, and the one output of floating-point numbers.
        shapes: the shape of each value that is computed from the input, as far as it is known.
        nodes: the node that computes each of these values.

    Raises OnnxError if the graph is damaged, or of a kind that no model here has.
    """

    def __init__(self, onnx: Any, proto: Any) -> None:
        self._onnx = onnx
        self._float_types = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
        self.operator_set = self._check_operator_set(proto)
        graph = proto.graph
        if len(graph.node) > MOST_NODES:
            raise OnnxError(f"expected at most {MOST_NODES:,} nodes, found {len(graph.node):,}")
        self.constants: dict[str, Array | None] = {
            tensor.name: self._array(tensor) for tensor in graph.initializer
        }
        inputs = [value for value in graph.input if value.name not in self.constants]
        if len(inputs) != 1:
            raise OnnxError(f"expected one input, found {[value.name for value in inputs]}")
        self.input: str = inputs[0].name
        self.shapes: dict[str, ValueShape] = {self.input: _declared_shape(inputs[0])}
        self.nodes: dict[str, Any] = {}
        for node in graph.node:
            self._add(node)
        self.output = self._choose_output(graph.output)

    @property
    def sample_shape(self) -> Shape:
        """The shape of one sample of the input, None if some of it is not known."""
        shape = self.shapes[self.input][1:]
        sizes = tuple(size for size in shape if size is not None)
        return sizes if len(sizes) == len(shape) else None

    @property
    def is_double(self) -> bool:
        """Whether the output is declared to be in float64."""
        return bool(self.output.type.tensor_type.elem_type == self._onnx.TensorProto.DOUBLE)

    def is_float(self, data_type: Any) -> bool:
        """Whether a type of ONNX's is float32 or float64."""
        return data_type in self._float_types

    def attributes(self, node: Any) -> dict[str, Any] | None:
        """Return the attributes of ``node``, defaults included.

        None if ONNX does not know the operator or one of its attributes.
        """
        if node.domain not in DEFAULT_DOMAINS:
            return None
        try:
            schema = self._onnx.defs.get_schema(node.op_type, self.operator_set, "")
        except self._onnx.defs.SchemaError:
            return None
        defaults = [declared.default_value for declared in schema.attributes.values()]
        values = {}
        for attribute in [*(default for default in defaults if default.name), *node.attribute]:
            declared = schema.attributes.get(attribute.name)
            if declared is None or declared.type.value != attribute.type:
                return None
            value = self._onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode()
            values[attribute.name] = shortest(np.float32(value)) if type(value) is float else value
        return values

    def _check_operator_set(self, proto: Any) -> int:
        version: int = max(
            (entry.version for entry in proto.opset_import if entry.domain in DEFAULT_DOMAINS),
            default=0,
        )
        newest = self._onnx.defs.onnx_opset_version()
        if not OLDEST_OPERATOR_SET <= version <= newest:
            raise OnnxError(
                f"expected an operator set from {OLDEST_OPERATOR_SET} to {newest}, which the onnx "
                f"installed here knows, found {version}"
            )
        return version

    def _array(self, tensor: Any) -> Array | None:
        """Return the numbers of ``tensor``, or None for a type that no operation here has."""
        if tensor.data_location == tensor.EXTERNAL or tensor.external_data:
            raise OnnxError(
                f"the numbers of {tensor.name!r} are in another file, and only this one is read: "
                "save the network as one file, in PyTorch by external_data=False"
            )
        types = self._onnx.TensorProto.DataType
        fields = {types.Value(name): field for name, field in FIELDS.items()}
        if tensor.data_type not in fields:
            return None
        if tensor.HasField("raw_data"):
            dtype = self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            present = len(tensor.raw_data) / dtype.itemsize
        else:
            present = len(getattr(tensor, fields[tensor.data_type]))
        if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) != present:
            raise OnnxError(
                f"{tensor.name!r} should have shape {tuple(tensor.dims)}, but the file has "
                f"{present:g} numbers for it"
            )
        array: Array = self._onnx.numpy_helper.to_array(tensor)
        return array

    def _add(self, node: Any) -> None:
        """Add the outputs of ``node``: constants if its inputs are, and values otherwise."""
        texts = [node.op_type, node.domain, node.name, *node.input, *node.output]
        if not all(isinstance(text, str) for text in texts):  # bytes that are not UTF-8
            raise OnnxError(f"{node_text(node)} is damaged")
        for name in filter(None, node.input):
            if name not in self.constants and name not in self.shapes:
                raise OnnxError(f"{node_text(node)} takes {name!r}, which nothing before it makes")
        taken = [self.shapes[name] for name in node.input if name in self.shapes]
        for name in filter(None, node.output):
            if name in self.constants or name in self.shapes:
                raise OnnxError(f"{node_text(node)} makes {name!r}, which is there already")
            if taken:
                self.nodes[name] = node
                self.shapes[name] = self._output_shape(node, max(taken, key=len))
            else:
                self.constants[name] = self._constant(node)

    def _constant(self, node: Any) -> Array | None:
        attributes = self.attributes(node) or {}
        if node.op_type == "Constant" and "value" in attributes:
            return self._array(attributes["value"])
        operand = self.constants.get(node.input[0]) if node.input else None
        if node.op_type == "Identity":
            return operand
        if node.op_type == "Transpose" and operand is not None and operand.ndim == 2:
            return operand.T if attributes.get("perm", [1, 0]) == [1, 0] else None
        return None

    def _output_shape(self, node: Any, shape: ValueShape) -> ValueShape:
        """Return the shape of the output of ``node`` for inputs of ``shape``, as far as needed."""
        operand = self.constants.get(node.input[-1])
        if node.op_type == "Flatten":
            return (*shape[:1], product(shape[1:]))
        if node.op_type == "Reshape":
            return (None, int(operand[1])) if operand is not None and operand.shape == (2,) else ()
        if node.op_type == "MatMul" and operand is not None and operand.ndim == 2:
            return (*shape[:-1], operand.shape[1])
        return (*shape[:1], None) if node.op_type == "Gemm" else shape

    def _choose_output(self, outputs: Any) -> Any:
        """Return the output of floating-point numbers: classifiers also have one of labels."""
        numbers = [
            output
            for output in outputs
            if self.is_float(output.type.tensor_type.elem_type)
            or is_zip_map(self.nodes.get(output.name))
        ]
        if len(numbers) != 1:
            raise OnnxError(
                "expected one output of floating-point numbers, found "
                f"{[output.name for output in numbers]}"
            )
        return numbers[0]


def product(sizes: ValueShape) -> int | None:
    """Return the product of ``sizes``, None if one of them is not known."""
    known = [size for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None


def is_zip_map(node: Any) -> bool:
    """Whether ``node`` is scikit-learn's ZipMap, which names each probability after its class."""
    return node is not None and node.op_type == "ZipMap" and node.domain == "ai.onnx.ml"


def node_text(node: Any) -> str:
    """Return the name and the operator of ``node``, for messages."""
    name = node.name or next(iter(node.output), "")
    return f"node {name!r} ({node.op_type})"


def _declared_shape(value: Any) -> ValueShape:
    """Return the declared shape of the graph's input."""
    tensor = value.type.tensor_type
    if len(tensor.shape.dim) < 2:
        raise OnnxError(f"expected samples of one axis or more as its input {value.name!r}")
    return tuple(size.dim_value if size.dim_value > 0 else None for size in tensor.shape.dim)
