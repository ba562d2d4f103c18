"""Grids of images: samples of a data set, and the weights of a layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count
from framework.operation import describe
from framework.plots.labels import class_indices, names_of_classes
from framework.plots.pixels import (
    GAP,
    SIGNED,
    as_colours,
    as_unit_interval,
    bar_of_weights,
    check_images,
    common_scale,
    mosaic,
    show_image,
)
from framework.utils.figures import WRONG, new_grid
from optimizers.arrays import Array

# The number of characters that fit above an image.
LONGEST_LINE = 16


def image_grid(
    images: ArrayLike,
    labels: ArrayLike,
    predictions: ArrayLike | None = None,
    rows: int = 5,
    columns: int = 5,
    class_names: Sequence[Any] | None = None,
    *,
    figure: Any = None,
) -> Array:
    """Draw the first ``rows * columns`` images with their labels; wrong predictions are marked.

    The text above an image is its label, or its prediction if there is one. For a wrong prediction
    it also has the label, and text and frame are orange.

    Args:
        images: ``(samples, height, width)``, or with a last axis of channels: 1 is grey, 3 are
            red, green and blue, 4 these and opacity; of any other number, each channel is a grey
            picture, beside each other. The range is 0…255 for integers; for floats 0…1 or -1…1 if
            all are in it, otherwise from the smallest to the largest.
        labels: class indices ``(samples,)``, or one-hot rows.
        predictions: likewise, or rows of probabilities.
        rows, columns: the largest size of the grid, which is smaller for fewer images. The last
            row may be incomplete.
        class_names: a name for each class.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(rows, columns)``.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the images have another shape, or there are none; labels or
            predictions are not classes, differ from the images in number, or have no name.
    """
    rows, columns = check_count("rows", rows), check_count("columns", columns)
    pictures = check_images(images, "images")
    true = class_indices(labels, "labels")
    said = true if predictions is None else class_indices(predictions, "predictions")
    if not len(pictures) == len(true) == len(said):
        raise ValueError(
            f"received {len(pictures)} images, {len(true)} labels and {len(said)} predictions"
        )
    shown = min(rows * columns, len(pictures))
    columns = min(columns, shown)
    rows = math.ceil(shown / columns)
    true, said = true[:shown], said[:shown]
    highest = int(max(true.max(initial=0), said.max(initial=0)))
    names = names_of_classes(class_names, highest + 1)
    pixels = as_unit_interval(pictures[:shown])

    grid = new_grid(figure, rows, columns, width=1.2, height=1.45)
    for ax in grid.flat[shown:]:
        ax.axis("off")
    for ax, image, is_, says in zip(grid.flat, pixels, true, said, strict=False):
        show_image(ax, image)
        if is_ == says:
            ax.set_title(names[is_], size=8, pad=3)
        else:
            text = f"{names[says]}, is {names[is_]}"
            if len(text) > LONGEST_LINE:
                text = f"{names[says]},\nis {names[is_]}"
            ax.set_title(text, size=8, pad=3, color=WRONG)
            for spine in ax.spines.values():
                spine.set(color=WRONG, linewidth=2.5)
    return grid


def weights(
    layer: Any, image_shape: Sequence[int], *, neurons: int = 64, figure: Any = None
) -> Array:
    """Draw the weights of a layer whose inputs are images, one picture for each neuron.

    A grey image shows positive weights in red, negative ones in blue and 0 in white; one with 3
    channels shows the weights as colours, 0 being grey. Of any other number, the channels are
    beside each other, in order, row by row. All share one scale, which the colour bar
    shows: that of the 99.5 % smallest weights, so that a few large ones do not bleach the rest.
    Where there are larger ones, the bar ends in arrows.

    Args:
        layer: any object with ``weights`` ``(n_inputs, n_neurons)``.
        image_shape: ``(height, width)`` or ``(height, width, channels)``.
        neurons: how many to draw at most, the first ones.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(rows, columns)``, as near to a square as can be.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the layer has no weights of that kind, or as many weights as such
            an image has values.
    """
    expected = "image_shape must be (height, width) or (height, width, channels)"
    if np.ndim(image_shape) != 1:
        raise TypeError(f"{expected}, received {image_shape!r}")
    shape = tuple(check_count("image_shape", size) for size in image_shape)
    if len(shape) not in (2, 3):
        raise ValueError(f"{expected}, received {shape}")
    if not hasattr(layer, "weights"):
        raise TypeError(f"{describe(layer)} has no weights")
    matrix = as_array(layer.weights, f"{describe(layer)}.weights")
    if matrix.ndim in (3, 4):
        raise ValueError(
            f"{describe(layer)} has weights of shape {matrix.shape}, like those of a convolution, "
            "which plots.filters draws"
        )
    if matrix.ndim != 2 or len(matrix) != math.prod(shape):
        raise ValueError(
            f"{describe(layer)} has weights of shape {matrix.shape}, but images of shape {shape} "
            f"need ({math.prod(shape)}, neurons)"
        )
    count = min(check_count("neurons", neurons), matrix.shape[1])
    columns = math.ceil(math.sqrt(count))
    scale = common_scale(matrix)
    pictures = matrix[:, :count].T.reshape(count, *shape)
    coloured = shape[2:] == (3,)
    if coloured:
        pictures = as_colours(pictures, scale)
    elif shape[2:]:
        pictures = np.array([mosaic(picture) for picture in pictures])

    # Few pictures are drawn larger, so that there is room for the colour bar.
    side = max(0.8, 3.2 / columns)
    grid = new_grid(figure, math.ceil(count / columns), columns, side, side, beside=0.8)
    for ax in grid.flat:
        ax.axis("off")
    for ax, picture in zip(grid.flat, pictures, strict=False):
        ax.imshow(picture, cmap=SIGNED, vmin=-scale, vmax=scale)
        if np.isnan(picture).any():  # the gaps of a mosaic
            ax.set_facecolor(GAP)
            ax.axis("on")
    bar_of_weights(grid, matrix, coloured)
    return grid
