"""Pictures: what is on the axes, and that they need no display."""

import subprocess
import sys
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from datasets import one_hot_encode, spiral_data
from framework import (
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    History,
    Linear,
    Model,
    Sigmoid,
    Softmax,
    plots,
)
from optimizers import Adam

X, y = spiral_data(20, 3, seed=0)


@pytest.fixture(autouse=True)
def closed_figures() -> Any:
    yield
    plt.close("all")


def classifier() -> Model:
    model = Model([Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


@pytest.mark.parametrize("labels", [y, one_hot_encode(y, 3)], ids=["indices", "one-hot"])
def test_the_boundary_shows_every_point_and_rims_the_wrong_ones(labels: np.ndarray) -> None:
    model = classifier()
    ax = plots.decision_boundary(model, X, labels, resolution=40)
    right, wrong = ax.collections
    mistakes = model.predict_classes(X) != y
    np.testing.assert_allclose(right.get_offsets(), X[~mistakes])
    np.testing.assert_allclose(wrong.get_offsets(), X[mistakes])
    assert ax.get_title() == f"{1 - mistakes.mean():.1%} of 60 points right"
    (background,) = ax.images
    assert background.get_array().shape == (40, 40, 3)


def test_the_background_has_the_colour_of_the_predicted_class() -> None:
    model = classifier()
    model.set_parameters([(np.array([[-9.0, 9.0, 0.0], [0, 0, 0]]), np.array([[0, 0, -9.0]]))])
    ax = plots.decision_boundary(model, X, y, resolution=10)
    pixels = ax.images[0].get_array()
    from matplotlib.colors import to_rgb

    for column, colour in ((0, plots.COLOURS[0]), (-1, plots.COLOURS[1])):
        distances = [
            np.abs(np.subtract(1 - pixels[5, column], 0.6 * (1 - np.array(to_rgb(c))))).sum()
            for c in plots.COLOURS
        ]
        assert plots.COLOURS[int(np.argmin(distances))] == colour


def test_it_draws_on_the_axes_it_is_given() -> None:
    given = plt.subplots()[1]
    assert plots.decision_boundary(classifier(), X, y, given, resolution=5) is given
    history = classifier().train(X, y, progress=False)
    assert plots.learning_curves(history, given) is given


def test_a_binary_model_has_a_boundary_too() -> None:
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy())
    model.finalize()
    ax = plots.decision_boundary(model, X, (y > 0).reshape(-1, 1), resolution=5)
    assert sum(len(points.get_offsets()) for points in ax.collections) == 60


def test_curves_are_those_of_the_history() -> None:
    history = classifier().train(X, y, epochs=3, validation_data=(X, y), progress=False)
    ax = history.plot()
    curves = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert curves == {"loss": history.loss, "val. loss": history.val_loss}
    (right,) = [other for other in ax.figure.axes if other is not ax]
    curves = {line.get_label(): list(line.get_ydata()) for line in right.lines}
    assert curves == {"accuracy": history.accuracy, "val. accuracy": history.val_accuracy}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "loss",
        "val. loss",
        "accuracy",
        "val. accuracy",
    ]


def test_what_was_not_measured_is_not_drawn() -> None:
    ax = plots.learning_curves(History(loss=[1.0, 0.5]))
    assert [line.get_label() for line in ax.lines] == ["loss"]
    assert len(ax.figure.axes) == 1


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="no completed epochs"):
        plots.learning_curves(History())
    with pytest.raises(ValueError, match=r"shape \(samples, 2\), received \(60, 1\)"):
        plots.decision_boundary(classifier(), X[:, :1], y)
    with pytest.raises(ValueError, match="one class for each of 60 samples"):
        plots.decision_boundary(classifier(), X, y[:30])
    regression = Model([Dense(2, 1), Linear()])
    regression.finalize()
    with pytest.raises(ValueError, match="predict_classes needs"):
        plots.decision_boundary(regression, X, y)


def test_no_display_is_needed() -> None:
    script = (
        "from framework import History, plots\n"
        "plots.learning_curves(History(loss=[1.0])).figure.canvas.draw()\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
