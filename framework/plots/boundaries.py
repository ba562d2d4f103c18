"""What a model says at every point of the plane, when it has learned and while it does."""

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import as_array, check_count
from framework.plots.labels import class_indices
from framework.training.state import Callback, Training
from framework.utils.figures import COLOURS, new_axes
from optimizers.arrays import Array

# What stands on the buttons of a page, by what they do.
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

    from framework.model import Model
    from framework.training.history import History


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
    resolution = check_count("resolution", resolution)
    X = as_array(X, "X")
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary expects X of shape (samples, 2), received {X.shape}")
    classes = class_indices(y)
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

    ax = new_axes(ax)
    ax.imshow(shades, extent=(left, right, bottom, top), origin="lower", aspect="auto")
    colours = np.array(COLOURS)[classes % len(COLOURS)]
    wrong = predicted != classes
    size = float(np.clip(3000 / len(X), 14, 90))  # a few points are drawn larger than many
    for chosen, rim, width, larger in ((~wrong, "white", 0.3, 1.0), (wrong, "black", 0.9, 1.4)):
        ax.scatter(
            X[chosen, 0],
            X[chosen, 1],
            c=colours[chosen],
            s=larger * size,
            edgecolors=rim,
            linewidths=width,
            zorder=2,
        )
    ax.set(xlabel="x", ylabel="y", title=f"{1 - wrong.mean():.1%} of {len(X):,} points right")
    return ax


def decision_boundary_video(
    model: "Model",
    X: ArrayLike,
    y: ArrayLike,
    path: "str | os.PathLike[str]",
    *,
    epochs: int = 50,
    every: int = 1,
    fps: int = 10,
    resolution: int = 200,
    **training: Any,
) -> "History":
    """Train ``model`` on ``X`` and ``y``, and write a video of its decision boundary.

    The first picture is from before training, then there is one every so many epochs, and the
    last is of the model as it is afterwards. The file is written when training has ended, also
    if it ended early; if training or writing fails, a file that was there before still is.

    Args:
        model: as for ``decision_boundary``, with a loss and an optimizer.
        X, y: what it is trained on, and what is drawn.
        path: ending with ``.gif``, or with ``.html`` for a page with a slider and buttons, which
            needs no other file and no network. A file that is there already is replaced.
        epochs: how long to train.
        every: epochs from one picture to the next.
        fps: pictures per second.
        resolution: points of the background along each side.
        training: further arguments of ``Model.train``, such as ``batch_size``.

    Returns:
        The history of the training.

    Raises:
        ImportError: matplotlib is missing.
        OSError: the file cannot be written there; nothing has been trained then.
        ValueError: another ending; and, like all that ``decision_boundary`` and ``Model.train``
            raise, for arguments that do not fit.
    """
    from matplotlib.figure import Figure

    every, path = check_count("every", every), Path(path)
    writer = _writer(path.suffix, check_count("fps", fps))
    _check_writable(path)
    # A figure without pyplot needs no display, and no one has to close it.
    figure = Figure(figsize=(5, 5), layout="constrained")
    ax = figure.subplots()
    decision_boundary(model, X, y, ax, resolution=resolution)  # what cannot be drawn fails here

    snapshots = _Snapshots(every)
    callbacks = [*(training.pop("callbacks", None) or ()), snapshots]
    history = model.train(X, y, epochs=epochs, callbacks=callbacks, **training)
    # Beside the file, so that it can take its place at once when it is complete.
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
    """Keeps the parameters of the model every so many epochs."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.taken: list[tuple[str, list[tuple[Array, ...]]]] = []

    def on_train_begin(self, training: Training) -> None:
        self._take(training, "before training")

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch % self.every == 0:
            self._take(training, f"epoch {training.epoch}")

    def on_train_end(self, training: Training) -> None:
        # Early stopping may have gone back to better parameters than those of the last epoch.
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
    """matplotlib's page without the icons it would load from elsewhere: text on its buttons."""
    page = re.sub(r"<link\b[^>]*>\s*", "", page)
    return re.sub(
        r'(<button title="([^"]*)"[^>]*>).*?(</button>)',
        lambda found: found[1] + SYMBOLS.get(found[2], found[2]) + found[3],
        page,
        flags=re.DOTALL,
    )


def _writer(suffix: str, fps: int) -> "AbstractMovieWriter":
    from matplotlib.animation import HTMLWriter, PillowWriter

    if suffix.lower() == ".gif":
        return PillowWriter(fps=fps)
    if suffix.lower() in (".html", ".htm"):
        # Without a limit: how many pictures there are is for the caller to decide.
        return HTMLWriter(fps=fps, embed_frames=True, embed_limit=float("inf"))
    raise ValueError(f"a video must end with .gif or .html, received {suffix!r}")


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
