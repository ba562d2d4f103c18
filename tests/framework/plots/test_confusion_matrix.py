"""``confusion_matrix``."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from framework import (
    plots,
)
from framework.utils.figures import WRONG
from tests.framework.plots.support import overlap


def cells(ax: Axes) -> dict[tuple[int, int], str]:
    return {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}


def test_confusion_matrix_counts_true_classes_in_rows_and_predicted_ones_in_columns() -> None:
    ax = plots.confusion_matrix([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 0, 2])
    assert cells(ax) == {(0, 0): "2", (0, 1): "1", (1, 1): "1", (2, 0): "1", (2, 2): "1"}
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("true", "predicted")
    assert ax.get_title() == "66.7% of 6 right"


def test_confusion_matrix_is_blue_where_right_and_orange_where_wrong() -> None:
    colours = plots.confusion_matrix([0, 1, 1], [0, 0, 0]).images[0].get_array()
    np.testing.assert_allclose(colours[0, 0], to_rgb(plots.COLOURS[0]))
    np.testing.assert_allclose(colours[1, 0], to_rgb(WRONG))
    np.testing.assert_allclose(colours[[0, 1], [1, 1]], 1)  # nothing there: white


def test_confusion_matrix_is_as_deep_as_the_root_of_the_share_of_the_true_class() -> None:
    colours = plots.confusion_matrix([0, 0, 0, 0, 1], [1, 0, 0, 0, 1]).images[0].get_array()
    np.testing.assert_allclose(colours[0, 1], 1 - 0.5 * (1 - np.array(to_rgb(WRONG))))


def test_confusion_matrix_names_the_classes() -> None:
    ax = plots.confusion_matrix([0, 1], [0, 1], ["cat", "dog", "emu"])
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["cat", "dog", "emu"]


def test_confusion_matrix_takes_probabilities_and_columns() -> None:
    ax = plots.confusion_matrix([[0], [1]], [[0.2, 0.8], [0.1, 0.9]])
    assert cells(ax) == {(0, 1): "1", (1, 1): "1"}


@pytest.mark.parametrize("names", [np.array(["cat", "dog"]), [7, 8], np.array([7, 8])])
def test_confusion_matrix_takes_names_in_an_array_and_numbers(names: Any) -> None:
    ax = plots.confusion_matrix([0, 1], [0, 1], names)
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(name) for name in names]


def test_confusion_matrix_takes_the_probabilities_of_a_sigmoid() -> None:
    ax = plots.confusion_matrix([0, 1, 1], [[0.2], [0.9], [0.5]])
    assert cells(ax) == {(0, 0): "1", (1, 0): "1", (1, 1): "1"}


@pytest.mark.parametrize(
    ("classes", "samples", "name"),
    [
        (2, 1, ""),
        (10, 10, "class "),
        (10, 123_456, ""),
        (20, 9, "a long name "),
        (50, 1, "n"),
        (200, 1, ""),
    ],
)
def test_no_texts_of_a_confusion_matrix_overlap(classes: int, samples: int, name: str) -> None:
    labels = np.repeat(np.arange(classes), samples)
    ax = plots.confusion_matrix(labels, np.roll(labels, 1), [f"{name}{i}" for i in range(classes)])
    ax.figure.canvas.draw()
    assert not overlap(ax.texts)
    assert not overlap(ax.get_xticklabels())
    assert not overlap(ax.get_yticklabels())
    assert ax.images[0].get_array().shape == (classes, classes, 3)


def test_confusion_matrix_of_many_classes_has_no_numbers() -> None:
    labels = np.arange(50)
    assert not plots.confusion_matrix(labels, labels).texts
    assert plots.confusion_matrix(labels[:20], labels[:20]).texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0]), "received 2 and 1"),
        (([], []), "at least one"),
        (([0, 200_000], [0, 1]), "at most 1,000 classes, received 200,001"),
        (([0, np.nan], [0, 1]), "y_true must be class numbers"),
        (([0, 1], [0, 2], ["a", "b"]), "each of 3 classes, received 2"),
        ((np.zeros((2, 2, 2)), [0, 0]), r"y_true must be class indices"),
    ],
)
def test_confusion_matrix_says_what_does_not_fit(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.confusion_matrix(*arguments)
