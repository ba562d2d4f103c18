"""``filters``: a picture for each filter of a convolution."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from framework import Conv1D, Conv2D, Dense, ReLU, plots


def pictures(grid: np.ndarray) -> list[np.ndarray]:
    return [ax.images[0].get_array() for ax in grid.flat if ax.images]


def test_each_filter_of_one_channel_is_drawn_under_its_number() -> None:
    layer = Conv2D(1, 5, (2, 3))
    layer.weights = np.linspace(-1, 1, 30).reshape(2, 3, 1, 5)
    grid = plots.filters(layer)
    assert grid.shape == (2, 3)
    assert [ax.get_title() for ax in grid.flat if ax.axison] == ["0", "1", "2", "3", "4"]
    scale = np.quantile(np.abs(layer.weights), 0.995)
    for number, picture in enumerate(pictures(grid)):
        np.testing.assert_array_equal(picture, layer.weights[:, :, 0, number])
        assert grid.flat[number].images[0].get_clim() == pytest.approx((-scale, scale))


def test_filters_of_colour_images_are_colours_around_grey() -> None:
    layer = Conv2D(3, 1, (1, 2))
    layer.weights = np.reshape([[1.0, 0.0, -1.0], [0.5, -0.5, 0.0]], (1, 2, 3, 1))
    (picture,) = pictures(plots.filters(layer))
    np.testing.assert_allclose(picture, [[[1, 0.5, 0], [0.75, 0.25, 0.5]]])


def test_a_filter_of_many_channels_is_a_mosaic_with_a_kernel_for_each() -> None:
    layer = Conv2D(5, 2, 2)
    (_, mosaic) = pictures(plots.filters(layer))
    assert mosaic.shape == (5, 8)  # two rows of three kernels, with a gap between
    mosaic = np.ma.filled(mosaic, np.nan)
    for channel, (row, column) in enumerate([(0, 0), (0, 3), (0, 6), (3, 0), (3, 3)]):
        kernel = mosaic[row : row + 2, column : column + 2]
        np.testing.assert_array_equal(kernel, layer.weights[:, :, channel, 1])
    assert np.isnan(mosaic).sum() == mosaic.size - 5 * 4


def test_a_filter_over_sequences_has_a_row_for_each_channel() -> None:
    layer = Conv1D(3, 2, 4)
    for number, picture in enumerate(pictures(plots.filters(layer))):
        np.testing.assert_array_equal(picture, layer.weights[:, :, number].T)


def test_a_bar_shows_what_the_colours_stand_for() -> None:
    layer = Conv2D(1, 1, 2)
    layer.weights = np.reshape([-0.5, 0.5, 0.5, 0.5], (2, 2, 1, 1))
    grid = plots.filters(layer)
    (bar,) = set(grid[0, 0].figure.axes) - set(grid.flat)
    assert bar.get_ylabel() == "weight"
    assert bar.get_ylim() == pytest.approx((-0.5, 0.5))


def test_filters_draws_at_most_as_many_as_asked_for_in_the_figure_given() -> None:
    left, right = Figure(layout="constrained").subfigures(1, 2)
    grid = plots.filters(Conv2D(1, 16, 3), n_filters=4, figure=right)
    assert grid.shape == (2, 2)
    assert set(grid.flat) < set(right.axes)
    assert not left.axes


def test_any_object_with_such_weights_is_drawn() -> None:
    class Mine:
        weights = np.ones((3, 3, 1, 2))

    assert len(pictures(plots.filters(Mine()))) == 2


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (ReLU(), TypeError, r"ReLU\(\) has no weights"),
        (Dense(4, 2), ValueError, r"Dense\(4, 2\) has weights of shape \(4, 2\); plots.weights"),
    ],
)
def test_filters_says_what_is_no_convolution(
    layer: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.filters(layer)
