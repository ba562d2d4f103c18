"""Draws learning curves: loss and accuracy over the epochs of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from framework.utils.figures import COLOURS, legend_below, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Curves(Protocol):
    """The lists of a ``History`` that are drawn."""

    loss: list[float]
    val_loss: list[float]
    accuracy: list[float]
    val_accuracy: list[float]

    def __len__(self) -> int: ...


def learning_curves(history: Curves, ax: Axes | None = None) -> Axes:
    """Draw loss and accuracy over the epochs, for training and, where known, validation.

    The left axis is that of the loss. The accuracy has an axis of its own on the right, from a
    little below the smallest value to 1. The legend stands below the axes.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the history has no epochs.
    """
    if not len(history):
        raise ValueError("the history has no completed epochs to draw")
    from matplotlib.ticker import MaxNLocator

    ax = new_axes(ax)
    epochs = range(1, len(history) + 1)
    _curves(ax, epochs, COLOURS[0], [("loss", history.loss), ("val. loss", history.val_loss)])
    ax.set(xlabel="epoch", ylabel="loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    handles, labels = ax.get_legend_handles_labels()
    if history.accuracy:
        right = ax.twinx()
        curves = [("accuracy", history.accuracy), ("val. accuracy", history.val_accuracy)]
        _curves(right, epochs, COLOURS[5], curves)
        values = [*history.accuracy, *history.val_accuracy]
        lowest = min((value for value in values if math.isfinite(value)), default=0.0)
        # The best is at the top, the worst a fifth of the way up, unless that is below 0.
        bottom = max(0.0, 1 - 1.25 * max(1 - lowest, 0.01))
        right.set(ylabel="accuracy", ylim=(bottom, 1 + 0.02 * (1 - bottom)))
        more = right.get_legend_handles_labels()
        handles, labels = handles + more[0], labels + more[1]
    legend_below(ax, handles, labels)  # among curves on two scales, no place is sure to be free
    ax.set_title("learning curves")
    return ax


def _curves(
    ax: Axes, epochs: Sequence[int], colour: str, curves: list[tuple[str, list[float]]]
) -> None:
    # A line through a single point is invisible, so it gets a marker: an open one for validation.
    for (label, values), style, inside in zip(curves, ("-", "--"), (colour, "none"), strict=True):
        if values:
            marker = "o" if len(values) == 1 else None
            size = 6 if inside == colour else 11
            ax.plot(
                epochs,
                values,
                style,
                color=colour,
                label=label,
                marker=marker,
                markersize=size,
                markerfacecolor=inside,
            )
