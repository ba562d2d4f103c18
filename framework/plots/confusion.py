"""The confusion matrix: which classes are taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from framework.plots.figures import COLOURS, WRONG, class_indices, names_of_classes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# With more classes than this, numbers in the cells could not be read.
MOST_NUMBERED = 20


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[str] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how many samples of each class (rows) were taken for each class (columns).

    The number in a cell is the count. Its colour is deeper the larger the share of its row is,
    by the square root, so that rare mistakes are seen too: blue for right, orange for wrong.

    Args:
        y_true, y_pred: class indices ``(samples,)``, or one-hot rows, or probabilities of
            which the largest counts.
        class_names: a name for each class. With more names than there are classes in the data,
            the others have empty rows.
        ax: axes to draw on.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the labels are no classes, differ in number, or there are none;
            or a class has no name.
    """
    true, predicted = class_indices(y_true, "y_true"), class_indices(y_pred, "y_pred")
    if true.shape != predicted.shape or not len(true):
        raise ValueError(
            "y_true and y_pred must have the same number of samples, and at least one, received "
            f"{len(true)} and {len(predicted)}"
        )
    classes = max(len(class_names or ()), int(max(true.max(), predicted.max())) + 1)
    names = names_of_classes(class_names, classes)
    counts = np.zeros((classes, classes), dtype=np.intp)
    np.add.at(counts, (true, predicted), 1)
    strength = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))

    ax = new_axes(ax)
    ax.imshow(_colours(strength))
    if classes <= MOST_NUMBERED:
        size = 10 if classes <= 6 else 8
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if strength[row, column] > 0.75 else "black"
                ax.text(
                    column, row, f"{count:,}", ha="center", va="center", color=colour, size=size
                )
    ax.set_xticks(range(classes), names)
    if max(map(len, names)) > 3:
        ax.tick_params(axis="x", rotation=90)
    ax.set_yticks(range(classes), names)
    right = float((true == predicted).mean())
    ax.set(xlabel="predicted", ylabel="true", title=f"{right:.1%} of {len(true):,} right")
    return ax


def _colours(strength: np.ndarray) -> np.ndarray:
    from matplotlib.colors import to_rgb

    full = np.empty((*strength.shape, 3))
    full[...] = to_rgb(WRONG)
    full[np.diag_indices(len(strength))] = to_rgb(COLOURS[0])
    return np.asarray(1 - strength[..., np.newaxis] * (1 - full))
