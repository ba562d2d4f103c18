"""What a convolution has learned, and what it makes of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count
from framework.data.checks import check_inputs
from framework.inspection.probe import probe_of
from framework.model import Model
from framework.operation import describe
from framework.plots.pixels import (
    SIGNED,
    as_colours,
    as_unit_interval,
    bar_of_weights,
    colour_bar,
    common_scale,
    one_image,
)
from framework.utils.figures import new_grid
from optimizers.arrays import Array

# Between the kernels of a filter, and where there is nothing to show.
GAP = "0.3"


def filters(layer: Any, *, n_filters: int = 64, figure: Any = None) -> Array:
    """Draw the filters of a convolution: the patterns that it looks for, each under its number.

    With one channel, positive weights are red, negative ones blue and 0 is white; with three, a
    filter is drawn as colours, 0 being grey. With more, a filter is a mosaic of one kernel for
    each channel, in the order of the channels, row by row. All share one scale, as in ``weights``.
    A filter of a ``Conv1D`` has a row for each channel and a column for each step.

    Args:
        layer: any object with ``weights`` ``(height, width, channels, filters)`` or ``(steps,
            channels, filters)``, such as ``Conv2D`` and ``Conv1D``.
        n_filters: how many to draw at most, the first ones.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(rows, columns)``, as near to a square as can be.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the layer has no weights of that kind.
    """
    if not hasattr(layer, "weights"):
        raise TypeError(f"{describe(layer)} has no weights")
    kernels = as_array(layer.weights, f"{describe(layer)}.weights")
    if kernels.ndim not in (3, 4):
        raise ValueError(
            f"filters needs a convolution, with weights of 3 or 4 axes, but {describe(layer)} has "
            f"weights of shape {kernels.shape}; plots.weights draws those of dense layers"
        )
    count = min(check_count("n_filters", n_filters), kernels.shape[-1])
    columns = math.ceil(math.sqrt(count))
    coloured = kernels.ndim == 4 and kernels.shape[2] == 3
    scale = common_scale(kernels)

    pictures = [
        as_colours(kernel, scale)
        if coloured
        else _mosaic(kernel.T[..., np.newaxis] if kernel.ndim == 2 else kernel)
        for kernel in np.moveaxis(kernels, -1, 0)[:count]
    ]
    # Few pictures are drawn larger, so that there is room for the colour bar, and so are mosaics.
    side = max(0.8, 3.2 / columns, min(0.07 * len(pictures[0]), 1.6))
    grid = new_grid(figure, math.ceil(count / columns), columns, side, side + 0.15, beside=0.8)
    for ax in grid.flat[count:]:
        ax.axis("off")
    for number, (ax, picture) in enumerate(zip(grid.flat, pictures, strict=False)):
        ax.imshow(picture, SIGNED, vmin=-scale, vmax=scale)
        ax.set_facecolor(GAP)
        ax.set_title(number, size=7, pad=2)
    bar_of_weights(grid, kernels, coloured)
    return grid


def feature_maps(
    model: Model,
    image: ArrayLike,
    layers: Sequence[Any] | None = None,
    *,
    maps: int = 8,
    figure: Any = None,
) -> Array:
    """Draw what each operation makes of an image: a row for each, a map for each channel.

    Positive outputs are red, negative ones blue and 0 is white; the largest output of an operation,
    of any channel, has the full colour. So a map that is pale is weak, and one that is white is
    silent. The maps of a ``Conv2D`` have the numbers of its ``filters``.

    A copy of the model is used, not in training.

    Args:
        model: finalized.
        image: one image as the model takes it, ``(height, width, channels)`` or whatever its
            shape; or a batch of one.
        layers: the operations of the model to draw. None takes all whose outputs have
            ``(height, width, channels)``.
        maps: how many channels to draw at most, the first ones.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(1 + operations, maps)``: the first row has the image.

    Raises:
        ImportError: matplotlib is missing.
        RuntimeError: the model is not finalized.
        TypeError, ValueError: the image does not fit the model, one of ``layers`` is not in it or
            gives no maps, or none does.
    """
    maps = check_count("maps", maps)
    probe = probe_of(model)
    inputs, picture = one_image(image, model.input_shape)
    probe.outputs_of(check_inputs(probe, inputs))
    chosen = _with_maps(model, probe.operations_in_order, layers)
    columns = min(maps, max(operation.output.shape[-1] for operation in chosen.values()))

    grid = new_grid(figure, 1 + len(chosen), columns, width=0.9, height=0.9, beside=2.4)
    if figure is None:  # whose gaps are then no wider than the labels need
        grid[0, 0].figure.set_layout_engine("compressed")
    for ax in grid.flat:
        ax.axis("off")
    grid[0, 0].imshow(as_unit_interval(picture)[0], "gray", vmin=0, vmax=1)
    grid[0, 0].axis("on")
    _label(grid[0, 0], "image", picture.shape[1:])
    for row, (position, operation) in zip(grid[1:], chosen.items(), strict=True):
        (outputs,) = operation.output
        largest = float(np.abs(outputs).max()) or 1.0
        for ax, channel in zip(row, np.moveaxis(outputs, -1, 0), strict=False):
            ax.imshow(channel, SIGNED, vmin=-largest, vmax=largest)
            ax.axis("on")
        _label(row[0], f"{position} {type(operation).__name__}", outputs.shape)
    for number, ax in enumerate(grid[1]):
        ax.set_title(number, size=7, pad=2)
    colour_bar(grid, 1.0, "output ÷ the largest\nof its row")
    return grid


def _with_maps(
    model: Model, operations: Sequence[Any], layers: Sequence[Any] | None
) -> dict[int, Any]:
    """Return those of ``operations`` that are to be drawn, by their position from 1.

    They are copies of the operations of ``model``, in order, and have run on one image.
    """
    copies = dict(enumerate(operations, 1))
    if layers is None:
        chosen = {at: one for at, one in copies.items() if one.output.ndim == 4}
    else:
        places = {id(one): at for at, one in enumerate(model.operations_in_order, 1)}
        for layer in layers:
            if id(layer) not in places:
                raise ValueError(f"{describe(layer)} is no operation of {describe(model)}")
        chosen = {places[id(layer)]: copies[places[id(layer)]] for layer in layers}
    for one in chosen.values():
        if one.output.ndim != 4:
            raise ValueError(
                f"the output of {describe(one)} is {one.output.shape[1:]}, but maps have (height, "
                "width, channels)"
            )
    if not chosen:
        raise ValueError(
            "feature_maps needs operations whose outputs have (height, width, channels), such as "
            f"Conv2D, received none, of {describe(model)}"
        )
    return chosen


def _label(ax: Any, name: str, shape: Sequence[int]) -> None:
    """Write a name and a size to the left of a row."""
    text = f"{name}\n{' × '.join(map(str, shape))}"
    ax.set_ylabel(text, size=8, rotation=0, ha="right", va="center")


def _mosaic(kernel: Array) -> Array:
    """Return the pictures ``(height, width, channels)`` beside each other, with gaps of NaN."""
    height, width, channels = kernel.shape
    columns = math.ceil(math.sqrt(channels))
    rows = math.ceil(channels / columns)
    tiles = np.full((rows * columns, height + 1, width + 1), np.nan)
    tiles[:channels, :height, :width] = np.moveaxis(kernel, -1, 0)
    mosaic = tiles.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return mosaic.reshape(rows * (height + 1), -1)[:-1, :-1]
