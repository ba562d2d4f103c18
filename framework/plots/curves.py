"""The curve of an activation and of its derivative."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.checks import check_number
from framework.model import Model
from framework.operation import describe
from framework.utils import rng
from framework.utils.figures import COLOURS, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def activation(op: Any, ax: Axes | None = None, *, low: float = -5.0, high: float = 5.0) -> Axes:
    """Draw an activation and its derivative between two inputs.

    Both come from a copy of the operation itself, in float64 and not in training: the function
    is its ``output`` after ``forward``, the derivative its ``dinputs`` after ``backward`` with
    ``dvalues`` of 1. One without a gradient, such as ``Step``, is drawn without its derivative.

    The inputs are rows ``(x, 0)``, and the first output of each row is drawn. So operations whose
    outputs depend on the whole row can be drawn: ``Softmax`` for two classes. An operation that
    does not take two inputs gets rows ``(x,)``.

    Args:
        op: an operation, or any object with ``forward`` and ``backward``, that takes two inputs
            per row, or one.
        ax: axes to draw on.
        low, high: the inputs at which the curves begin and end.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: ``op`` is not an operation.
        ValueError: ``low`` is not below ``high``; or ``op`` takes neither two inputs nor one.
    """
    low, high = check_number("low", low), check_number("high", high)
    if not low < high:
        raise ValueError(f"low must be below high, received low={low}, high={high}")
    x = np.linspace(low, high, 1001)
    pairs = np.stack([x, np.zeros_like(x)], axis=1)
    with rng.preserve_rng():
        # A model of this operation alone runs it in float64, and passes training= if it takes it.
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
