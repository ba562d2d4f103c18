"""What can be taken along: the model, the points, the picture and the video, as files."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.model import Model
from framework.playground.experiment import Experiment
from framework.playground.plane import curve, plane_of, resolution_for, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_FRAMES = 60


def as_safetensors(experiment: Experiment) -> bytes:
    """Return the model as ``Model.save`` writes it."""
    return _written(_model(experiment).save, "model.safetensors")


def as_onnx(experiment: Experiment) -> bytes:
    """Return the model as ``Model.export_onnx`` writes it. Raises ImportError without onnx."""
    return _written(_model(experiment).export_onnx, "model.onnx")


def points_as_csv(experiment: Experiment) -> bytes:
    """Return all points: the columns, then the class or the value, as ``read_points`` reads it."""
    points = experiment.split.train.and_points(experiment.split.test)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = points.class_names
    writer.writerow([*points.columns, "value" if names is None else "class"])
    for row, target in zip(points.X.tolist(), points.y.tolist(), strict=True):
        writer.writerow([*row, *target] if names is None else [*row, names[target]])
    return file.getvalue().encode()


def as_picture(experiment: Experiment, shown: tuple[int, int], kind: str) -> bytes:
    """Return the predictions with the points on top, as "png" or "svg"."""
    from matplotlib.figure import Figure

    _model(experiment)
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    _draw(experiment, shown, figure.subplots())
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=150)
    return file.getvalue()


def as_video(experiment: Experiment, shown: tuple[int, int]) -> bytes:
    """Return the training so far as an animated GIF, of up to 60 pictures.

    The experiment goes through its moments, and ends at the last one: give a copy of it.
    """
    from matplotlib.animation import PillowWriter
    from matplotlib.figure import Figure

    _model(experiment)
    timeline = experiment.timeline
    assert timeline is not None
    moments = timeline.moments
    chosen = np.unique(np.linspace(0, len(moments) - 1, min(MOST_FRAMES, len(moments))).astype(int))
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    ax = figure.subplots()
    writer = PillowWriter(fps=8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "training.gif")
        with writer.saving(figure, str(path), dpi=80):
            for place in chosen:
                timeline.go_to(int(place))
                ax.clear()
                _draw(experiment, shown, ax)
                ax.set_title(f"epoch {moments[place].epoch}")
                writer.grab_frame()
        return path.read_bytes()


def _model(experiment: Experiment) -> Model:
    if experiment.model is None:
        raise ValueError("there is no network yet: draw some points first")
    return experiment.model


def _written(write: Callable[[str], Any], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write(str(path))
        return path.read_bytes()


def _draw(experiment: Experiment, shown: tuple[int, int], ax: Axes) -> None:
    from framework.plots.boundaries import shades_of
    from framework.utils.figures import COLOURS

    model = _model(experiment)
    points = experiment.split.train
    plane = plane_of(points.and_points(experiment.split.test), shown)
    names = [points.columns[axis] for axis in plane.axes]
    if len(plane.axes) == 1:
        ax.scatter(points.X[:, 0], points.y.reshape(len(points), -1)[:, 0], s=12, color=COLOURS[1])
        ax.plot(*curve(experiment, plane), color=COLOURS[0])
        ax.set(xlabel=names[0])
        return
    resolution = resolution_for(experiment, 200)
    inputs = experiment.inputs_of(plane.grid(resolution))
    if points.has_classes:
        picture = shades_of(model, inputs)
        colours: Any = np.array(COLOURS)[points.y % len(COLOURS)]
    else:
        largest = float(np.abs(points.y).max(initial=0)) or 1.0
        picture = signed(model.predict(inputs)[:, 0], largest)
        colours = signed(points.y[:, 0], largest) / 255
    (left, bottom), (right, top) = plane.low, plane.high
    extent = (left, right, bottom, top)
    ax.imshow(picture.reshape(resolution, resolution, 3), extent=extent, aspect="auto")
    shown_points = points.X[:, list(plane.axes)]
    x, y = shown_points.T
    ax.scatter(x, y, c=colours, s=18, edgecolors="white", linewidths=0.4)
    ax.set(xlabel=names[0], ylabel=names[1])
