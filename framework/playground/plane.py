"""The plane that is shown: its borders, and what a network computes at every point of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from framework.containers.last_pass import last_pass_kept
from framework.inspection.diagram import NEGATIVE, POSITIVE, Column
from framework.playground.experiment import Experiment
from framework.playground.points import Points
from framework.plots.boundaries import shades_of
from framework.utils.figures import COLOURS
from framework.utils.threads import single_thread
from optimizers.arrays import Array

# So many multiplications of a network are computed for a picture at most.
WORK = 2 * 10**7
SMALLEST = 12  # points along a side


@dataclass(frozen=True)
class Plane:
    """A part of the plane of two columns; or of one column, and the values or, of classes, nothing.

    Attributes:
        axes: the columns that are shown, two or one.
        low, high: the corners, ``(2,)``.
        rest: a point of the data in the middle, which has the other columns' values.
    """

    axes: tuple[int, ...]
    low: Array
    high: Array
    rest: Array

    def grid(self, resolution: int) -> Array:
        """Return points in rows from the top to the bottom, ``(rows * resolution, columns)``.

        There is one row where the data have one column.
        """
        across = np.linspace(self.low[0], self.high[0], resolution)
        if len(self.axes) == 1:
            places = across[:, np.newaxis]
        else:
            down = np.linspace(self.high[1], self.low[1], resolution)
            places = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        points = np.tile(self.rest, (len(places), 1))
        points[:, list(self.axes)] = places
        return points

    def places(self, points: Points) -> Array:
        """Return where points are, ``(points, 2)``, as shares of the sides, from below.

        Those with one column and a class are spread, since they would lie on each other.
        """
        if len(self.axes) == 2:
            return self._shares(points.X[:, list(self.axes)])
        if points.has_classes:
            spread = 0.1 + 0.8 * (np.arange(len(points)) * 0.618 % 1)
            across = (points.X[:, 0] - self.low[0]) / (self.high[0] - self.low[0])
            return np.column_stack([across, spread])
        return self._shares(np.column_stack([points.X[:, 0], points.y[:, 0]]))

    def at(self, places: Array) -> Array:
        """Return the coordinates at shares of the sides."""
        return self.low + places * (self.high - self.low)

    def _shares(self, coordinates: Array) -> Array:
        return np.asarray((coordinates - self.low) / (self.high - self.low))


def plane_of(points: Points, shown: tuple[int, int]) -> Plane:
    """Return the plane around points, with a margin."""
    X = points.X
    axes = shown if X.shape[1] > 1 else (0,)
    if not len(X):
        return Plane(axes, np.full(2, -1.0), np.full(2, 1.0), np.zeros(X.shape[1]))
    sides = X[:, list(axes)]
    if len(axes) == 1:
        up = np.zeros((len(X), 1)) if points.has_classes else points.y[:, :1]
        sides = np.column_stack([sides, up])
    low, high = sides.min(axis=0), sides.max(axis=0)
    margin = np.maximum(0.08 * (high - low), 1e-3 + 0.5 * (high == low))
    return Plane(axes, low - margin, high + margin, X.mean(axis=0))


def resolution_for(experiment: Experiment, wanted: int) -> int:
    """Return how many points along a side can be computed in a moment, at most ``wanted``."""
    model = experiment.model
    parameters = 1 if model is None else max(1, len(model.parameters))
    return int(np.clip(np.sqrt(WORK / parameters), SMALLEST, wanted))


def neuron_pictures(
    experiment: Experiment, plane: Plane, columns: list[Column], resolution: int = 24
) -> Iterator[list[str]]:
    """Yield for each column of the diagram a picture of each neuron that is drawn on its own.

    The picture is what the neuron computes at every point: blue above 0, orange below, the stronger
    the larger beside its other values. The outputs of classes have the colours of these. Columns
    that are no neurons have no pictures.
    """
    model = experiment.model
    assert model is not None
    resolution = resolution_for(experiment, resolution)
    inputs = experiment.inputs_of(plane.grid(resolution))
    with last_pass_kept(model), single_thread(), np.errstate(all="ignore"):
        outputs = [np.asarray(inputs, model.dtype), *model.leaf_outputs(inputs)]
    for column in columns:
        values = outputs[column.last + 1]
        if values.ndim != 2 or values.shape[1] != column.neurons:
            yield []
            continue
        shown = values[:, list(column.shown)]
        names = experiment.split.train.class_names
        is_output = column is columns[-1] and names is not None and len(names) == column.neurons
        picture = of_classes(shown) if is_output else signed(shown)
        yield [picture_url(picture[:, neuron], resolution) for neuron in range(len(column.shown))]


def background(experiment: Experiment, plane: Plane, resolution: int = 90) -> str:
    """Return the picture of the predictions at every point, as ``plots.decision_boundary`` has it.

    Where the model predicts values, it is blue above 0 and orange below.
    """
    model = experiment.model
    assert model is not None
    resolution = resolution_for(experiment, resolution)
    inputs = experiment.inputs_of(plane.grid(resolution))
    with single_thread(), np.errstate(all="ignore"):
        if experiment.split.train.has_classes:
            return picture_url((255 * shades_of(model, inputs)).astype(np.uint8), resolution)
        with last_pass_kept(model):
            values = model.predict(inputs)
        largest = float(np.abs(experiment.split.train.y).max(initial=0)) or 1.0
        return picture_url(signed(values[:, :1], largest)[:, 0], resolution)


def curve(experiment: Experiment, plane: Plane, resolution: int = 120) -> tuple[Array, Array]:
    """Return places along the only column of the data, and the values predicted there."""
    model = experiment.model
    assert model is not None
    grid = plane.grid(resolution)
    with last_pass_kept(model), np.errstate(all="ignore"):
        return grid[:, plane.axes[0]], model.predict(experiment.inputs_of(grid))[:, 0]


def signed(values: Array, largest: float | None = None) -> Array:
    """Return a colour ``(..., 3)`` for each value: white for 0, the darkest for the largest.

    Without ``largest`` that is the largest of each column. What is not finite is grey.
    """
    known = np.isfinite(values)
    values = np.where(known, values, 0.0)
    top = np.abs(values).max(axis=0, initial=0) if largest is None else np.float64(largest)
    strength = np.clip(np.abs(values) / np.where(top > 0, top, 1), 0, 1)[..., np.newaxis]
    colour = np.where(values[..., np.newaxis] >= 0, _rgb(POSITIVE), _rgb(NEGATIVE))
    mixed = 255 - 0.85 * strength * (255 - colour)
    return np.where(known[..., np.newaxis], mixed, 200).astype(np.uint8)


def of_classes(outputs: Array) -> Array:
    """Return the colour of its class for each output: white for 0, the darkest for 1."""
    places = np.arange(outputs.shape[1]) % len(COLOURS)
    palette = np.array([_rgb(COLOURS[place]) for place in places])
    strength = np.clip(np.nan_to_num(outputs), 0, 1)[..., np.newaxis]
    return np.asarray(255 - 0.85 * strength * (255 - palette)).astype(np.uint8)


def picture_url(colours: Array, width: int) -> str:
    """Return pixels ``(pixels, 3)``, row by row, as the address of a picture that holds itself."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(colours.reshape(-1, width, 3)).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _rgb(colour: str) -> Array:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
