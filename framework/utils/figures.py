"""Colours and new axes for pictures. matplotlib is imported when a picture is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from framework.utils.display import show_in_the_end
from optimizers.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
WRONG = COLOURS[5]
# A character is about this wide, in its size.
CHARACTER = 0.62


def new_axes(ax: Axes | None) -> Axes:
    """Return ``ax``, or the axes of a new figure. Raises TypeError for what are no axes."""
    if ax is None:
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(layout="constrained")
        show_in_the_end(figure)
    elif not hasattr(ax, "get_window_extent"):
        raise TypeError(f"ax must be axes of matplotlib, received {ax!r}")
    return ax


def new_grid(
    figure: Any, rows: int, columns: int, width: float, height: float, beside: float = 0.0
) -> Array:
    """Return ``rows`` by ``columns`` axes without ticks.

    In a new figure each has that size in inches, with room for a column of width ``beside``.
    Raises TypeError for what is no figure.
    """
    if figure is None:
        import matplotlib.pyplot as plt

        size = (width * columns + beside, height * rows)
        figure = plt.figure(figsize=size, layout="constrained")
        show_in_the_end(figure)
    elif not hasattr(figure, "subfigures"):
        raise TypeError(f"figure must be a figure or subfigure of matplotlib, received {figure!r}")
    grid: Array = figure.subplots(rows, columns, squeeze=False)
    for ax in grid.flat:
        ax.set(xticks=[], yticks=[])
    return grid


def legend_below(
    ax: Axes, handles: Sequence[Any], labels: Sequence[str], handle_length: float = 2.0
) -> None:
    """Add a legend below the label of the x axis, where it covers neither curves nor a title.

    ``handle_length`` is the width of what stands before a label, in sizes of the text.
    """
    from matplotlib.transforms import ScaledTranslation

    # Gaps take 2.8 sizes of the text, a character about half of one.
    size = 8.33
    widths = [size * (handle_length + 2.8 + 0.5 * len(label)) for label in labels]
    width = size_in_points(ax)[0]
    rows = 1 if sum(widths) <= width else math.ceil(sum(widths) / width + 0.2)
    below = ScaledTranslation(0, -32 / 72, ax.figure.dpi_scale_trans)  # of ticks and label
    ax.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=math.ceil(len(labels) / rows),
        handlelength=handle_length,
        frameon=False,
        fontsize=size,
        borderaxespad=0.0,
    )


def size_in_points(ax: Axes) -> tuple[float, float]:
    """The width and height of ``ax`` in points, as they are before texts are laid out."""
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    return box.width * points, box.height * points
