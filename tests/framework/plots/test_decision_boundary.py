"""``decision_boundary``."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from datasets import one_hot_encode
from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Sequential,
    Sigmoid,
    Softmax,
    plots,
)
from tests.framework.plots.support import Data


@pytest.mark.parametrize("encode", [lambda y: y, lambda y: one_hot_encode(y, 3)])
def test_decision_boundary_draws_every_point_and_gives_the_wrong_ones_a_dark_rim(
    model: Model, spiral: Data, encode: Any
) -> None:
    X, y = spiral
    ax = plots.decision_boundary(model, X, encode(y), resolution=10)
    right, wrong = ax.collections
    mistakes = model.predict_classes(X) != y
    np.testing.assert_allclose(right.get_offsets(), X[~mistakes])
    np.testing.assert_allclose(wrong.get_offsets(), X[mistakes])
    assert to_rgb(wrong.get_edgecolor()[0]) == to_rgb("black")
    assert ax.get_title() == f"{1 - mistakes.mean():.1%} of 60 points right"
    assert ax.images[0].get_array().shape == (10, 10, 3)


def test_a_model_with_one_output_has_a_boundary_too(spiral: Data) -> None:
    X, y = spiral
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy())
    model.finalize()
    ax = plots.decision_boundary(model, X, (y > 0).reshape(-1, 1), resolution=5)
    assert sum(len(points.get_offsets()) for points in ax.collections) == 60


def test_decision_boundary_has_the_colour_of_the_class_paler_where_unsure() -> None:
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy())
    model.finalize()
    model.layers[0].weights = [[100.0], [0.0]]  # class 1 on the right, for certain
    ax = plots.decision_boundary(model, [[-1, -1], [1, 1]], [0, 1], resolution=11)
    shades = ax.images[0].get_array()
    for column, colour in ((0, plots.COLOURS[0]), (-1, plots.COLOURS[1])):
        strongest = 1 - 0.6 * (1 - np.array(to_rgb(colour)))
        np.testing.assert_allclose(shades[5, column], strongest, atol=1e-6)
    assert shades[5, 5].min() > shades[5, 0].min()


def legend(ax: Axes) -> dict[str, Any]:
    """The markers of a legend by their labels."""
    found = ax.get_legend()
    if found is None:
        return {}
    labels = [text.get_text() for text in found.get_texts()]
    return dict(zip(labels, found.legend_handles, strict=True))


def test_a_legend_names_the_classes_and_the_rim_of_points_that_are_wrong(
    model: Model, spiral: Data
) -> None:
    X, y = spiral
    entries = legend(plots.decision_boundary(model, X, y, resolution=5))
    assert list(entries) == ["class 0", "class 1", "class 2", "misclassified"]
    for label, colour in zip(entries, plots.COLOURS, strict=False):
        if label != "misclassified":
            assert entries[label].get_markerfacecolor() == colour
    assert entries["misclassified"].get_markeredgecolor() == "black"


def test_where_nothing_is_wrong_no_rim_is_explained(model: Model, spiral: Data) -> None:
    X, _ = spiral
    ax = plots.decision_boundary(model, X, model.predict_classes(X), resolution=5)
    assert "misclassified" not in legend(ax)


def test_names_of_classes_are_those_given_or_those_of_the_model(model: Model, spiral: Data) -> None:
    X, y = spiral
    model.class_names = ["red", "green", "blue"]
    assert list(legend(plots.decision_boundary(model, X, y)))[:3] == ["red", "green", "blue"]
    given = plots.decision_boundary(model, X, y, class_names=["a", "b", "c"])
    assert list(legend(given))[:3] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="a name for each of 3 classes, received 1"):
        plots.decision_boundary(model, X, y, class_names=["a"])


def test_more_classes_than_colours_have_no_legend_of_classes() -> None:
    model = Model([Dense(2, 9), Softmax()])
    model.finalize()
    classes = np.arange(9)
    ax = plots.decision_boundary(model, np.random.default_rng(0).normal(size=(9, 2)), classes)
    assert list(legend(ax)) == ["misclassified"]


def test_rims_are_thinner_where_hundreds_are_wrong(model: Model) -> None:
    X = np.random.default_rng(0).normal(size=(4000, 2))
    wrong = (model.predict_classes(X) + 1) % 3
    widths = []
    for count in (1, 50, 200, 4000):
        ax = plots.decision_boundary(model, X[:count], wrong[:count], resolution=5)
        widths.append(float(ax.collections[1].get_linewidths()[0]))
    # As the square root of their number, so that the rims together are not black.
    assert widths == pytest.approx([0.9, 0.9, 0.45, 0.25])


@pytest.mark.parametrize("width", [3, 4, 8])
def test_the_legend_of_a_boundary_covers_nothing(width: float, model: Model, spiral: Data) -> None:
    figure = plt.figure(figsize=(width, 4), layout="constrained")
    ax = plots.decision_boundary(model, *spiral, figure.subplots())
    figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    assert not box.overlaps(ax.get_window_extent())
    assert not box.overlaps(ax.xaxis.label.get_window_extent())
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert box.y0 >= 0


def test_a_softmax_inside_a_sequential_makes_colours_pale_as_one_in_a_row() -> None:
    dense, images = Dense(2, 3), []
    for layers in ([dense, Softmax()], [Sequential([dense, Softmax()])]):
        model = Model(layers)
        model.set(loss=CategoricalCrossentropy())
        model.finalize()
        ax = plots.decision_boundary(model, [[-1, -1], [1, 1]], [0, 1], resolution=11)
        images.append(np.array(ax.images[0].get_array()))
    np.testing.assert_array_equal(*images)
    assert len(np.unique(images[0].reshape(-1, 3), axis=0)) > 3  # not one shade for each class


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 5)), [0, 0, 0], r"shape \(samples, 2\), received \(3, 5\)"),
        (np.zeros((3, 2)), [0, 0], r"one class for each of 3 samples"),
    ],
)
def test_decision_boundary_says_what_does_not_fit(
    model: Model, X: np.ndarray, y: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.decision_boundary(model, X, y)
