"""``learning_curves``."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from framework import (
    History,
    Model,
    plots,
)
from tests.framework.plots.support import Data, curves


def test_learning_curves_are_the_lists_of_the_history(model: Model, spiral: Data) -> None:
    history = model.train(*spiral, epochs=3, validation_data=spiral, progress=False)
    ax = history.plot()
    left, right = (
        {label: list(curve[1]) for label, curve in curves(axes).items()} for axes in ax.figure.axes
    )
    assert left == {"loss": history.loss, "val. loss": history.val_loss}
    assert right == {"accuracy": history.accuracy, "val. accuracy": history.val_accuracy}
    np.testing.assert_array_equal(curves(ax)["loss"][0], [1, 2, 3])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*left, *right]


def test_learning_curves_without_an_accuracy_have_one_axis() -> None:
    ax = plots.learning_curves(History(loss=[3.0]))
    assert ax.figure.axes == [ax]
    assert ax.lines[0].get_marker() == "o"  # a line through one point would not be seen


def test_one_epoch_of_training_and_of_validation_can_be_told_apart() -> None:
    ax = plots.learning_curves(History(loss=[3.0], val_loss=[3.0]))
    assert [line.get_markerfacecolor() for line in ax.lines] == [plots.COLOURS[0], "none"]
    assert ax.lines[0].get_markersize() < ax.lines[1].get_markersize()


@pytest.mark.parametrize("epochs", [1, 2, 3, 50])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    ax = plots.learning_curves(History(loss=[1.0] * epochs))
    assert all(tick == int(tick) for tick in ax.get_xticks())


@pytest.mark.parametrize(("lowest", "bottom"), [(0.92, 0.9), (0.1, 0.0), (1.0, 0.9875)])
def test_the_axis_of_the_accuracy_begins_a_little_below_it(lowest: float, bottom: float) -> None:
    history = History(loss=[1.0, 1.0], accuracy=[lowest, 1.0])
    right = plots.learning_curves(history).figure.axes[1]
    assert right.get_ylim()[0] == pytest.approx(bottom)
    assert 1 < right.get_ylim()[1] < 1.05


@pytest.mark.parametrize("beside", [1, 3])
def test_the_legend_of_learning_curves_covers_nothing(beside: int) -> None:
    history = History(loss=[1.0, 0.5], accuracy=[0.1, 1.0], val_loss=[1, 2], val_accuracy=[0, 1])
    figure = plt.figure(figsize=(2 + 3 * beside, 4), layout="constrained")
    ax, *others = figure.subplots(1, beside, squeeze=False).flat
    plots.learning_curves(history, ax).set_title("a title of one's own")
    figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in [ax, *others])
    assert not legend.overlaps(ax.xaxis.label.get_window_extent())
    assert not legend.overlaps(ax.title.get_window_extent())
    assert legend.x0 >= 0
    assert legend.x1 <= ax.figure.bbox.width


def test_learning_curves_of_no_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match="no completed epochs"):
        plots.learning_curves(History())
