"""Which value of an ONNX graph is the output of the network."""

from __future__ import annotations

from framework.errors import OnnxError
from framework.interchange.onnx_graph import Graph
from framework.interchange.onnx_nodes import CLASSICAL_DOMAIN

# Operators that make classes of the positions that ``ArgMax`` gives.
OF_CLASSES = ("Cast", "Reshape", "Squeeze", "Flatten", "ArrayFeatureExtractor")


def chosen_output(graph: Graph, name: str | None) -> str:
    """Return the value that is the output: ``name``, or the only one of floating-point numbers.

    Classifiers have another one of classes, which is taken if there are no numbers.

    Raises OnnxError if there is no such value, or several.
    """
    names = [output.name for output in graph.outputs]
    if name is not None:
        origin = graph.origin(name)
        if not graph.depends_on_data(origin):
            raise OnnxError(f"it has no output {name!r}: its outputs are {names}")
        return origin
    numbers = [
        output.name
        for output in graph.outputs
        if graph.is_float(output) or _is_zip_map(graph, graph.origin(output.name))
    ]
    found = numbers or [one for one in names if _scores(graph, graph.origin(one)) is not None]
    if len(found) != 1:
        raise OnnxError(
            f"expected one output of floating-point numbers, found {found}: choose one with "
            "output='…'"
        )
    return graph.origin(found[0])


def without_classes(graph: Graph, value: str) -> tuple[str, list[str] | None]:
    """Return the value that classes are made of, where ``value`` is classes.

    ``ZipMap`` names each probability after its class, ``ArgMax`` gives the position of the largest.
    The names of the classes are returned too, if they have any.
    """
    names: list[str] | None = None
    while _is_zip_map(graph, value):
        names = (graph.nodes[value].attributes or {}).get("classlabels_strings")
        value = graph.nodes[value].inputs[0]
    scores = _scores(graph, value)
    if scores is not None:
        value = scores
    classifier = graph.nodes.get(value)
    while classifier is not None and classifier.operator == "Normalizer":
        classifier = graph.nodes.get(classifier.inputs[0])
    if classifier is not None and classifier.operator == "LinearClassifier":
        names = names or (classifier.attributes or {}).get("classlabels_strings")
    return value, names


def _scores(graph: Graph, value: str) -> str | None:
    """Return the scores that ``value`` has the classes with the largest of, None if it has none."""
    node = graph.nodes.get(value)
    while node is not None and node.operator in OF_CLASSES and len(graph.data_of(node)) == 1:
        (before,) = graph.data_of(node)
        value, node = before, graph.nodes.get(before)
    if node is None or node.attributes is None:
        return None
    if node.operator == "LinearClassifier" and node.domain == CLASSICAL_DOMAIN:
        return node.outputs[1] if value == node.outputs[0] else None
    if node.operator == "ArgMax" and node.attributes["axis"] in (1, -1):
        return node.inputs[0]
    return None


def _is_zip_map(graph: Graph, value: str) -> bool:
    node = graph.nodes.get(value)
    return node is not None and node.operator == "ZipMap" and node.domain == CLASSICAL_DOMAIN
