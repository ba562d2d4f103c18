"""``weights``: a picture for each neuron."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from framework import (
    Conv2D,
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
        assert picture.get_clim() == pytest.approx((-scale, scale))
        expected = layer.weights[:, neuron].reshape(2, 3)
        np.testing.assert_allclose(picture.get_array(), expected, rtol=1e-6)


def test_weights_of_colour_images_are_colours_around_grey() -> None:
    layer = Dense(12, 1)
    layer.weights = np.tile([[1.0], [0.0], [-1.0]], (4, 1))
    picture = plots.weights(layer, (2, 2, 3))[0, 0].images[0].get_array()
    np.testing.assert_allclose(picture, np.broadcast_to([1, 0.5, 0], (2, 2, 3)))


def test_weights_that_are_all_zero_are_drawn() -> None:
    layer = Dense(4, 1, weight_initializer="zeros")
    assert (plots.weights(layer, (2, 2, 1))[0, 0].images[0].get_array() == 0).all()


def bar_of(grid: np.ndarray) -> Any:
    """The colour bar beside a grid of axes."""
    (axes,) = set(grid[0, 0].figure.axes) - set(grid.flat)
    return axes


@pytest.mark.parametrize("neurons", [1, 2, 9])
def test_a_colour_bar_shows_what_colours_stand_for(neurons: int) -> None:
    layer = Dense(4, neurons)
    layer.weights = np.full((4, neurons), 0.5)
    layer.weights[0, 0] = -0.5
    grid = plots.weights(layer, (2, 2))
    bar = bar_of(grid)
    assert bar.get_ylabel() == "weight"
    assert bar.get_ylim() == pytest.approx((-0.5, 0.5))
    figure = grid[0, 0].figure
    figure.canvas.draw()
    assert [text.get_text() for text in bar.get_yticklabels()] == ["-0.5", "0", "0.5"]
    assert grid[0, 0].images[0].cmap(0.9) == bar.collections[-1].cmap(0.9)
    box = bar.get_tightbbox()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert not any(box.overlaps(ax.get_window_extent()) for ax in grid.flat)


def test_weights_of_colour_images_have_a_bar_for_each_of_the_colours() -> None:
    layer = Dense(12, 1)
    layer.weights = np.tile([[1.0], [0.0], [-1.0]], (4, 1))
    bar = bar_of(plots.weights(layer, (2, 2, 3)))
    assert bar.get_ylabel() == "weight, in each of red, green and blue"
    assert bar.get_ylim() == pytest.approx((-1, 1))


def test_a_bar_ends_in_arrows_where_weights_are_beyond_it() -> None:
    layer = Dense(4, 500)
    layer.weights = np.full((4, 500), 0.1)
    even = bar_of(plots.weights(layer, (2, 2), neurons=1))
    layer.weights[0, 0] = 3.0
    uneven = bar_of(plots.weights(layer, (2, 2), neurons=1))
    assert [len(bar.patches) for bar in (even, uneven)] == [0, 2]
    assert uneven.get_ylim() == pytest.approx((-0.1, 0.1))


def test_weights_leaves_the_title_of_a_figure_to_its_owner() -> None:
    figure = Figure()
    figure.suptitle("first layer")
    plots.weights(Dense(4, 1), (2, 2), figure=figure)
    assert figure.get_suptitle() == "first layer"
    assert plots.weights(Dense(4, 1), (2, 2))[0, 0].figure.get_suptitle() == ""


def test_weights_can_be_drawn_in_a_part_of_a_figure() -> None:
    left, right = Figure(layout="constrained").subfigures(1, 2)
    grid = plots.weights(Dense(4, 2), (2, 2), figure=right)
    assert len(right.axes) == len(grid.flat) + 1
    assert not left.axes


def test_weights_draws_at_most_as_many_neurons_as_asked_for() -> None:
    grid = plots.weights(Dense(4, 100), (2, 2), neurons=4)
    assert grid.shape == (2, 2)


@pytest.mark.parametrize(
    ("layer", "shape", "error", "message"),
    [
        (Dense(5, 2), (2, 2), ValueError, r"weights of shape \(5, 2\).*need \(4, neurons\)"),
        (Dense(4, 2), (4,), ValueError, r"must be \(height, width\)"),
        (Dense(4, 2), 4, TypeError, r"or \(height, width, channels\), received 4"),
        (Dense(8, 2), (2, 2, 2, 1), ValueError, r"must be \(height, width\)"),
        (Conv2D(1, 2, 2), (2, 2), ValueError, r"Conv2D\(1, 2, 2\) .* which plots.filters draws"),
        (ReLU(), (2, 2), TypeError, r"ReLU\(\) has no weights"),
    ],
)
def test_weights_says_what_does_not_fit(
    layer: Operation, shape: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.weights(layer, shape)


def test_channels_that_are_no_colours_are_beside_each_other() -> None:
    layer = Dense(8, 1)
    (ax,) = plots.weights(layer, (2, 2, 2)).flat
    mosaic = np.ma.filled(ax.images[0].get_array(), np.nan)
    weights = layer.weights.reshape(2, 2, 2)
    np.testing.assert_array_equal(mosaic[:, :2], weights[..., 0])
    np.testing.assert_array_equal(mosaic[:, 3:], weights[..., 1])
    assert np.isnan(mosaic[:, 2]).all()
