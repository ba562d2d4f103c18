"""What a convolution has learned, and what it makes of an image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count
from framework.containers.flattening import flattened
from framework.containers.residual import Residual
from framework.containers.supervised import Supervised
from framework.data.checks import check_inputs
from framework.inspection.probe import probe_of
from framework.model import Model
from framework.operation import describe
from framework.plots.pixels import (
    GAP,
    SIGNED,
    as_colours,
    as_unit_interval,
    bar_of_weights,
    colour_bar,
    common_scale,
    mosaic,
    one_image,
    show_image,
)
from framework.utils.figures import CHARACTER, new_grid
from optimizers.arrays import Array

# Of the names of the rows, in points.
LABEL_SIZE = 8


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
    if not hasattr(layer, "weights") or isinstance(layer, type):
        raise TypeError(f"filters needs a layer, but {describe(layer)} has no weights")
    kernels = as_array(layer.weights, f"{describe(layer)}.weights")
    if kernels.ndim not in (3, 4):
        raise ValueError(
            f"filters needs a convolution, with weights of 3 or 4 axes, but {describe(layer)} has "
            f"weights of shape {kernels.shape}; plots.weights draws those of dense layers"
        )
    if not kernels.size:
        raise ValueError(
            f"the weights of {describe(layer)} are none: their shape is {kernels.shape}"
        )
    count = min(check_count("n_filters", n_filters), kernels.shape[-1])
    columns = math.ceil(math.sqrt(count))
    coloured = kernels.ndim == 4 and kernels.shape[2] == 3
    scale = common_scale(kernels)

    pictures = [
        as_colours(kernel, scale)
        if coloured
        else mosaic(kernel.T[..., np.newaxis] if kernel.ndim == 2 else kernel)
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

    Rows are in the order of the passes. Those of the operations in a ``Residual`` come before the
    row of their sum, and have the name of their branch: "4.operations.1 Conv2D" is the first of
    operation 4, "4.shortcut.1 Conv2D" the first of its shortcut.

    Positive outputs are red, negative ones blue and 0 is white; the largest output of an operation,
    of any channel, has the full colour. So a map that is pale is weak, and one that is white is
    silent. The maps of a ``Conv2D`` have the numbers of its ``filters``.

    A copy of the model is used, not in training.

    Args:
        model: finalized.
        image: one image as the model takes it, ``(height, width, channels)`` or whatever its
            shape; or a batch of one. It is drawn as ``image_grid`` does.
        layers: a list of operations of the model, also in a ``Residual``. None takes all whose
            outputs have ``(height, width, channels)``.
        maps: how many channels to draw at most, the first ones.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(1 + operations, maps)``: the first row has the image.

    Raises:
        ImportError: matplotlib is missing.
        RuntimeError: the model is not finalized.
        TypeError, ValueError: the image does not fit the model, ``layers`` is no list, one of them
            is not in the model or gives no maps, or none does.
    """
    maps = check_count("maps", maps)
    probe = probe_of(model)
    inputs, picture = one_image(image, model.input_shape)
    probe.outputs_of(check_inputs(probe, inputs))
    chosen = _with_maps(model, probe, layers)
    columns = min(maps, max(operation.output.shape[-1] for _, operation in chosen))

    names = [f"{place} {type(operation).__name__}" for place, operation in chosen]
    # Inside residuals, names are longer than there is room for beside the colour bar.
    beside = max(2.4, 1.2 + max(map(len, names)) * CHARACTER * LABEL_SIZE / 72)
    grid = new_grid(figure, 1 + len(chosen), columns, width=0.9, height=0.9, beside=beside)
    if figure is None:  # whose gaps are then no wider than the labels need
        grid[0, 0].figure.set_layout_engine("compressed")
    for ax in grid.flat:
        ax.axis("off")
    show_image(grid[0, 0], as_unit_interval(picture)[0])
    grid[0, 0].axis("on")
    _label(grid[0, 0], "image", picture.shape[1:])
    for row, name, (_, operation) in zip(grid[1:], names, chosen, strict=True):
        (outputs,) = operation.output
        largest = float(np.abs(outputs).max()) or 1.0
        for ax, channel in zip(row, np.moveaxis(outputs, -1, 0), strict=False):
            ax.imshow(channel, SIGNED, vmin=-largest, vmax=largest)
            ax.axis("on")
        _label(row[0], name, outputs.shape)
    for number, ax in enumerate(grid[1]):
        ax.set_title(number, size=7, pad=2)
    colour_bar(grid, 1.0, "output ÷ the largest\nof its row")
    return grid


def _with_maps(
    model: Model, probe: Supervised, layers: Sequence[Any] | None
) -> list[tuple[str, Any]]:
    """Return the operations of ``probe`` that are to be drawn, each under its place.

    ``probe`` is a copy of ``model`` that has run on one image.
    """
    copies = list(_places(probe.operations_in_order))
    if layers is None:
        chosen = [(place, one) for place, one in copies if one.output.ndim == 4]
    else:
        if not isinstance(layers, Iterable) or isinstance(layers, str):
            raise TypeError(
                f"layers must be a list of operations of the model, received {describe(layers)}"
            )
        originals = [id(one) for _, one in _places(model.operations_in_order)]
        chosen = []
        for layer in layers:
            if id(layer) not in originals:
                raise ValueError(f"{describe(layer)} is no operation of {describe(model)}")
            chosen.append(copies[originals.index(id(layer))])
    for _, one in chosen:
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


def _places(operations: Iterable[Any], inside: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the operations, and before a ``Residual`` those in it, each with its place."""
    for position, operation in enumerate(operations, 1):
        place = f"{inside}{position}"
        if isinstance(operation, Residual):
            for branch in ("operations", "shortcut"):
                yield from _places(flattened(getattr(operation, branch)), f"{place}.{branch}.")
        yield place, operation


def _label(ax: Any, name: str, shape: Sequence[int]) -> None:
    """Write a name and a size to the left of a row."""
    text = f"{name}\n{' × '.join(map(str, shape))}"
    ax.set_ylabel(text, size=LABEL_SIZE, rotation=0, ha="right", va="center")
