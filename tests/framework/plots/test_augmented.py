"""``augmented``: images beside random changes of them."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import framework
from framework import plots
from framework.utils import rng

IMAGES = np.random.default_rng(0).random((5, 4, 6, 3))


def brighter(images: np.ndarray) -> np.ndarray:
    return images + rng.generator().random((len(images), 1, 1, 1)) * (1 - images)


def drawn(row: np.ndarray) -> np.ndarray:
    return np.array([ax.images[0].get_array() for ax in row])


def test_each_image_is_left_of_what_the_transform_makes_of_its_copies() -> None:
    batches = []

    def numbered(images: np.ndarray) -> np.ndarray:
        batches.append(images)
        return images * np.linspace(0, 1, len(images))[:, np.newaxis, np.newaxis, np.newaxis]

    grid = plots.augmented(IMAGES, numbered, rows=2, variations=3)
    assert grid.shape == (2, 4)
    (batch,) = batches
    np.testing.assert_array_equal(batch, IMAGES[[0, 0, 0, 1, 1, 1]])
    for number, row in enumerate(grid):
        factors = np.array([1, *np.linspace(0, 1, 6)[3 * number : 3 * number + 3]])
        expected = IMAGES[number] * factors[:, np.newaxis, np.newaxis, np.newaxis]
        np.testing.assert_allclose(drawn(row), expected)
    assert grid[0, 0].get_title() == "original"


def test_originals_and_variations_are_drawn_on_one_scale() -> None:
    grid = plots.augmented(np.full((1, 2, 2), 3.0), lambda images: 2 * images, variations=1)
    original, changed = drawn(grid[0])
    assert (original == 0).all()
    assert (changed == 1).all()
    grid = plots.augmented(np.full((1, 2, 2), 51, np.uint8), lambda images: images, variations=1)
    np.testing.assert_allclose(drawn(grid[0]), 0.2)


def test_a_transform_may_change_the_size_and_drop_the_channel() -> None:
    grid = plots.augmented(
        np.zeros((1, 4, 4, 1)), lambda images: images[:, 1:, 2:, 0], variations=2
    )
    assert [ax.images[0].get_array().shape for ax in grid[0]] == [(4, 4), (3, 2), (3, 2)]


def test_the_generators_go_on_as_if_nothing_had_been_drawn() -> None:
    framework.seed(1)
    np.random.seed(1)
    expected = rng.generator().random(), np.random.random()
    framework.seed(1)
    np.random.seed(1)
    plots.augmented(IMAGES, lambda images: brighter(images) * np.random.random())
    assert (rng.generator().random(), np.random.random()) == expected


def test_augmented_is_drawn_in_the_figure_given() -> None:
    figure = Figure()
    grid = plots.augmented(IMAGES, brighter, figure=figure)
    assert grid.shape == (4, 8)
    assert figure.axes == list(grid.flat)


@pytest.mark.parametrize(
    ("images", "transform", "message"),
    [
        (IMAGES, lambda images: images[1:], r"must keep the images, but makes 27 of 28"),
        (IMAGES, lambda images: images.reshape(28, -1), r"transform\(images\) must be \(samples,"),
        (np.ones((3, 784)), brighter, r"images must be .* received \(3, 784\)"),
        (np.ones((0, 4, 4)), brighter, r"images must hold at least one image"),
        (3, brighter, r"images must be .* received \(\)"),
    ],
)
def test_augmented_says_what_are_no_images(images: Any, transform: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.augmented(images, transform)


@pytest.mark.parametrize("transform", [3, None, framework.augmentation.RandomFlip])
def test_augmented_says_what_is_no_transform(transform: Any) -> None:
    with pytest.raises(TypeError, match="transform must be a function of a batch"):
        plots.augmented(IMAGES, transform)


@pytest.mark.parametrize("channels", [2, 5])
def test_channels_that_are_no_colours_are_grey_pictures_beside_each_other(channels: int) -> None:
    images = np.random.default_rng(0).random((1, 4, 6, channels))
    grid = plots.augmented(images, lambda images: images[:, ::-1], variations=1)
    for ax, image in zip(grid[0], [images[0], images[0, ::-1]], strict=True):
        mosaic = np.ma.filled(ax.images[0].get_array(), np.nan)
        for channel in range(2):
            left = 7 * channel
            np.testing.assert_array_equal(mosaic[:4, left : left + 6], image[..., channel])
        assert np.isnan(mosaic[:, 6]).all()
