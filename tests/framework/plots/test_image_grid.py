"""``image_grid``."""

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from framework import (
    plots,
)
from framework.utils.figures import WRONG


def images(count: int, *shape: int) -> np.ndarray:
    return np.arange(count * int(np.prod(shape)), dtype=np.uint8).reshape(count, *shape)


def titles(grid: np.ndarray) -> list[str]:
    return [ax.get_title() for ax in grid.flat if ax.axison]


def test_image_grid_shows_each_image_under_its_label() -> None:
    grid = plots.image_grid(images(7, 2, 3), [0, 1, 2, 0, 1, 2, 0], rows=2, columns=3)
    assert grid.shape == (2, 3)
    assert titles(grid) == ["0", "1", "2", "0", "1", "2"]
    for ax, image in zip(grid.flat, images(7, 2, 3), strict=False):
        np.testing.assert_allclose(ax.images[0].get_array(), image / 255)
        assert ax.images[0].get_clim() == (0, 1)


def test_image_grid_leaves_places_without_an_image_empty() -> None:
    grid = plots.image_grid(images(3, 2, 2), [0, 1, 2], rows=2, columns=2)
    assert [bool(ax.images) for ax in grid.flat] == [True, True, True, False]
    assert [ax.axison for ax in grid.flat] == [True, True, True, False]


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (6, (2, 5)), (25, (5, 5)), (30, (5, 5))]
)
def test_image_grid_is_no_larger_than_the_images_need(count: int, shape: tuple[int, int]) -> None:
    grid = plots.image_grid(np.zeros((count, 1, 1)), np.zeros(count))
    assert grid.shape == shape
    np.testing.assert_allclose(
        grid[0, 0].figure.get_size_inches(), (1.2 * shape[1], 1.45 * shape[0])
    )


def test_image_grid_marks_what_is_wrong() -> None:
    grid = plots.image_grid(
        images(3, 2, 2), [0, 1, 2], [0, 2, 2], 1, 3, class_names=["cat", "dog", "emu"]
    )
    assert titles(grid) == ["cat", "emu, is dog", "emu"]
    marked = [to_rgb(ax.spines["left"].get_edgecolor()) == to_rgb(WRONG) for ax in grid.flat]
    assert marked == [False, True, False]


def test_image_grid_breaks_long_texts() -> None:
    names = ["automobile", "airplane"]
    grid = plots.image_grid(images(1, 2, 2), [0], [1], 1, 1, class_names=names)
    assert titles(grid) == ["airplane,\nis automobile"]


def test_image_grid_takes_probabilities_and_one_hot_rows() -> None:
    grid = plots.image_grid(images(2, 2, 2), np.eye(2), [[0.9, 0.1], [0.8, 0.2]], 1, 2)
    assert titles(grid) == ["0", "0, is 1"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([0, 51, 255], dtype=np.uint8), [0, 0.2, 1]),
        (np.array([0, 51, 255], dtype=np.int64), [0, 0.2, 1]),
        (np.array([0.0, 0.2, 0.5]), [0, 0.2, 0.5]),
        (np.array([-1.0, 0.0, 0.5]), [0, 0.5, 0.75]),
        (np.array([-2.0, 0.0, 2.0]), [0, 0.5, 1]),
        (np.array([100.0, 150.0, 200.0]), [0, 0.5, 1]),
        (np.array([-3.0, -2.0, -1.0]), [0, 0.5, 1]),
        (np.full(3, 7.0), [0, 0, 0]),
        (np.array([False, True, True]), [0, 1, 1]),
        (np.zeros(3), [0, 0, 0]),
    ],
)
def test_image_grid_takes_pixels_on_any_usual_scale(values: np.ndarray, shown: list[float]) -> None:
    grid = plots.image_grid(values.reshape(1, 1, 3), [0], rows=1, columns=1)
    np.testing.assert_allclose(grid[0, 0].images[0].get_array(), [shown])


def test_image_grid_draws_colours_and_single_channels() -> None:
    grid = plots.image_grid(images(1, 2, 2, 3), [0], rows=1, columns=1)
    assert grid[0, 0].images[0].get_array().shape == (2, 2, 3)
    grid = plots.image_grid(images(1, 2, 2, 1), [0], rows=1, columns=1)
    assert grid[0, 0].images[0].get_array().shape == (2, 2)


def test_image_grid_draws_in_the_figure_given() -> None:
    figure = Figure()
    grid = plots.image_grid(images(2, 2, 2), [0, 1], rows=1, columns=2, figure=figure)
    assert figure.axes == list(grid.flat)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 2, 2)), []), r"at least one image"),
        ((np.zeros((3, 784)), [0, 0, 0]), r"have to be reshaped first"),
        ((np.zeros((3, 2, 2, 4, 1)), [0, 0, 0]), r"\(samples, height, width, channels\)"),
        ((np.zeros((3, 2, 2)), [0, 0]), r"3 images, 2 labels"),
        ((np.zeros((3, 2, 2)), [0, 0, 0], [0]), r"3 labels and 1 predictions"),
        ((np.zeros((1, 2, 2)), [0.5]), r"labels must be class numbers"),
        ((np.zeros((1, 2, 2)), [0], [-1]), r"predictions must be class numbers"),
        ((np.zeros((1, 2, 2)), [2], None, 1, 1, ["a", "b"]), r"each of 3 classes, received 2"),
        ((np.zeros((1, 2, 2)), [0], None, 0), r"rows must be at least 1"),
    ],
)
def test_image_grid_says_what_does_not_fit(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.image_grid(*arguments)
