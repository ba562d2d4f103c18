"""Curves: how a model learned, and what an activation looks like."""

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.checks import check_number
from framework.operation import describe
from framework.plots.figures import COLOURS, new_axes, room
from framework.utils import rng

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from framework.training.history import History


def learning_curves(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw loss and accuracy over the epochs, for training and, where known, validation.

    The loss has the left axis; the accuracy has one of its own on the right, which ends at 1 and
    begins a little below the smallest. The legend stands above both.

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
        figures = [*history.accuracy, *history.val_accuracy]
        lowest = min((figure for figure in figures if math.isfinite(figure)), default=0.0)
        # The best is at the top, the worst a fifth of the way up, unless that is below 0.
        bottom = max(0.0, 1 - 1.25 * max(1 - lowest, 0.01))
        right.set(ylabel="accuracy", ylim=(bottom, 1 + 0.02 * (1 - bottom)))
        more = right.get_legend_handles_labels()
        handles, labels = handles + more[0], labels + more[1]
    # Beside two scales of curves, no place within is sure to be free. An entry is 75 points wide.
    in_one_row = 75 * len(labels) <= room(ax)[0]
    ax.legend(
        handles,
        labels,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(labels) if in_one_row else 2,
        frameon=False,
        fontsize="small",
    )
    ax.set_title("learning curves", pad=24 if in_one_row else 38)
    return ax


def activation(
    op: Any, ax: "Axes | None" = None, *, low: float = -5.0, high: float = 5.0
) -> "Axes":
    """Draw an activation and its derivative between two inputs.

    Both come from a copy of the operation itself, in float64 and not in training: the function
    is its ``output`` after ``forward``, the derivative its ``dinputs`` after ``backward`` with
    ``dvalues`` of 1. One without a gradient, such as ``Step``, is drawn without its derivative.

    Each point is a row ``(x, 0)``, of which the first output is drawn. So an operation whose
    outputs depend on the whole row is drawn too: ``Softmax`` for two classes. One that does not
    take two inputs is given ``x`` alone.

    Args:
        op: an operation, or any object with ``forward`` and ``backward``, that takes two inputs
            per row, or one.
        ax: axes to draw on.
        low, high: the inputs at which the curves begin and end.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: ``op`` is no operation.
        ValueError: ``low`` is not below ``high``; or ``op`` takes neither two inputs nor one.
    """
    from framework.model import Model

    low, high = check_number("low", low), check_number("high", high)
    if not low < high:
        raise ValueError(f"low must be below high, received low={low}, high={high}")
    x = np.linspace(low, high, 1001)
    pairs = np.stack([x, np.zeros_like(x)], axis=1)
    with rng.preserve_rng():
        # A model of this one operation calls it as it wants to be called, in float64.
        model = Model([copy.deepcopy(op)], dtype=np.float64)
        model.finalize()
        try:
            output = model.forward(pairs, training=False)
        except ValueError:
            output = model.forward(pairs[:, :1], training=False)
        dvalues = np.zeros_like(output)
        dvalues[:, 0] = 1
        (copied,) = model.layers
        try:
            copied.backward(dvalues)
        except NotImplementedError:
            derivative = None
        else:
            derivative = copied.dinputs[:, 0]
    mixes_inputs = bool((output[:, 1:] != output[0, 1:]).any())
    ax = new_axes(ax)
    ax.axhline(0, color="0.8", linewidth=0.8)
    ax.axvline(0, color="0.8", linewidth=0.8)
    ax.plot(x, output[:, 0], color=COLOURS[0], label="function")
    if derivative is not None:
        ax.plot(x, derivative, "--", color=COLOURS[5], label="derivative")
    ax.set(xlabel="x, in a row (x, 0)" if mixes_inputs else "x", title=describe(op))
    ax.legend()
    return ax


def _curves(
    ax: "Axes", epochs: Sequence[int], colour: str, curves: list[tuple[str, list[float]]]
) -> None:
    # A line through one point would not be seen, so that it has a mark: open for validation.
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
