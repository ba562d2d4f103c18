"""Pictures of models and of how they learned, drawn with matplotlib.

Every function returns the axes it drew on. Without ``ax`` it opens a figure of its own by
``matplotlib.pyplot``, which needs no display unless the figure is to be shown. matplotlib is
imported when a picture is drawn, not before.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import as_array
from framework.operation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from framework.model import Model
    from framework.training import History

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")


def decision_boundary(
    model: "Model", X: ArrayLike, y: ArrayLike, ax: "Axes | None" = None, *, resolution: int = 300
) -> "Axes":
    """Draw what the model says at every point of the plane, with samples on top.

    The background has the colour of the predicted class, paler where the model is less sure.
    Points whose class the model gets wrong have a dark rim.

    Args:
        model: finalized, with two inputs and a Softmax or Sigmoid output.
        X: ``(samples, 2)``.
        y: class indices ``(samples,)``, or a column of 0 and 1, or one-hot rows.
        ax: axes to draw on.
        resolution: points of the background along each side.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: ``X`` is not two-dimensional, or the outputs are not classes.
    """
    X = as_array(X, "X")
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary expects X of shape (samples, 2), received {X.shape}")
    classes = _class_indices(y)
    predicted = model.predict_classes(X)
    if predicted.shape != classes.shape:
        raise ValueError(
            f"decision_boundary expects one class for each of {len(X)} samples, received y of "
            f"shape {np.shape(y)} and predictions of shape {predicted.shape}"
        )
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.05 * (high - low) + 1e-6
    (left, bottom), (right, top) = low - margin, high + margin
    columns, rows = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    shades = _shades(model, points).reshape(resolution, resolution, 3)

    ax = _axes(ax)
    ax.imshow(shades, extent=(left, right, bottom, top), origin="lower", aspect="auto")
    colours = np.array(COLOURS)[classes % len(COLOURS)]
    wrong = predicted != classes
    for chosen, rim, width, size in ((~wrong, "white", 0.3, 14), (wrong, "black", 0.9, 20)):
        ax.scatter(
            X[chosen, 0],
            X[chosen, 1],
            c=colours[chosen],
            s=size,
            edgecolors=rim,
            linewidths=width,
            zorder=2,
        )
    ax.set(xlabel="x", ylabel="y", title=f"{1 - wrong.mean():.1%} of {len(X):,} points right")
    return ax


def learning_curves(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw loss and accuracy over the epochs, for training and, where known, validation.

    The loss has the left axis; the accuracy has one of its own on the right.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the history has no epochs.
    """
    if not len(history):
        raise ValueError("the history has no completed epochs to draw")
    ax = _axes(ax)
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


def _axes(ax: "Axes | None") -> "Axes":
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots()[1]
    return ax


def _curves(
    ax: "Axes", epochs: Sequence[int], colour: str, curves: list[tuple[str, list[float]]]
) -> None:
    for (label, values), style in zip(curves, ("-", "--"), strict=True):
        if values:
            marker = "o" if len(values) == 1 else None
            ax.plot(epochs, values, style, color=colour, label=label, marker=marker)


def _class_indices(y: ArrayLike) -> Array:
    labels = as_array(y, "y")
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
    return labels.astype(np.intp)


def _shades(model: "Model", points: Array) -> Array:
    """The colour of each point: its class's, mixed with white by how unsure the model is."""
    from matplotlib.colors import to_rgb

    outputs = model.predict(points, batch_size=8192)
    classes = model.predict_classes(points, batch_size=8192)
    sureness = _sureness(outputs, model.layers[-1])
    palette = np.array([to_rgb(colour) for colour in COLOURS])
    strength = (0.15 + 0.45 * sureness)[:, np.newaxis]
    return np.asarray(1 - strength * (1 - palette[classes % len(COLOURS)]))


def _sureness(outputs: Array, activation: Any) -> Array:
    """From 0, where all classes are as likely, to 1."""
    if outputs.shape[1] == 1:
        return np.abs(2 * outputs[:, 0] - 1)
    if not isinstance(activation, (Softmax, Sigmoid)):
        return np.ones(len(outputs))
    lowest = 1 / outputs.shape[1]
    return np.clip((outputs.max(axis=1) - lowest) / (1 - lowest), 0, 1)
