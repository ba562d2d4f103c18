"""The graph in an ONNX file, read and checked.

The file is not trusted: nothing in it is run, no other file is opened, and memory is taken only
for numbers that are there.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from framework.errors import OnnxError
from framework.interchange.layout import Sizes
from framework.interchange.onnx_constants import Constants
from framework.interchange.onnx_nodes import DOMAINS, GraphNode, Reader
from optimizers.arrays import Array

# Since this version of the operators, operands are broadcast as in NumPy.
OLDEST_OPERATOR_SET = 7
# The limit of protocol buffers.
LARGEST_FILE = 2**31 - 1
FLOAT_TYPES = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")
MOST_NODES = 10_000
# Before operator set 13, these were along all axes from the given one on.
ALONG_ALL_AXES = ("Softmax", "LogSoftmax")


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

    A value that a node passes on unchanged is known by one name only (see ``origin``).

    Attributes:
        constants: the values that do not depend on the data.
        input: the name of the one input.
        input_sizes: the sizes of a sample of it, as far as they are declared.
        samples: how many samples are declared, None for any number.
        nodes: the node that computes each value that depends on the data.
        outputs: the declared outputs.

    Raises OnnxError if the graph is damaged, or of a kind that no model here has.
    """

    def __init__(self, onnx: Any, proto: Any) -> None:
        self._onnx = onnx
        self._operator_sets = self._checked_operator_sets(proto)
        types = onnx.TensorProto.DataType
        self._float_types = {types.Value(name) for name in FLOAT_TYPES}
        reader = Reader(onnx, self._operator_sets)
        graph = proto.graph
        if len(graph.node) > MOST_NODES:
            raise OnnxError(f"expected at most {MOST_NODES:,} nodes, found {len(graph.node):,}")
        self.constants = Constants({one.name: reader.array(one) for one in graph.initializer})
        inputs = [value for value in graph.input if value.name not in self.constants]
        if len(inputs) != 1:
            raise OnnxError(f"expected one input, found {[value.name for value in inputs]}")
        self.input: str = inputs[0].name
        self.samples, *sizes = _declared_sizes(inputs[0])
        self.input_sizes: Sizes = tuple(sizes)
        self.nodes: dict[str, GraphNode] = {}
        self._origins: dict[str, str] = {}
        for one in graph.node:
            self._add(reader.node(one))
        self.outputs = list(graph.output)

    def origin(self, name: str) -> str:
        """Return the name of the value that ``name`` is another name of, or ``name``."""
        return self._origins.get(name, name)

    def depends_on_data(self, name: str) -> bool:
        """Whether there is such a value, and it depends on the input."""
        return name == self.input or name in self.nodes

    def data_of(self, node: GraphNode) -> list[str]:
        """Return the operands of ``node`` that depend on the input."""
        return [name for name in node.inputs if self.depends_on_data(name)]

    def is_float(self, value: Any) -> bool:
        """Whether an output is declared to be a floating-point tensor."""
        return value.type.tensor_type.elem_type in self._float_types

    def is_double(self, value: Any) -> bool:
        """Whether an output is declared to be in float64."""
        return bool(value.type.tensor_type.elem_type == self._onnx.TensorProto.DOUBLE)

    @cached_property
    def gates(self) -> dict[str, str]:
        """For each computed value the closest one that all ways to it from the input go through."""
        gates: dict[str, str] = {}
        depths = {self.input: 0}
        for name, node in self.nodes.items():
            gate, *others = self.data_of(node)
            for other in others:
                while gate != other:
                    if depths[gate] < depths[other]:
                        gate, other = other, gate
                    gate = gates[gate]
            gates[name], depths[name] = gate, depths[gate] + 1
        return gates

    # Details

    def _checked_operator_sets(self, proto: Any) -> dict[str, int]:
        versions: dict[str, int] = {}
        for entry in proto.opset_import:
            domain = DOMAINS.get(entry.domain, entry.domain)
            versions[domain] = max(versions.get(domain, 0), entry.version)
        newest = self._onnx.defs.onnx_opset_version()
        version = versions.get("", 0)
        if not OLDEST_OPERATOR_SET <= version <= newest:
            raise OnnxError(
                f"expected an operator set from {OLDEST_OPERATOR_SET} to {newest}, which the onnx "
                f"installed here knows, found {version}"
            )
        return versions

    def _add(self, node: GraphNode) -> None:
        """Add the outputs of ``node``: constants if its inputs are, and values otherwise."""
        for name in filter(None, node.inputs):
            if not self._is_known(name):
                raise OnnxError(f"{node} takes {name!r}, which nothing before it makes")
        node = self._with_origins(node)
        on_data = self.data_of(node)
        for position, name in enumerate(node.outputs):
            if name and self._is_known(name):
                raise OnnxError(f"{node} makes {name!r}, which is there already")
            if not name:
                continue
            if on_data and node.operator not in ("Shape", "Size"):
                if position == 0 and self._passes_on(node):
                    self._origins[name] = node.inputs[0]
                else:
                    self.nodes[name] = node
            elif node.operator == "Constant" and not node.inputs:
                self.constants.store(name, node_value(node))
            else:
                self.constants.compute(name, node)

    def _is_known(self, name: str) -> bool:
        return name in self.constants or name in self._origins or self.depends_on_data(name)

    def _with_origins(self, node: GraphNode) -> GraphNode:
        attributes = node.attributes
        if node.operator in ALONG_ALL_AXES and self._operator_sets[""] < 13 and attributes:
            attributes = {**attributes, "along_all": True}
        inputs = tuple(map(self.origin, node.inputs))
        return replace(node, inputs=inputs, attributes=attributes)

    def _passes_on(self, node: GraphNode) -> bool:
        """Whether the first output of ``node`` is its first input, up to rounding."""
        if node.attributes is None or node.domain or not self.depends_on_data(node.inputs[0]):
            return False
        if node.operator == "Cast":
            before = self.nodes.get(node.inputs[0])
            whole = before is not None and before.operator in ("ArgMax", "Cast")
            return node.attributes["to"] in self._float_types and not whole
        if node.operator == "Dropout":
            training = self.constants.array(node.inputs[2]) if len(node.inputs) > 2 else None
            return len(node.inputs) < 3 or (training is not None and not training.any())
        return node.operator == "Identity"


def node_value(node: GraphNode) -> Array | None:
    """Return the array that a ``Constant`` has in one of its attributes, None if it has none."""
    for name, value in (node.attributes or {}).items():
        if name == "value":
            return value
        if name in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if name in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    return None


def _declared_sizes(value: Any) -> Sizes:
    """Return the declared sizes of the graph's input, samples first."""
    tensor = value.type.tensor_type
    if len(tensor.shape.dim) < 2:
        raise OnnxError(f"expected samples of one axis or more as its input {value.name!r}")
    return tuple(size.dim_value if size.dim_value > 0 else None for size in tensor.shape.dim)
