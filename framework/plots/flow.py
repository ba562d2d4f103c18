"""The size of outputs on the way forward, and of gradients on the way back."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from framework.inspection.diagnosis import diagnose
from framework.inspection.operation_states import OperationState, measure
from framework.model import Model
from framework.utils.figures import CHARACTER, COLOURS, WRONG, new_axes, size_in_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# The sizes of the operations' names, in points, the first that fits.
SIZES = (10, 8)


def gradient_flow(
    model: Model,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the size of each operation's output and of its ``dvalues``.

    Sizes are root mean squares, on a logarithmic scale; a triangle at the bottom stands for
    exactly 0. Gradients are read from right to left, in the order of the backward pass: where the
    line falls they vanish, where it rises they explode. An operation with dead units, whose output
    is 0 for every sample, is labelled with their number: of images and sequences, the channels that
    are 0 everywhere. ``Model.diagnose`` says this in words.
    Below, a line says why an operation has no gradient.

    Args:
        model: finalized, with a loss.
        X, y: a batch to run through a copy of the model. Without them, the arrays that the last
            ``calculate_loss`` and ``backward`` stored are drawn, such as those of the last batch
            of a training.
        ax: axes to draw on.

    Raises:
        ImportError: matplotlib is missing.
        RuntimeError: without a batch, if forward and backward have not been called, or not on
            the same one.
        TypeError, ValueError: ``X`` and ``y`` do not fit, or only one of them is given.
    """
    if (X is None) != (y is None):
        raise ValueError("gradient_flow needs both X and y, or neither")
    states = measure(model) if X is None or y is None else diagnose(model, X, y).operations
    ax = new_axes(ax)
    ax.set_yscale("log")
    ax.margins(y=0.2)  # room for the legend
    _line(ax, [state.output for state in states], "o-", COLOURS[0], "size of the output")
    _line(ax, [state.gradient for state in states], "s--", WRONG, "size of its gradient")
    # Names are horizontal if the longest fits, smaller if need be, and otherwise vertical.
    longest = max(len(line) for state in states for line in _label(state, "\n").split("\n"))
    width = size_in_points(ax)[0]
    fitting = [s for s in SIZES if CHARACTER * s * (longest + 1) * len(states) <= width]
    size, upright = (fitting or SIZES[-1:])[0], not fitting
    ax.set_xticks(
        [state.position for state in states],
        [_label(state, ", " if upright else "\n") for state in states],
        size=size,
        rotation=90 if upright else 0,
    )
    ax.set_xlim(0.5, len(states) + 0.5)
    lines = [textwrap.fill(x, int(width / (CHARACTER * size))) for x in _missing_gradients(states)]
    ax.set_xlabel("\n".join(["operation", *lines]), size=size)
    ax.set(ylabel="root mean square", title="gradient flow")
    ax.grid(axis="y", color="0.9")
    ax.legend(fontsize=size)
    return ax


def _line(ax: Axes, sizes: Sequence[float | None], style: str, colour: str, label: str) -> None:
    values = np.array([np.nan if size is None else size for size in sizes], dtype=np.float64)
    positions = np.arange(1, len(values) + 1)
    ax.plot(positions, np.where(values > 0, values, np.nan), style, color=colour, label=label)
    # A logarithmic scale has no 0. The marks of both lines are beside each other, to be visible.
    aside = 0.08 if style.startswith("s") else -0.08
    ax.plot(
        positions[values == 0] + aside,
        np.full(np.count_nonzero(values == 0), 0.02),
        "v",
        color=colour,
        transform=ax.get_xaxis_transform(),
    )


def _missing_gradients(states: Sequence[OperationState]) -> list[str]:
    """Return why some operations have no gradient, a line for each reason."""
    trained = [state.position for state in states if state.trained]
    first = min(trained, default=len(states) + 1)
    missing = [state for state in states if state.gradient is None]
    lines = []
    if before := [state.name for state in missing if state.position < first]:
        names = before[0] if len(before) == 1 else f"{before[0]} to {before[-1]}"
        lines.append(f"{names}: nothing to train, no gradient needed")
    if fused := [state.name for state in missing if state.position >= first]:
        lines.append(f"{fused[-1]}: fused with the loss, no own gradient")
    return lines


def _label(state: OperationState, separator: str) -> str:
    label = f"{state.name} {state.units}"
    of_all = f"/{state.channels}" if state.channels < state.units else ""
    return f"{label}{separator}{state.dead}{of_all} dead" if state.dead else label
