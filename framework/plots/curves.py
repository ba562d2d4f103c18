"""Curves: how a model learned, and what an activation looks like."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.operation import describe
from framework.plots.figures import COLOURS, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from framework.training import History


def learning_curves(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw loss and accuracy over the epochs, for training and, where known, validation.

    The loss has the left axis; the accuracy has one of its own on the right.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the history has no epochs.
    """
    if not len(history):
        raise ValueError("the history has no completed epochs to draw")
    ax = new_axes(ax)
    epochs = range(1, len(history) + 1)
    _curves(ax, epochs, COLOURS[0], [("loss", history.loss), ("val. loss", history.val_loss)])
    ax.set(xlabel="epoch", ylabel="loss", title="learning curves")
    handles, labels = ax.get_legend_handles_labels()
    if history.accuracy:
        right = ax.twinx()
        curves = [("accuracy", history.accuracy), ("val. accuracy", history.val_accuracy)]
        _curves(right, epochs, COLOURS[5], curves)
        right.set(ylabel="accuracy", ylim=(0, 1))
        handles, labels = (
            handles + right.get_legend_handles_labels()[0],
            labels + right.get_legend_handles_labels()[1],
        )
    ax.legend(handles, labels, loc="center right")
    return ax


def activation(
    op: Any, ax: "Axes | None" = None, *, low: float = -5.0, high: float = 5.0
) -> "Axes":
    """Draw an activation and its derivative between two inputs.

    Both come from the operation itself: the function from ``forward``, and the derivative from
    ``backward`` with ``dvalues`` of 1. One without a gradient, such as ``Step``, is drawn
    without its derivative. ``op`` itself is left as it was.

    Each point is a row ``(x, 0)``, of which the first output is drawn. So an operation whose
    outputs depend on the whole row is drawn too: ``Softmax`` for two classes.

    Args:
        op: an operation that takes two inputs per row.
        ax: axes to draw on.
        low, high: the inputs at which the curves begin and end.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: ``low`` is not below ``high``.
    """
    if not low < high:
        raise ValueError(f"low must be below high, received low={low}, high={high}")
    op = copy.deepcopy(op)
    x = np.linspace(low, high, 1001)
    output = op.forward(np.stack([x, np.zeros_like(x)], axis=1))
    mixes_inputs = bool((output[:, 1] != output[0, 1]).any())
    ax = new_axes(ax)
    ax.axhline(0, color="0.8", linewidth=0.8)
    ax.axvline(0, color="0.8", linewidth=0.8)
    ax.plot(x, output[:, 0], color=COLOURS[0], label="function")
    try:
        dinputs = op.backward(np.stack([np.ones_like(x), np.zeros_like(x)], axis=1))
    except NotImplementedError:
        pass
    else:
        ax.plot(x, dinputs[:, 0], "--", color=COLOURS[5], label="derivative")
    ax.set(xlabel="x, in a row (x, 0)" if mixes_inputs else "x", title=describe(op))
    ax.legend()
    return ax


def _curves(
    ax: "Axes", epochs: Sequence[int], colour: str, curves: list[tuple[str, list[float]]]
) -> None:
    for (label, values), style in zip(curves, ("-", "--"), strict=True):
        if values:
            marker = "o" if len(values) == 1 else None
            ax.plot(epochs, values, style, color=colour, label=label, marker=marker)
