"""Images, weights and outputs as pixels: their shapes, their ranges and their colours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array
from framework.operation import Shape
from optimizers.arrays import Array

# matplotlib's name of the colours of positive (red), negative (blue) and no values (white).
SIGNED = "RdBu_r"
# Between the channels of a picture that are beside each other, and where there is nothing to show.
GAP = "0.3"
# Channels that are one picture: red, green and blue, and their opacity.
COLOURED = (3, 4)


def check_images(images: ArrayLike, name: str) -> Array:
    """Return images as ``(samples, height, width)``, or with more than one channel in a last axis.

    A last axis of 1 is dropped. Raises TypeError, or ValueError for another shape or no images.
    """
    pictures = as_array(images, name)
    if pictures.ndim not in (3, 4):
        raise ValueError(
            f"{name} must be (samples, height, width) or (samples, height, width, channels), "
            f"received {pictures.shape}; rows of pixels have to be reshaped first"
        )
    if not pictures.size:
        raise ValueError(f"{name} must hold at least one image, received shape {pictures.shape}")
    return pictures[..., 0] if pictures.ndim == 4 and pictures.shape[-1] == 1 else pictures


def show_image(ax: Any, image: Array) -> None:
    """Draw one of the images of ``as_unit_interval``.

    One without channels is grey. Three channels are red, green and blue, and a fourth is opacity.
    Of any other number, each channel is a grey picture of its own: see ``mosaic``.
    """
    if image.ndim == 3 and image.shape[-1] not in COLOURED:
        image = mosaic(image)
        ax.set_facecolor(GAP)
    ax.imshow(image, "gray", vmin=0, vmax=1)


def mosaic(image: Array) -> Array:
    """Return the channels of ``(height, width, channels)`` beside each other, with gaps of NaN.

    They are in order, row by row, in as many columns as rows, or one more.
    """
    height, width, channels = image.shape
    columns = math.ceil(math.sqrt(channels))
    rows = math.ceil(channels / columns)
    tiles = np.full((rows * columns, height + 1, width + 1), np.nan)
    tiles[:channels, :height, :width] = np.moveaxis(image, -1, 0)
    joined = tiles.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return joined.reshape(rows * (height + 1), -1)[:-1, :-1]


def as_unit_interval(images: Array) -> Array:
    """Return images as values from 0 to 1, on one scale for all images: see ``image_grid``."""
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind in "ui":
        low, high = 0, 255
    elif low >= 0 and high <= 1:
        low, high = 0, 1
    elif low >= -1 and high <= 1:
        low, high = -1, 1
    elif low == high:
        high = low + 1  # nothing to stretch
    return np.clip((images - low) / (high - low), 0, 1)


def common_scale(weights: Array) -> float:
    """Return the largest of the 99.5 % smallest weights, or 1 if that is 0."""
    return float(np.quantile(np.abs(weights), 0.995)) or 1.0


def as_colours(weights: Array, scale: float) -> Array:
    """Return weights ``(..., 3)`` as red, green and blue: 0 is grey, ``scale`` the brightest."""
    return np.clip((weights / scale + 1) / 2, 0, 1)


def bar_of_weights(grid: Array, weights: Array, coloured: bool) -> None:
    """Add a colour bar to the right of the grid; it ends in arrows where weights are beyond it."""
    scale = common_scale(weights)
    colour_bar(
        grid,
        scale,
        "weight, in each of red, green and blue" if coloured else "weight",
        "gray" if coloured else SIGNED,
        extend="both" if np.abs(weights).max() > scale else "neither",
    )


def colour_bar(
    grid: Array, scale: float, label: str, colours: str = SIGNED, extend: str = "neither"
) -> None:
    """Add a bar from ``-scale`` to ``scale`` to the right of the grid. ``extend`` adds arrows."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes: list[Any] = grid.ravel().tolist()
    axes[0].figure.colorbar(
        ScalarMappable(Normalize(-scale, scale), colours),
        ax=axes,
        label=label,
        extend=extend,
        ticks=[-scale, 0, scale],
        format="%.2g",
        aspect=25,
        fraction=0.06,
    )


def one_image(image: ArrayLike, input_shape: Shape) -> tuple[Array, Array]:
    """Return an image as a batch of one, for a model, and as a batch of one to draw.

    Args:
        image: ``(height, width)`` or ``(height, width, channels)``, or a batch of one.
        input_shape: of a sample of the model, if known; for rows, the image is flattened.

    Raises TypeError or ValueError if it is no image, or several.
    """
    batch = as_array(image, "image")
    alone = batch.ndim < 4 if input_shape is None else batch.shape[1:] != input_shape
    if alone:
        batch = batch[np.newaxis]
    if len(batch) != 1:
        raise ValueError(f"one image is expected, received {len(batch)}: choose one, images[0]")
    picture = check_images(batch, "the image, as a batch of one,")
    if input_shape == (batch.size,):
        batch = batch.reshape(1, -1)
    return batch, picture
