"""The diagram of a network, drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from framework.checks import check_count
from framework.containers.sequential import Sequential
from framework.inspection.diagram import (
    MOST_NEURONS,
    NEGATIVE,
    POSITIVE,
    columns_of,
    edges_between,
    heights,
    line_opacity,
    line_width,
)
from framework.utils.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def network(model: Sequential, ax: Axes | None = None, *, neurons: int = MOST_NEURONS) -> Axes:
    """Draw the neurons of a network, and its weights as lines.

    A line is blue for a positive weight and orange for a negative one, and the wider the larger it
    is beside the others of its layer; of more than 400 between two layers, the largest are drawn.
    Operations that keep the number of neurons, such as activations, are named below the layer that
    they belong to. An operation on images or sequences is drawn as one circle, with its shape.

    Args:
        model: a ``Model``, or another ``Sequential``.
        ax: axes to draw on.
        neurons: the most to draw of a layer, at least 2; the rest is drawn as one.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: ``model`` is no ``Sequential``, its operations do not fit each other,
            or ``neurons`` is out of its range.
    """
    from matplotlib.collections import LineCollection

    if not isinstance(model, Sequential):
        raise TypeError(f"network expects a Model or a Sequential, received {model!r}")
    columns = columns_of(model, check_count("neurons", neurons, 2))
    most = max(column.places for column in columns)
    ys = [heights(column, most) for column in columns]
    ax = new_axes(ax)
    for place in range(1, len(columns)):
        edges = list(edges_between(columns[place - 1], columns[place]))
        lines = LineCollection(
            [
                [(place - 1, ys[place - 1][edge.before]), (place, ys[place][edge.after])]
                for edge in edges
            ],
            colors=[POSITIVE if edge.weight > 0 else NEGATIVE for edge in edges],
            linewidths=[line_width(edge.strength) for edge in edges],
            alpha=[line_opacity(edge.strength) for edge in edges] or None,
            zorder=1,
        )
        ax.add_collection(lines)
        if columns[place].weights is None:
            ax.plot([place - 1, place], [0.5, 0.5], color="#999999", linestyle=":", zorder=1)
    size = min(14.0, 200 / most)
    style: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": "#555555", "zorder": 2}
    for place, column in enumerate(columns):
        shown = ys[place][: len(column.shown)]
        ax.plot([place] * len(shown), shown, "o", markersize=size, **style)
        if column.folded:
            ax.text(place, ys[place][-1], f"+ {column.folded:,}", ha="center", va="center")
        sizes = "…" if column.shape is None else " × ".join(map(str, column.shape))
        text = "\n".join([sizes, *column.names])
        ax.text(place, 1.02, text, ha="center", va="top", fontsize=9, linespacing=1.3)
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(1.02, 0))
    ax.axis("off")
    return ax
