"""``weights``: a picture for each neuron."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from framework import (
    Dense,
    Operation,
    ReLU,
    plots,
)


def test_weights_draws_one_picture_for_each_neuron() -> None:
    layer = Dense(6, 5)
    layer.weights = np.linspace(-1, 1, 30).reshape(6, 5)
    grid = plots.weights(layer, (2, 3))
    assert grid.shape == (2, 3)
    drawn = [ax for ax in grid.flat if ax.images]
    assert len(drawn) == 5
    scale = np.quantile(np.abs(layer.weights), 0.995)
    for neuron, ax in enumerate(drawn):
        picture = ax.images[0]
        assert picture.get_clim() == (-1, 1)
        expected = np.clip(layer.weights[:, neuron].reshape(2, 3) / scale, -1, 1)
        np.testing.assert_allclose(picture.get_array(), expected, rtol=1e-6)


def test_weights_of_colour_images_are_colours_around_grey() -> None:
    layer = Dense(12, 1)
    layer.weights = np.tile([[1.0], [0.0], [-1.0]], (4, 1))
    picture = plots.weights(layer, (2, 2, 3))[0, 0].images[0].get_array()
    np.testing.assert_allclose(picture, np.broadcast_to([1, 0.5, 0], (2, 2, 3)))


def test_weights_that_are_all_zero_are_drawn() -> None:
    layer = Dense(4, 1, weight_initializer="zeros")
    assert (plots.weights(layer, (2, 2, 1))[0, 0].images[0].get_array() == 0).all()


@pytest.mark.parametrize("neurons", [1, 2, 9])
def test_weights_says_how_large_they_are_where_there_is_room(neurons: int) -> None:
    layer = Dense(4, neurons, weight_initializer="zeros")
    layer.weights = np.linspace(-0.75, 0.5, 4 * neurons).reshape(4, neurons)
    figure = plots.weights(layer, (2, 2))[0, 0].figure
    assert figure.get_suptitle().endswith("largest ±0.75")
    figure.canvas.draw()
    (title,) = (text.get_window_extent() for text in figure.texts)
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.width


def test_weights_leaves_the_title_of_a_figure_given_as_it_is() -> None:
    figure = Figure()
    figure.suptitle("first layer")
    plots.weights(Dense(4, 1), (2, 2), figure=figure)
    assert figure.get_suptitle() == "first layer"


def test_weights_draws_at_most_as_many_neurons_as_asked_for() -> None:
    grid = plots.weights(Dense(4, 100), (2, 2), neurons=4)
    assert grid.shape == (2, 2)


@pytest.mark.parametrize(
    ("layer", "shape", "error", "message"),
    [
        (Dense(5, 2), (2, 2), ValueError, r"weights of shape \(5, 2\).*need \(4, neurons\)"),
        (Dense(4, 2), (4,), ValueError, r"must be \(height, width\)"),
        (Dense(4, 2), 4, TypeError, r"\(height, width, 1\) or .*, received 4"),
        (Dense(8, 2), (2, 2, 2), ValueError, r"must be \(height, width\)"),
        (ReLU(), (2, 2), TypeError, r"ReLU\(\) has no weights"),
    ],
)
def test_weights_says_what_does_not_fit(
    layer: Operation, shape: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.weights(layer, shape)
