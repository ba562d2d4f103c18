"""A network from an ONNX file: ``Model.from_onnx``.

The graph is walked from its output back to its input. At each value the forms of ``onnx_forms``
are tried; the one that fits says which operation made this value, and from which other value.

The file is not trusted: nothing in it is run, no other file is opened, and memory is taken only
for numbers that are there.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from framework.activations import Activation, Linear
from framework.containers.supervised import Supervised
from framework.errors import OnnxError
from framework.interchange.onnx_export import CLASS_NAMES, PRODUCER
from framework.interchange.onnx_patterns import (
    Argument,
    Inputs,
    Node,
    Part,
    forms_to_read,
    shortest,
)
from framework.layers import Flatten
from framework.operation import Array, Operation, Shape
from framework.utils import rng
from framework.utils.optional import required
from optimizers.optimizer import parameter_names

AnyModel = TypeVar("AnyModel", bound=Supervised)
# What the arguments of a form stand for, and its inputs.
Found: TypeAlias = dict[str, Any]
INPUTS = "inputs"

# The operator set since which operands are broadcast as in NumPy.
OLDEST_OPERATOR_SET = 7
# Protocol buffers cannot be larger.
LARGEST_FILE = 2**31 - 1
MOST_NODES = 10_000
# Nodes can share a constant. More parameters than this, and than 16 times the numbers in the
# file, are nothing that somebody trained.
MANY_PARAMETERS = 1_000_000

FORMS = forms_to_read()
DEFAULT_DOMAINS = ("", "ai.onnx")
# What these do to values of more than two axes, no operation of this framework does.
ON_ROWS = ("Gemm", "MatMul", "BatchNormalization", "Concat")
# Where the numbers of a tensor are, unless they are kept as bytes.
FIELDS = {
    "FLOAT": "float_data",
    "DOUBLE": "double_data",
    "INT32": "int32_data",
    "INT64": "int64_data",
}


def from_onnx(path: str | os.PathLike[str], model_class: type[AnyModel]) -> AnyModel:
    """Return the network in the file ``path``: see ``Model.from_onnx``."""
    onnx = required("onnx", "'dinputs[onnx]'")
    try:
        proto = _parse(onnx, path)
        graph = _Graph(onnx, proto)
        # New layers draw initial weights, which nobody asked for here.
        with rng.preserve_rng():
            operations = graph.operations()
        model = model_class(operations, dtype=graph.dtype(operations))
        model.finalize()
        model.input_shape = graph.sample_shape
        model.output_shapes(model.input_shape)
        model.class_names = _class_names(proto)
    except ValueError as error:
        raise OnnxError(f"{os.fspath(path)}: {error}") from error
    return model


def _class_names(proto: Any) -> list[str] | None:
    """The names that ``export_onnx`` has written; those of other programs may be anything."""
    texts = [entry.value for entry in proto.metadata_props if entry.key == CLASS_NAMES]
    if proto.producer_name != PRODUCER or not texts:
        return None
    try:
        names = json.loads(texts[0])
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OnnxError(f"its {CLASS_NAMES} are not a list of names in JSON")
    return names


def _parse(onnx: Any, path: str | os.PathLike[str]) -> Any:
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


class _Graph:
    """The graph of a file: what its values are, and which operations make them."""

    def __init__(self, onnx: Any, proto: Any) -> None:
        self.onnx = onnx
        self.floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
        self.operator_set = self._operator_set(proto)
        graph = proto.graph
        if len(graph.node) > MOST_NODES:
            raise OnnxError(f"expected at most {MOST_NODES:,} nodes, found {len(graph.node):,}")
        # A constant is None if it is of a kind that no form has.
        self.constants: dict[str, Array | None] = {
            tensor.name: self._array(tensor) for tensor in graph.initializer
        }
        inputs = [value for value in graph.input if value.name not in self.constants]
        if len(inputs) != 1:
            raise OnnxError(f"expected one input, found {[value.name for value in inputs]}")
        self.input = inputs[0].name
        # Of all other values, the number of samples first. A size is None if it is not known.
        self.shapes: dict[str, tuple[int | None, ...]] = {self.input: _declared_shape(inputs[0])}
        self.makers: dict[str, Any] = {}
        for node in graph.node:
            self._enter(node)
        self.output = self._choose_output(graph.output)

    @property
    def sample_shape(self) -> Shape:
        """The shape of one sample of the input, None if some of it is not known."""
        shape = self.shapes[self.input][1:]
        sizes = tuple(size for size in shape if size is not None)
        return sizes if len(sizes) == len(shape) else None

    def operations(self) -> list[Operation]:
        """Return the operations from the input to the output, in order."""
        found = [operation for step in [*self._steps()][::-1] for operation in step]
        # After an activation, an Identity only gives the output its name.
        return [
            operation
            for before, operation in zip([None, *found], found, strict=False)
            if not (type(operation) is Linear and isinstance(before, Activation))
        ]

    def dtype(self, operations: Iterable[Operation]) -> str:
        """Return the dtype in which the graph computes, whose operations these are."""
        declared = self.output.type.tensor_type.elem_type
        found = {getattr(operation, "dtype", None) for operation in operations}
        doubles = declared == self.onnx.TensorProto.DOUBLE or "float64" in found
        return "float64" if doubles else "float32"

    # What the values are

    def _operator_set(self, proto: Any) -> int:
        version: int = max(
            (entry.version for entry in proto.opset_import if entry.domain in DEFAULT_DOMAINS),
            default=0,
        )
        newest = self.onnx.defs.onnx_opset_version()
        if not OLDEST_OPERATOR_SET <= version <= newest:
            raise OnnxError(
                f"expected an operator set from {OLDEST_OPERATOR_SET} to {newest}, which the onnx "
                f"installed here knows, found {version}"
            )
        return version

    def _array(self, tensor: Any) -> Array | None:
        """The numbers of ``tensor``, or None if they are of a kind that no form has."""
        if tensor.data_location == tensor.EXTERNAL or tensor.external_data:
            raise OnnxError(
                f"the numbers of {tensor.name!r} are in another file, and only this one is read: "
                "save the network as one file, in PyTorch by external_data=False"
            )
        fields = {self.onnx.TensorProto.DataType.Value(kind): name for kind, name in FIELDS.items()}
        if tensor.data_type not in fields:
            return None
        if tensor.HasField("raw_data"):
            dtype = self.onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            there = len(tensor.raw_data) / dtype.itemsize
        else:
            there = len(getattr(tensor, fields[tensor.data_type]))
        if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) != there:
            raise OnnxError(
                f"{tensor.name!r} should have shape {tuple(tensor.dims)}, but the file has "
                f"{there:g} numbers for it"
            )
        array: Array = self.onnx.numpy_helper.to_array(tensor)
        return array

    def _enter(self, node: Any) -> None:
        """Note what ``node`` makes: a constant if it takes nothing else, or a value."""
        texts = [node.op_type, node.domain, node.name, *node.input, *node.output]
        if not all(isinstance(text, str) for text in texts):  # but bytes that are no text
            raise OnnxError(f"{_text(node)} is damaged")
        for name in filter(None, node.input):
            if name not in self.constants and name not in self.shapes:
                raise OnnxError(f"{_text(node)} takes {name!r}, which nothing before it makes")
        taken = [self.shapes[name] for name in node.input if name in self.shapes]
        for name in filter(None, node.output):
            if name in self.constants or name in self.shapes:
                raise OnnxError(f"{_text(node)} makes {name!r}, which is there already")
            if taken:
                self.makers[name] = node
                self.shapes[name] = self._shape(node, max(taken, key=len))
            else:
                self.constants[name] = self._constant(node)

    def _constant(self, node: Any) -> Array | None:
        attributes = self._attributes(node) or {}
        if node.op_type == "Constant" and "value" in attributes:
            return self._array(attributes["value"])
        operand = self.constants.get(node.input[0]) if node.input else None
        if node.op_type == "Identity":
            return operand
        if node.op_type == "Transpose" and operand is not None and operand.ndim == 2:
            return operand.T if attributes.get("perm", [1, 0]) == [1, 0] else None
        return None

    def _shape(self, node: Any, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of what ``node`` makes of values of ``shape``, as far as it is needed."""
        operand = self.constants.get(node.input[-1])
        if node.op_type == "Flatten":
            return (*shape[:1], _product(shape[1:]))
        if node.op_type == "Reshape":
            return (None, int(operand[1])) if operand is not None and operand.shape == (2,) else ()
        if node.op_type == "MatMul" and operand is not None and operand.ndim == 2:
            return (*shape[:-1], operand.shape[1])
        return (*shape[:1], None) if node.op_type == "Gemm" else shape

    def _choose_output(self, outputs: Any) -> Any:
        """The output of numbers, beside which classifiers have one of labels."""
        numbers = [
            output
            for output in outputs
            if output.type.tensor_type.elem_type in self.floats
            or _is_zip_map(self.makers.get(output.name))
        ]
        if len(numbers) != 1:
            raise OnnxError(
                "expected one output of floating-point numbers, found "
                f"{[output.name for output in numbers]}"
            )
        return numbers[0]

    # Which operations make them

    def _steps(self) -> Iterator[list[Operation]]:
        """Yield the operations, a few in order at a time, from the output back to the input."""
        value, parameters = self.output.name, 0
        stored = sum(array.size for array in self.constants.values() if array is not None)
        while value != self.input:
            step, value = self._read(value)
            for operation in step:
                parameters += sum(
                    getattr(operation, name).size for name in parameter_names(operation)
                )
            if parameters > MANY_PARAMETERS + 16 * stored:
                raise OnnxError(f"its {stored:,} numbers are used for {parameters:,} parameters")
            yield step

    def _read(self, value: str) -> tuple[list[Operation], str]:
        """The operations that make ``value``, and the name of what they make it from."""
        node = self.makers.get(value)
        if node is None:
            raise OnnxError(f"its output comes from {value!r}, and not from its input")
        plumbing = self._plumbing(node)
        if plumbing is not None:
            return plumbing, node.input[0]
        for form, build in FORMS.get(node.op_type, ()):
            found = self._match(form, value, {})
            if found is not None:
                inputs = found.pop(INPUTS)
                try:
                    return build(**found), inputs
                except ValueError as error:
                    raise OnnxError(f"{_text(node)}: {error}") from error
        hint = ""
        if node.op_type == "Gelu" or "Erf" in {maker.op_type for maker in self.makers.values()}:
            hint = ": GELU() is the approximation by tanh, for which PyTorch has approximate='tanh'"
        raise OnnxError(f"{_text(node)} computes what no operation of this framework does{hint}")

    def _plumbing(self, node: Any) -> list[Operation] | None:
        """The operations of a node that leaves all numbers as they are, None for any other."""
        if _is_zip_map(node):
            return []
        attributes = self._attributes(node)
        if node.op_type == "Cast" and attributes is not None:
            return [] if attributes.get("to") in self.floats else None
        if node.op_type == "Reshape" and attributes is not None:
            shape, target = self.shapes.get(node.input[0]), self.constants.get(node.input[-1])
            if shape and target is not None and target.shape == (2,):
                samples, features = target.tolist()
                same = [shape[0]] if attributes.get("allowzero") else [shape[0], 0]
                lays_out = features == _product(shape[1:]) and samples in [-1, *same]
                if lays_out or (features == -1 and samples in same):
                    return [] if len(shape) == 2 else [Flatten()]
        return None

    def _match(self, part: Part, value: str, found: Found) -> Found | None:
        """Return ``found`` and what else is found if ``part`` makes ``value``; None if not."""
        if isinstance(part, Inputs):
            same = value in self.shapes and found.get(INPUTS, value) == value
            return {**found, INPUTS: value} if same else None
        if isinstance(part, Node):
            return self._match_node(part, value, found)
        constant = self.constants.get(value)
        if constant is None:
            return None
        if isinstance(part, Argument):
            return {**found, part.name: constant}
        number = constant.item() if constant.shape in ((), (1,)) else math.nan
        return found if math.isclose(number, part, rel_tol=1e-6) else None

    def _match_node(self, part: Node, value: str, found: Found) -> Found | None:
        node = self.makers.get(value)
        if node is None or node.op_type != part.operator or node.output[0] != value:
            return None
        attributes = self._attributes(node)
        axes = max(len(self.shapes.get(name, ())) for name in node.input)
        if attributes is None or (part.operator in ON_ROWS and axes != 2):
            return None
        if part.operator == "Softmax":
            # Before operator set 13, softmax was over all axes from this one on.
            if self.operator_set < 13 and axes != 2:
                return None
            attributes["axis"] -= axes if attributes["axis"] >= 0 else 0
        for name, setting in attributes.items():
            expected = part.attributes.get(name)
            if isinstance(expected, Argument):
                found = {**found, expected.name: setting}
            elif setting != expected:
                return None
        orders = [part.inputs, part.inputs[::-1]] if part.commutative else [part.inputs]
        matches = (self._match_operands(parts, list(node.input), found) for parts in orders)
        return next((match for match in matches if match is not None), None)

    def _match_operands(
        self, parts: Sequence[Part], values: Sequence[str], found: Found
    ) -> Found | None:
        if len(parts) != len(values):
            return None
        result: Found | None = found
        for part, value in zip(parts, values, strict=True):
            result = None if result is None else self._match(part, value, result)
        return result

    def _attributes(self, node: Any) -> dict[str, Any] | None:
        """The attributes of ``node``, with the defaults; None if it has what ONNX does not know."""
        if node.domain not in DEFAULT_DOMAINS:
            return None
        try:
            schema = self.onnx.defs.get_schema(node.op_type, self.operator_set, "")
        except self.onnx.defs.SchemaError:
            return None
        defaults = [declared.default_value for declared in schema.attributes.values()]
        values = {}
        for attribute in [*(default for default in defaults if default.name), *node.attribute]:
            declared = schema.attributes.get(attribute.name)
            if declared is None or declared.type.value != attribute.type:
                return None
            value = self.onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode()
            values[attribute.name] = shortest(np.float32(value)) if type(value) is float else value
        return values


def _declared_shape(value: Any) -> tuple[int | None, ...]:
    """The shape of the graph's input; the samples come first."""
    tensor = value.type.tensor_type
    if len(tensor.shape.dim) < 2:
        raise OnnxError(f"expected samples of one axis or more as its input {value.name!r}")
    return tuple(size.dim_value if size.dim_value > 0 else None for size in tensor.shape.dim)


def _product(sizes: tuple[int | None, ...]) -> int | None:
    known = [size for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None


def _is_zip_map(node: Any) -> bool:
    """Whether ``node`` is scikit-learn's, which gives each probability the name of its class."""
    return node is not None and node.op_type == "ZipMap" and node.domain == "ai.onnx.ml"


def _text(node: Any) -> str:
    name = node.name or next(iter(node.output), "")
    return f"node {name!r} ({node.op_type})"
