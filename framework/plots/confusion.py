"""The confusion matrix: true classes against predicted classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework.plots.labels import class_indices, names_of_classes
from framework.utils.figures import CHARACTER, COLOURS, WRONG, new_axes, size_in_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# With more classes than this, cells are too small to see.
MOST_CLASSES = 1000
# The size of text in points, and the smallest size that can be read.
LARGEST, SMALLEST = 10.0, 5.0


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the number of samples of each true class (rows) and predicted class (columns).

    The depth of a cell's colour is the square root of its share of the row, so that rare mistakes
    are visible: blue for correct, orange for wrong predictions. Numbers are left out if there is
    no room to read them; of the names of many classes, only some are written.

    Args:
        y_true, y_pred: class indices ``(samples,)``, one-hot rows, rows of probabilities, or a
            column of probabilities of class 1 of two.
        class_names: a name for each class, texts or numbers. With more names than there are
            classes in the data, the others have empty rows.
        ax: axes to draw on.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the labels are not classes, of more than 1,000 classes, of
            different numbers, or there are none; or a class has no name.
    """
    true, predicted = class_indices(y_true, "y_true"), class_indices(y_pred, "y_pred")
    if true.shape != predicted.shape or not len(true):
        raise ValueError(
            "y_true and y_pred must have the same number of samples, and at least one, received "
            f"{len(true)} and {len(predicted)}"
        )
    named = 0 if class_names is None else len(class_names)
    classes = max(named, int(max(true.max(), predicted.max())) + 1)
    if classes > MOST_CLASSES:
        raise ValueError(
            f"confusion_matrix draws at most {MOST_CLASSES:,} classes, received {classes:,}, the "
            "largest label and 1; number those that there are from 0"
        )
    names = names_of_classes(class_names, classes)
    counts = np.zeros((classes, classes), dtype=np.intp)
    np.add.at(counts, (true, predicted), 1)
    strength = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))

    ax = new_axes(ax)
    ax.imshow(_colours(strength))
    longest = max(map(len, names))
    cell = _side(ax, longest) / classes
    size = min(LARGEST, cell / (CHARACTER * (len(f"{counts.max():,}") + 1)))
    if size >= SMALLEST:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if strength[row, column] > 0.75 else "black"
                ax.text(
                    column, row, f"{count:,}", ha="center", va="center", color=colour, size=size
                )
    size = float(np.clip(0.8 * cell, SMALLEST, LARGEST))
    level = CHARACTER * size * (longest + 1) <= cell
    shown = range(0, classes, math.ceil(1.2 * size / cell))
    ax.set_xticks(shown, [names[i] for i in shown], size=size, rotation=0 if level else 90)
    ax.set_yticks(shown, [names[i] for i in shown], size=size)
    right = float((true == predicted).mean())
    ax.set(xlabel="predicted", ylabel="true", title=f"{right:.1%} of {len(true):,} right")
    return ax


def _side(ax: Axes, longest: int) -> float:
    """Return the smallest side of the square matrix, in points, beside names of this length."""
    # The margins of new axes have room for texts of about four characters.
    names = CHARACTER * LARGEST * max(0, longest - 4)
    return max(min(size_in_points(ax)) - names, 1.0)


def _colours(strength: np.ndarray) -> np.ndarray:
    from matplotlib.colors import to_rgb

    full = np.empty((*strength.shape, 3))
    full[...] = to_rgb(WRONG)
    full[np.diag_indices(len(strength))] = to_rgb(COLOURS[0])
    return np.asarray(1 - strength[..., np.newaxis] * (1 - full))
