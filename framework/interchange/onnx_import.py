"""A model from an ONNX file: ``Model.from_onnx``.

The graph is walked from its output back to its input. At each value the patterns of
``onnx_patterns`` are tried. One that matches tells the value that this one is computed from, and
is a step. Then the operations of the steps are put together from the input on, where the order of
the axes and their sizes are known (``assembly.py``). A sum of two values is a ``Residual``, whose
branches begin at the last value that both are computed from.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from framework.activations import Linear
from framework.containers.supervised import Supervised
from framework.errors import OnnxError, file_errors
from framework.interchange.assembly import Assembly, ChannelsFirst
from framework.interchange.onnx_export import CLASS_NAMES, PRODUCER
from framework.interchange.onnx_graph import Graph, parse
from framework.interchange.onnx_matching import INPUTS, Found, Later, match
from framework.interchange.onnx_nodes import GraphNode
from framework.interchange.onnx_outputs import chosen_output, without_classes
from framework.interchange.onnx_patterns import patterns_by_operator
from framework.interchange.onnx_patterns.pattern import Builder
from framework.operation import Operation
from framework.utils import rng
from framework.utils.optional import required

AnyModel = TypeVar("AnyModel", bound=Supervised)

# Nodes can share a constant, so a small file could demand any number of parameters. More than
# this, and than 16 times the numbers in the file, is no trained network.
MANY_PARAMETERS = 1_000_000

PATTERNS = patterns_by_operator()


def from_onnx(
    path: str | os.PathLike[str], model_class: type[AnyModel], output: str | None = None
) -> AnyModel:
    """Return the network in the file ``path``: see ``Model.from_onnx``."""
    onnx = required("onnx", "'dinputs[onnx]'")
    with file_errors(path, OnnxError):
        proto = parse(onnx, path)
        graph = Graph(onnx, proto)
        value, class_names = without_classes(graph, chosen_output(graph, output))
        # The initial weights of new layers are replaced: they must use up no random numbers.
        with rng.preserve_rng():
            assembly = _assembled(graph, value)
        operations = assembly.operations or [Linear()]
        model = model_class(operations, dtype=_dtype(graph, value, operations))
        model.finalize()
        sizes = [size for size in assembly.input_sizes if size is not None]
        model.input_shape = tuple(sizes) if len(sizes) == len(assembly.input_sizes) else None
        model.output_shapes(model.input_shape)
        model.class_names = _own_class_names(proto) or class_names
    return model


def _dtype(graph: Graph, value: str, operations: list[Operation]) -> str:
    """Return the dtype in which the graph computes these operations."""
    dtypes = {getattr(operation, "dtype", None) for operation in operations}
    outputs = [output for output in graph.outputs if graph.origin(output.name) == value]
    return "float64" if "float64" in dtypes or any(map(graph.is_double, outputs)) else "float32"


def _own_class_names(proto: Any) -> list[str] | None:
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


def _assembled(graph: Graph, value: str) -> Assembly:
    """Return the operations that compute ``value`` from the input.

    An input that has its channels first is taken with the channels last.
    """
    try:
        return _assembled_from(graph, value, channels_last=False)
    except ChannelsFirst:
        return _assembled_from(graph, value, channels_last=True)


def _assembled_from(graph: Graph, value: str, channels_last: bool) -> Assembly:
    assembly = Assembly(graph.input_sizes, channels_last, graph.samples)
    assembly.most_parameters = MANY_PARAMETERS + 16 * graph.constants.stored
    assembly = _Way(graph, graph.input, assembly).to(value)
    assembly.finish()
    return assembly


@dataclass
class _Step:
    """A way to compute a value: a builder, with the arguments found, from the value ``inputs``."""

    builder: Builder
    found: Found
    inputs: str


class _Way:
    """What computes values of a graph from the value ``start``.

    Args:
        start: the name of the value that it begins with.
        assembly: the operations so far, which compute this value.

    Attributes:
        reached: the assembly of each value that was computed on the way.
        seen: the names of these values, and of those inside branches.
    """

    def __init__(self, graph: Graph, start: str, assembly: Assembly) -> None:
        self._graph = graph
        self._steps: dict[str, list[_Step]] = {}
        self._failures: dict[str, ValueError] = {}
        self.reached: dict[str, Assembly] = {}
        self.seen: set[str] = set()
        self._reach(start, assembly)

    def to(self, value: str) -> Assembly:
        """Return the assembly that computes ``value``.

        Raises OnnxError, naming the node, where no pattern computes a value on the way, or its
        operation cannot be built.
        """
        while value not in self.reached:
            # Back to a value that was reached, and forward from there.
            way = [value]
            while (step := self._step(way[-1])).inputs not in self.reached:
                way.append(step.inputs)
            for name in reversed(way):
                if not self._try(name):
                    break
        return self.reached[value]

    def _try(self, name: str) -> bool:
        """Take the first step to the value ``name``, and leave it out from now on if it fails."""
        step = self._steps[name][0]
        assembly = self.reached[step.inputs].copy()
        try:
            step.builder(assembly, **self._with_constants(step.found))
        except OnnxError:
            raise
        except ValueError as error:
            # A smaller pattern may compute a part of it.
            self._failures.setdefault(name, error)
            self._steps[name].pop(0)
            return False
        self._reach(name, assembly)
        return True

    def _reach(self, name: str, assembly: Assembly) -> None:
        self.reached[name] = assembly
        self.seen.add(name)
        self._graph.constants.measure(name, assembly.sizes)

    def _with_constants(self, found: Found) -> Found:
        """Return ``found`` with the constants that depend on the shapes of values before."""
        known = {}
        for name, value in found.items():
            known[name] = self._graph.constants.array(value) if isinstance(value, Later) else value
            if known[name] is None and isinstance(value, Later):
                raise ValueError(f"its {name}, {value!r}, are not in the file as numbers")
        return known

    def _step(self, value: str) -> _Step:
        """Return the first step to ``value`` that has not failed."""
        node = self._graph.nodes.get(value)
        if node is None:
            raise OnnxError(f"its output comes from {value!r}, and not from its input")
        if value not in self._steps:
            self._steps[value] = self._all_steps(node, value)
        if not self._steps[value]:
            before = self._graph.data_of(node)[0]
            there = before in self._graph.nodes
            hint = f"; output={before!r} reads the network before it" if there else ""
            failure = self._failures.get(value)
            if failure is not None:
                raise OnnxError(f"{node}: {failure}{hint}") from failure
            raise OnnxError(f"no operation of this framework computes {node}{hint}")
        return self._steps[value][0]

    def _all_steps(self, node: GraphNode, value: str) -> list[_Step]:
        steps = []
        for expression, builder in PATTERNS.get(node.operator, ()):
            found = match(self._graph, expression, value)
            if found is not None:
                arguments = {name: one for name, one in found.items() if name.isidentifier()}
                steps.append(_Step(builder, arguments, arguments.pop(INPUTS)))
        if (
            node.operator in ("Add", "Sum")
            and len(self._graph.data_of(node)) == len(node.inputs) == 2
        ):
            gate = self._graph.gates[value]
            steps.append(_Step(partial(self._add_sum, node, gate), {}, gate))
        return steps

    def _add_sum(self, node: GraphNode, gate: str, assembly: Assembly) -> None:
        """Add the sum of two values, both of which are computed from the value ``gate``."""
        ways = [_Way(self._graph, gate, assembly.branch()) for _ in node.inputs]
        branches = [way.to(value) for way, value in zip(ways, node.inputs, strict=True)]
        shared = ways[0].seen & ways[1].seen - {gate}
        if shared:
            raise OnnxError(
                f"{node}: both values that it adds come from {min(shared)!r} and from others; the "
                "branches of a Residual have only their inputs in common"
            )
        self.seen |= ways[0].seen | ways[1].seen
        assembly.add_sum(*branches)
