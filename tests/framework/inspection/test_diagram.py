"""A network as columns of neurons, and its picture in a notebook."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    Container,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    Model,
    PReLU,
    ReLU,
    Scale,
    Sequential,
    Softmax,
)
from framework.inspection.diagram import columns_of, edges_between, heights
from framework.inspection.diagram_svg import network_svg


def names(network: Sequential, **options: Any) -> list[tuple[str, int]]:
    return [("+".join(one.names), one.neurons) for one in columns_of(network, **options)]


def test_a_column_has_a_layer_and_what_keeps_its_neurons() -> None:
    network = Model(
        [Dense(2, 8), BatchNormalization(8), ReLU(), Dropout(0.1), Dense(8, 3), Softmax()]
    )
    assert names(network) == [
        ("inputs", 2),
        ("Dense+BatchNormalization+ReLU+Dropout", 8),
        ("Dense+Softmax", 3),
    ]
    first, second, third = columns_of(network)
    assert (first.operation, second.operation, second.last, third.last) == (-1, 0, 3, 5)
    assert first.weights is None
    assert second.weights is network.layers[0].weights


def test_an_operation_that_does_not_tell_its_shape_has_that_of_its_last_output() -> None:
    class Own:
        def forward(self, inputs: np.ndarray) -> None:
            self.output = inputs**3

        def backward(self, dvalues: np.ndarray) -> None:
            self.dinputs = dvalues

    network = Model([Dense(2, 4), Own(), Dense(4, 1)])
    assert names(network)[2] == ("Own", 1)
    network.finalize()
    network.predict([[1.0, 2.0]])
    assert names(network) == [("inputs", 2), ("Dense+Own", 4), ("Dense", 1)]


def test_layers_of_one_neuron_are_told_from_parameters_of_one_feature() -> None:
    network = Sequential([Dense(1, 1), PReLU(), BatchNormalization(1), Dense(1, 1)])
    assert names(network) == [("inputs", 1), ("Dense+PReLU+BatchNormalization", 1), ("Dense", 1)]


def test_operations_before_the_first_layer_are_columns_of_their_own() -> None:
    assert names(Model([Scale(2.0), Dense(4, 2)])) == [("inputs", 4), ("Scale", 4), ("Dense", 2)]


def test_images_are_drawn_as_one_and_fold_out_where_they_are_flattened() -> None:
    network = Model([Conv2D(1, 4, 3), ReLU(), Flatten(), Dense(16, 2)])
    network.finalize()
    network.predict(np.zeros((1, 4, 4, 1)))
    assert names(network) == [("inputs", 1), ("Conv2D+ReLU", 1), ("Flatten", 16), ("Dense", 2)]
    assert [one.shape for one in columns_of(network)] == [(4, 4, 1), (2, 2, 4), (16,), (2,)]


def test_large_layers_are_folded_unless_they_are_opened() -> None:
    network = Model([Dense(2, 64), ReLU(), Dense(64, 3)])
    folded, opened = columns_of(network)[1], columns_of(network, opened={1})[1]
    assert (len(folded.shown), folded.folded, folded.places) == (9, 55, 10)
    assert (len(opened.shown), opened.folded, opened.places) == (64, 0, 64)


def test_a_plain_sequential_is_opened_and_a_container_of_ones_own_is_a_column() -> None:
    class Own(Container):
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def children(self) -> Any:
            return {"inner": self.inner}

        def output_shape(self, input_shape: Any) -> Any:
            return input_shape

    network = Sequential([Sequential([Dense(2, 4), ReLU()]), Own(Dense(4, 4)), Dense(4, 3)])
    assert names(network) == [("inputs", 2), ("Dense+ReLU", 4), ("Own", 4), ("Dense", 3)]


def test_edges_are_the_weights_the_smallest_first() -> None:
    layer = Dense(2, 2, dtype="float64")
    layer.weights = [[0.5, -2.0], [0.0, 1.0]]
    edges = list(edges_between(*columns_of(Sequential([layer]))))
    assert [(edge.before, edge.after, edge.weight) for edge in edges] == [
        (1, 0, 0.0), (0, 0, 0.5), (1, 1, 1.0), (0, 1, -2.0),
    ]  # fmt: skip
    assert [edge.strength for edge in edges] == [0, 0.25, 0.5, 1]
    strongest = list(edges_between(*columns_of(Sequential([layer])), most=1))
    assert [edge.weight for edge in strongest] == [-2.0]


def test_weights_that_are_not_finite_have_no_strength() -> None:
    layer = Dense(2, 1)
    layer.weights = [[np.nan], [3.0]]
    assert [e.strength for e in edges_between(*columns_of(Sequential([layer])))] == [0, 1]


def test_places_are_in_the_middle_and_evenly_apart() -> None:
    one, other = columns_of(Sequential([Dense(4, 2)]))
    assert heights(one, 4) == [0.125, 0.375, 0.625, 0.875]
    assert heights(other, 4) == [0.375, 0.625]


def test_its_svg_has_a_circle_for_each_neuron_and_a_line_for_each_weight() -> None:
    class Tricky(LeakyReLU):
        pass

    Tricky.__name__ = "<b>"
    root = ElementTree.fromstring(network_svg(Model([Dense(2, 3), Tricky(), Dense(3, 20)])))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(space + "circle")) == 2 + 3 + 9
    assert len(root.findall(space + "line")) == 2 * 3 + 3 * 9
    texts = [text.text for text in root.findall(space + "text")]
    assert {"+ 11", "2", "3", "20", "inputs", "Dense", "<b>"} <= set(texts)


def test_a_model_shows_its_summary_and_its_diagram_in_a_notebook() -> None:
    shown = Model([Dense(2, 64), ReLU(), Dense(64, 3)])._repr_html_()
    assert shown is not None
    assert "<td>(samples, 64)</td><td>192</td>" in shown and "<th>387</th>" in shown
    assert "<svg" in shown and "+ 55" in shown
    assert Model()._repr_html_() is not None


@pytest.mark.parametrize("operations", [[Dense(2, 3), Dense(4, 1)]])
def test_a_model_whose_operations_do_not_fit_is_shown_as_text(operations: Any) -> None:
    assert Model(operations)._repr_html_() is None
