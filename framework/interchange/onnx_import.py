"""A model from an ONNX file: ``Model.from_onnx``.

The graph is walked from its output back to its input. At each value the patterns of
``onnx_patterns`` are tried. The one that matches gives the operations that compute this value,
and the value that they compute it from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, TypeVar

from framework.activations import Activation, Linear
from framework.containers.supervised import Supervised
from framework.errors import OnnxError, file_errors
from framework.interchange.onnx_export import CLASS_NAMES, PRODUCER
from framework.interchange.onnx_graph import Graph, is_zip_map, node_text, parse, product
from framework.interchange.onnx_matching import INPUTS, match
from framework.interchange.onnx_patterns import patterns_by_operator
from framework.layers import Flatten
from framework.operation import Operation
from framework.utils import rng
from framework.utils.optional import required
from optimizers.optimizer import parameter_names

AnyModel = TypeVar("AnyModel", bound=Supervised)

# Nodes can share a constant, so a small file could demand any number of parameters. More than
# this, and than 16 times the numbers in the file, is no trained network.
MANY_PARAMETERS = 1_000_000

PATTERNS = patterns_by_operator()


def from_onnx(path: str | os.PathLike[str], model_class: type[AnyModel]) -> AnyModel:
    """Return the network in the file ``path``: see ``Model.from_onnx``."""
    onnx = required("onnx", "'dinputs[onnx]'")
    with file_errors(path, OnnxError):
        proto = parse(onnx, path)
        graph = Graph(onnx, proto)
        # The initial weights of new layers are replaced: they must use up no random numbers.
        with rng.preserve_rng():
            operations = _operations(graph)
        model = model_class(operations, dtype=_dtype(graph, operations))
        model.finalize()
        model.input_shape = graph.sample_shape
        model.output_shapes(model.input_shape)
        model.class_names = _class_names(proto)
    return model


def _operations(graph: Graph) -> list[Operation]:
    """Return the operations from the input to the output, in order."""
    found = [operation for step in [*_steps(graph)][::-1] for operation in step]
    # After an activation, an Identity only gives the output its name.
    return [
        operation
        for before, operation in zip([None, *found], found, strict=False)
        if not (type(operation) is Linear and isinstance(before, Activation))
    ]


def _dtype(graph: Graph, operations: list[Operation]) -> str:
    """Return the dtype in which the graph computes these operations."""
    dtypes = {getattr(operation, "dtype", None) for operation in operations}
    return "float64" if graph.is_double or "float64" in dtypes else "float32"


def _class_names(proto: Any) -> list[str] | None:
    """Return the names that ``export_onnx`` has written; another program's may be anything."""
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


def _steps(graph: Graph) -> Iterator[list[Operation]]:
    """Yield the operations of one pattern after the other, from the output back to the input."""
    value, parameters = graph.output.name, 0
    stored = sum(array.size for array in graph.constants.values() if array is not None)
    while value != graph.input:
        step, value = _step(graph, value)
        for operation in step:
            parameters += sum(getattr(operation, name).size for name in parameter_names(operation))
        if parameters > MANY_PARAMETERS + 16 * stored:
            raise OnnxError(f"its {stored:,} numbers are used for {parameters:,} parameters")
        yield step


def _step(graph: Graph, value: str) -> tuple[list[Operation], str]:
    """Return the operations that compute ``value``, and the name of their inputs."""
    node = graph.nodes.get(value)
    if node is None:
        raise OnnxError(f"its output comes from {value!r}, and not from its input")
    unchanged = _without_arithmetic(graph, node)
    if unchanged is not None:
        return unchanged, node.input[0]
    failure: ValueError | None = None
    smallest = 0
    for expression, builder in PATTERNS.get(node.op_type, ()):
        if expression.size < smallest:
            break
        found = match(graph, expression, value)
        if found is not None:
            inputs = found.pop(INPUTS)
            try:
                return builder(**found), inputs
            except ValueError as error:
                # Another operation may have the same pattern, with an array in place of a number.
                # Smaller patterns are only parts of this one.
                failure, smallest = failure or error, expression.size
    if failure is not None:
        raise OnnxError(f"{node_text(node)}: {failure}") from failure
    raise OnnxError(f"no operation of this framework computes {node_text(node)}")


def _without_arithmetic(graph: Graph, node: Any) -> list[Operation] | None:
    """Return the operations of a node that changes no number, or None for any other node."""
    if is_zip_map(node):
        return []
    attributes = graph.attributes(node)
    if attributes is None:
        return None
    if node.op_type == "Cast":
        return [] if graph.is_float(attributes.get("to")) else None
    if node.op_type == "Reshape":
        shape, target = graph.shapes.get(node.input[0]), graph.constants.get(node.input[-1])
        if shape and target is not None and target.shape == (2,):
            samples, features = target.tolist()
            same = [shape[0]] if attributes.get("allowzero") else [shape[0], 0]
            is_flat = features == product(shape[1:]) and samples in [-1, *same]
            if is_flat or (features == -1 and samples in same):
                return [] if len(shape) == 2 else [Flatten()]
    return None
