"""Decision boundaries: the predictions at every point of the plane, as a picture or a video."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import as_array, check_count
from framework.containers.last_pass import last_pass_kept
from framework.model import Model
from framework.plots.labels import class_indices, names_of_classes
from framework.training.history import History
from framework.training.state import Callback, Training
from framework.utils.figures import COLOURS, legend_below, new_axes
from optimizers.arrays import Array

# The texts on the buttons of a page, by their function.
SYMBOLS = {
    "Decrease speed": "&minus;",
    "First frame": "|&lt;&lt;",
    "Previous frame": "|&lt;",
    "Play backwards": "&#9664;",
    "Pause": "||",
    "Play": "&#9654;",
    "Next frame": "&gt;|",
    "Last frame": "&gt;&gt;|",
    "Increase speed": "+",
}

if TYPE_CHECKING:
    from matplotlib.animation import AbstractMovieWriter
    from matplotlib.axes import Axes


def decision_boundary(
    model: Model,
    X: ArrayLike,
    y: ArrayLike,
    ax: Axes | None = None,
    *,
    resolution: int = 300,
    class_names: Sequence[Any] | None = None,
) -> Axes:
    """Draw the predictions of a model at every point of the plane, with samples on top.

    The background has the colour of the predicted class, paler for smaller probabilities. Points
    have the colour of their own class; those that are misclassified have a dark rim, the thinner
    the more there are. A legend below names the classes, up to as many as there are ``COLOURS``.

    Args:
        model: finalized, with two inputs and a Softmax or Sigmoid output.
        X: ``(samples, 2)``.
        y: class indices ``(samples,)``, or a column of 0 and 1, or one-hot rows.
        ax: axes to draw on.
        resolution: points of the background along each side.
        class_names: a name for each class. None takes those of the model, or numbers.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: ``X`` is not two-dimensional, the outputs are not classes, or there are too
            few names.
    """
    resolution = check_count("resolution", resolution)
    X = as_array(X, "X")
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary expects X of shape (samples, 2), received {X.shape}")
    classes = class_indices(y)
    with last_pass_kept(model):
        predicted = model.predict_classes(X)
    if predicted.shape != classes.shape:
        raise ValueError(
            f"decision_boundary expects one class for each of {len(X)} samples, received y of "
            f"shape {np.shape(y)} and predictions of shape {predicted.shape}"
        )
    names = _class_names(model, max(classes.max(), predicted.max()) + 1, class_names)
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.05 * (high - low) + 1e-6
    (left, bottom), (right, top) = low - margin, high + margin
    columns, rows = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    shades = shades_of(model, points).reshape(resolution, resolution, 3)

    ax = new_axes(ax)
    ax.imshow(shades, extent=(left, right, bottom, top), origin="lower", aspect="auto")
    colours = np.array(COLOURS)[classes % len(COLOURS)]
    wrong = predicted != classes
    size = float(np.clip(3000 / len(X), 14, 90))  # a few points are drawn larger than many
    # Wide rims of hundreds of points would hide the points.
    dark = float(np.clip(0.9 * np.sqrt(50 / max(1, wrong.sum())), 0.25, 0.9))
    for chosen, rim, width, larger in ((~wrong, "white", 0.3, 1.0), (wrong, "black", dark, 1.4)):
        ax.scatter(
            X[chosen, 0],
            X[chosen, 1],
            c=colours[chosen],
            s=larger * size,
            edgecolors=rim,
            linewidths=width,
            zorder=2,
        )
    _legend(ax, names, bool(wrong.any()))
    ax.set(xlabel="x", ylabel="y", title=f"{1 - wrong.mean():.1%} of {len(X):,} points right")
    return ax


def _class_names(model: Model, classes: int, given: Sequence[Any] | None) -> list[str]:
    known = model.class_names if given is None else given
    names = names_of_classes(known, classes)
    return [f"class {name}" for name in names] if known is None else names


def _legend(ax: Axes, names: list[str], some_wrong: bool) -> None:
    from matplotlib.lines import Line2D

    entries = list(zip(names, COLOURS, ["white"] * len(names), strict=False))
    if len(names) > len(COLOURS):
        entries = []  # colours repeat, and so tell nothing
    if some_wrong:
        entries.append(("misclassified", "white", "black"))
    if not entries:
        return
    points = [
        Line2D([], [], linestyle="", marker="o", markersize=7, color=colour, markeredgecolor=rim)
        for _, colour, rim in entries
    ]
    legend_below(ax, points, [name for name, _, _ in entries], handle_length=1.0)


def decision_boundary_video(
    model: Model,
    X: ArrayLike,
    y: ArrayLike,
    path: str | os.PathLike[str],
    *,
    epochs: int = 50,
    every: int = 1,
    fps: int = 10,
    resolution: int = 200,
    **training: Any,
) -> History:
    """Train ``model`` on ``X`` and ``y``, and write a video of its decision boundary.

    The first picture is from before training, the next ones follow every ``every`` epochs, and
    the last is of the final model. The file is written after training, also if it stopped early.
    If training or writing fails, an old file is not changed.

    Args:
        model: as for ``decision_boundary``, with a loss and an optimizer.
        X, y: the samples to train on, which are also drawn.
        path: ending with ``.gif``, or with ``.html`` for a page with a slider and buttons, which
            needs no other file and no network. An old file is replaced.
        epochs: the number of epochs to train.
        every: the number of epochs from one picture to the next.
        fps: pictures per second.
        resolution: points of the background along each side.
        training: further arguments of ``Model.train``, such as ``batch_size``.

    Returns:
        The history of the training.

    Raises:
        ImportError: matplotlib is missing.
        OSError: the file cannot be written; this is checked before training.
        TypeError, ValueError: ``path`` has another ending, or other arguments do not fit: see
            ``decision_boundary`` and ``Model.train``.
    """
    from matplotlib.figure import Figure

    every, path = check_count("every", every), Path(path)
    writer = _writer(path.suffix, check_count("fps", fps))
    _check_writable(path)
    # A figure without pyplot needs no display and need not be closed.
    figure = Figure(figsize=(5, 5), layout="constrained")
    ax = figure.subplots()
    decision_boundary(model, X, y, ax, resolution=resolution)  # errors before training

    snapshots = _Snapshots(every)
    callbacks = [*(training.pop("callbacks", None) or ()), snapshots]
    history = model.train(X, y, epochs=epochs, callbacks=callbacks, **training)
    # In the same folder, so that the complete video can be renamed to the path.
    with tempfile.TemporaryDirectory(prefix=".", dir=path.absolute().parent) as folder:
        written = Path(folder, "video" + path.suffix.lower())
        try:
            with writer.saving(figure, os.fspath(written), dpi=80):
                for when, parameters in snapshots.taken:
                    model.set_parameters(parameters)
                    ax.clear()
                    decision_boundary(model, X, y, ax, resolution=resolution)
                    ax.set_title(f"{when}: {ax.get_title()}")
                    writer.grab_frame()
        finally:
            model.set_parameters(snapshots.taken[-1][1])
        if written.suffix != ".gif":
            page = written.read_text(encoding="utf-8")
            written.write_text(_self_contained(page), encoding="utf-8")
        os.replace(written, path)
    return history


class _Snapshots(Callback):
    """Records the parameters of the model every ``every`` epochs."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.taken: list[tuple[str, list[tuple[Array, ...]]]] = []

    def on_train_begin(self, training: Training) -> None:
        self._take(training, "before training")

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch % self.every == 0:
            self._take(training, f"epoch {training.epoch}")

    def on_train_end(self, training: Training) -> None:
        # Early stopping may have restored better parameters than those of the last epoch.
        now, last = training.model.get_parameters(), self.taken[-1][1]
        pairs = [
            pair for arrays in zip(now, last, strict=True) for pair in zip(*arrays, strict=True)
        ]
        if not all(np.array_equal(one, other) for one, other in pairs):
            self._take(training, "after training")

    def _take(self, training: Training, when: str) -> None:
        self.taken.append((when, training.model.get_parameters()))


def _check_writable(path: Path) -> None:
    folder = path.absolute().parent
    writable = os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
    if path.is_dir() or not writable:
        raise OSError(f"{os.fspath(path)!r} cannot be written")


def _self_contained(page: str) -> str:
    """Return matplotlib's page with text on its buttons, in place of icons from the network."""
    page = re.sub(r"<link\b[^>]*>\s*", "", page)
    return re.sub(
        r'(<button title="([^"]*)"[^>]*>).*?(</button>)',
        lambda found: found[1] + SYMBOLS.get(found[2], found[2]) + found[3],
        page,
        flags=re.DOTALL,
    )


def _writer(suffix: str, fps: int) -> AbstractMovieWriter:
    from matplotlib.animation import HTMLWriter, PillowWriter

    if suffix.lower() == ".gif":
        return PillowWriter(fps=fps)
    if suffix.lower() in (".html", ".htm"):
        # No limit on the size: the caller decides on the number of pictures.
        return HTMLWriter(fps=fps, embed_frames=True, embed_limit=float("inf"))
    raise ValueError(f"a video must end with .gif or .html, received {suffix!r}")


def shades_of(model: Model, points: Array) -> Array:
    """Return the colour of each point: that of its class, paler for smaller probabilities."""
    from matplotlib.colors import to_rgb

    with last_pass_kept(model):
        outputs = model.predict(points, batch_size=8192)
    classes = model.classes_of(outputs)
    sureness = _sureness(outputs, model.output_activation)
    palette = np.array([to_rgb(colour) for colour in COLOURS])
    strength = (0.15 + 0.45 * sureness)[:, np.newaxis]
    return np.asarray(1 - strength * (1 - palette[classes % len(COLOURS)]))


def _sureness(outputs: Array, activation: Any) -> Array:
    """Return the confidence of each point, from 0 (all classes equally likely) to 1."""
    if outputs.shape[1] == 1:
        return np.abs(2 * outputs[:, 0] - 1)
    if not isinstance(activation, (Softmax, Sigmoid)):
        return np.ones(len(outputs))
    lowest = 1 / outputs.shape[1]
    return np.clip((outputs.max(axis=1) - lowest) / (1 - lowest), 0, 1)
