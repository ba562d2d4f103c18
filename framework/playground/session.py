"""What one window of the playground does: the verbs of the page, without the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from framework.errors import DivergenceError
from framework.playground.compiler import Compiler
from framework.playground.experiment import NO_POINTS, Experiment, Given
from framework.playground.features import FEATURES
from framework.playground.network import accelerate
from framework.playground.plane import Plane, plane_of
from framework.playground.points import Points, is_for_testing
from framework.playground.settings import DataSettings, LayerSettings, Settings

# How far training goes from one picture to the next. A slice ends after 30 ms, and so at the latest
# after 50, as a call of small batches that has begun takes another 10.
SLICE = 0.03
SPEEDS: dict[str, dict[str, float]] = {
    "1 batch": {"batches": 1},
    "1 epoch": {"epochs": 1},
    "5 epochs": {"epochs": 5},
    "full speed": {},
}
MOST_DRAWN, MOST_CLASSES = 2000, 8


class Session:
    """An experiment, and what is done with it.

    Every method that changes something raises ValueError, or TypeError, for what is not possible;
    nothing has changed then.

    Attributes:
        experiment: what the present settings make.
        playing: whether training goes on.
        ends_at: the epoch after which it stops by itself; None if it does not.
        speed: a name of ``SPEEDS``.
        message: what stopped the training, in words; empty if nothing did.
        shown: the two columns that the plane shows, of points with more.
        plane: what is shown of it.
        compiler: compiles the steps of its networks; None for plain NumPy.
        own: points of one's own, kept while a generated set is in use; None before there are any.
        opened: the columns of the diagram that are drawn whole.
        version: counts the changes, so that a page knows when to draw anew.
        structure: counts the changes of points and network, after which everything is drawn anew.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        own: Points | None = None,
        given: Given | None = None,
        compiler: Compiler | None = None,
    ) -> None:
        self.playing, self.speed, self.message = False, "5 epochs", ""
        self.ends_at: int | None = None
        self.shown = (0, 1)
        self.opened: set[int] = set()
        self.version = self.structure = 0
        self.own, self.compiler = own, compiler
        if settings is None:
            settings = Settings(DataSettings() if own is None else DataSettings("own"))
        self.experiment = Experiment(settings, own, given)
        self.plane = self._fitting_plane()
        self._accelerate()

    @property
    def settings(self) -> Settings:
        return self.experiment.settings

    @property
    def pace(self) -> str:
        """What there is to say about how fast it trains; empty if nothing."""
        return "" if self.compiler is None else self.compiler.said_of(self.experiment)

    # Points

    def change_data(self, **changes: Any) -> None:
        """Change settings of the data, such as ``source`` or ``noise``; begin again."""
        data = self.settings.data.changed(**changes)
        if data.source == "own" and self.own is None:
            raise ValueError("there are no points of your own yet: draw some, or read a table")
        own = self.own if data.source == "own" else None
        self._begin(dataclasses.replace(self.settings, data=data), own)

    def use_points(self, points: Points, plane: Plane | None = None) -> None:
        """Take points of one's own in place of generated ones; begin again.

        ``plane`` is to be shown; None for one that fits.
        """
        data = self.settings.data.changed(source="own")
        self._begin(dataclasses.replace(self.settings, data=data), points, plane)
        self.own = points

    def draw(self, places: list[tuple[float, float]], target: float) -> None:
        """Add points of a class, or with a value, at places in the plane.

        The places are shares of the sides of the plane, which stays as it is. Of points with one
        column and a value, the height of the place is the value.
        """
        points = self._points_to_draw_on()
        if len(points) + len(places) > MOST_DRAWN:
            raise ValueError(f"up to {MOST_DRAWN:,} points can be drawn")
        names = points.class_names
        if names is not None and not 0 <= target <= min(len(names), MOST_CLASSES - 1):
            raise ValueError(f"there is no class {target:g}, and at most {MOST_CLASSES} can be")
        axes, found = self.plane.axes, self.plane.at(np.array(places))
        rows = np.tile(self.plane.rest, (len(places), 1))
        rows[:, list(axes)] = found[:, : len(axes)]
        targets = np.full(len(rows), target)
        if names is None and len(axes) == 1:
            targets = found[:, 1]
        self.use_points(points.with_points(rows, targets), self.plane)

    def erase(self, places: list[tuple[float, float]], radius: float = 0.04) -> None:
        """Remove the points within ``radius`` of one of the places, as shares of the sides."""
        points, own = self._points_to_draw_on(), self.experiment.own
        tested = is_for_testing(len(points), 0 if own is None else self.settings.data.test_percent)
        order = np.argsort(tested, kind="stable")  # as they are drawn
        shown = np.empty((len(points), 2))
        shown[order] = self.plane.places(points.take(order))
        distances = [np.hypot(*(shown - place).T) for place in places]
        kept = np.min(distances, axis=0) > radius
        if not kept.all():
            self.use_points(points.take(kept), self.plane)

    def clear(self) -> None:
        """Remove all points. Of classes that were not one's own, two are left to draw."""
        points = self._points_to_draw_on().take(np.arange(0))
        if self.experiment.own is None and points.class_names is not None:
            points = dataclasses.replace(points, class_names=points.class_names[:2])
        self.use_points(points, self.plane)

    # Network

    def change_network(self, **changes: Any) -> None:
        """Change features, layers, loss or seed; begin again."""
        self._check_own_network()
        network = self.settings.network.changed(**changes)
        self._begin(dataclasses.replace(self.settings, network=network), self.experiment.own)

    def add_layer(self, place: int) -> None:
        """Add a layer before the one at ``place``, like the one before it."""
        layers = list(self.settings.network.layers)
        like = layers[max(0, place - 1)] if layers else LayerSettings()
        layers.insert(place, like)
        self.change_network(layers=tuple(layers))

    def remove_layer(self, place: int) -> None:
        """Remove the layer at ``place``."""
        layers = list(self.settings.network.layers)
        del layers[place]
        self.change_network(layers=tuple(layers))

    def move_layer(self, place: int, by: int) -> None:
        """Move the layer at ``place`` towards the outputs, or the inputs."""
        layers = list(self.settings.network.layers)
        layers.insert(min(max(place + by, 0), len(layers) - 1), layers.pop(place))
        self.change_network(layers=tuple(layers))

    def change_layer(self, place: int, **changes: Any) -> None:
        """Change settings of a layer, such as ``neurons`` or ``activation``; begin again."""
        layers = list(self.settings.network.layers)
        layers[place] = layers[place].changed(**changes)
        self.change_network(layers=tuple(layers))

    def toggle_feature(self, name: str) -> None:
        """Let a feature of points in the plane go in, or no longer."""
        features = self.settings.network.features
        chosen = {*features} ^ {name}
        self.change_network(features=tuple(one for one in FEATURES if one in chosen))

    # Training

    def change_training(self, **changes: Any) -> None:
        """Change settings of the training. All but a constant learning rate begin again."""
        training = self.settings.training.changed(**changes)
        settings = dataclasses.replace(self.settings, training=training)
        if set(changes) == {"learning_rate"} and training.schedule == "constant":
            self.experiment.settings = settings
            self.experiment.set_learning_rate(training.learning_rate)
            self._touch()
        elif self.experiment.given is not None and set(changes) != {"batch_size"}:
            raise ValueError("the optimizer of a model of one's own is changed in Python")
        else:
            self._begin(settings, self.experiment.own)

    def play(self) -> None:
        """Let training go on, from the moment that is shown."""
        if self.experiment.run is None:
            raise ValueError(NO_POINTS)
        self._accelerate()
        self.experiment.leave_future()
        self.playing, self.ends_at, self.message = True, None, ""
        self._touch()

    def pause(self) -> None:
        """Stop training."""
        self.playing = False
        self._touch()

    def one_batch(self) -> None:
        """Train on one batch, and pause."""
        self.playing = False
        self._advance(batches=1)

    def one_epoch(self, seconds: float = math.inf) -> None:
        """Train to the end of this epoch, and pause; if it takes longer, play up to there."""
        if self.playing and self.ends_at is not None:
            self.ends_at += 1  # asked for again before it has come to its end
            return
        run = self.experiment.run
        end = 0 if run is None else run.epoch + 1
        self.playing = False
        self._advance(epochs=1, seconds=seconds)
        if run is not None and run.epoch < end and not self.message:
            self.playing, self.ends_at = True, end

    def slice(
        self, seconds: float = SLICE, interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        """Train as far as ``speed`` says, but no longer than a moment, if it is playing.

        It ends earlier when ``interrupted`` returns True.
        """
        if self.playing:
            limits: dict[str, float] = {"epochs": 1} if self.ends_at else SPEEDS[self.speed]
            self._advance(seconds=min(seconds, SLICE), interrupted=interrupted, **limits)

    def restart(self, new: bool = False) -> None:
        """Begin again, from the same initial weights or from new ones."""
        run, timeline = self.experiment.run, self.experiment.timeline
        if run is not None and timeline is not None and (not new or self.experiment.given):
            if new:
                raise ValueError("new initial weights of a model of one's own are made in Python")
            timeline.go_to(0)
            self.experiment.leave_future()
            self._moved()
        elif new:
            self.change_network(seed=self.settings.network.seed + 1)

    def go_to(self, position: int) -> None:
        """Go back, or forward again, to a moment of the timeline."""
        if self.experiment.timeline is None:
            raise ValueError(NO_POINTS)
        self.playing = False
        self.experiment.timeline.go_to(position)
        self._moved()

    # What is shown

    def show_columns(self, first: int, second: int) -> None:
        """Show two other columns of points with more than two."""
        width = self.experiment.split.train.X.shape[1]
        if first == second or not (0 <= first < width and 0 <= second < width):
            raise ValueError(f"choose two different ones of the {width} columns")
        self.shown = (first, second)
        self.plane = self._fitting_plane()
        self.structure += 1
        self._touch()

    def open_column(self, column: int) -> None:
        """Draw a folded column of the diagram whole, or fold it again."""
        self.opened ^= {column}
        self.structure += 1
        self._touch()

    def _advance(self, **limits: Any) -> None:
        run = self.experiment.run
        if run is None:
            raise ValueError(NO_POINTS)
        self._accelerate()
        self.experiment.leave_future()
        self.message = ""
        try:
            run.advance(**limits)
        except DivergenceError as error:
            self.playing, self.message = False, str(error)
        if self.ends_at is not None and run.epoch >= self.ends_at:
            self.playing = False
        if not self.playing:
            self.ends_at = None
        self._touch()

    def _begin(self, settings: Settings, own: Points | None, plane: Plane | None = None) -> None:
        given = self.experiment.given
        if given is not None and (settings.data != self.settings.data or own is not None):
            raise ValueError("the data of a model of one's own are changed in Python")
        if settings.data.source != self.settings.data.source or own is not self.experiment.own:
            # The points may be of another kind.
            network = dataclasses.replace(settings.network, loss="auto")
            settings = dataclasses.replace(settings, network=network)
        if given is not None:
            self.restart()
        same_points = own is self.experiment.own and (own or settings.data == self.settings.data)
        experiment = Experiment(settings, own, given)
        experiment.compare_with(self.experiment)
        self.playing = self.playing and self.ends_at is None and experiment.run is not None
        self.experiment, self.message = experiment, ""
        self._accelerate()
        width = experiment.split.train.X.shape[1]
        if max(self.shown) >= width:
            self.shown = (0, 1)
        if not same_points:
            self.plane = plane or self._fitting_plane()
        self.structure += 1
        self._touch()

    def _accelerate(self) -> None:
        """Let compiled code take the steps, if there are none yet and it is at hand.

        A training is plain or compiled as a whole: the two round in other ways, and going back and
        on again, or the script, must come to the same numbers.
        """
        experiment = self.experiment
        if self.compiler is None or not experiment.is_new or experiment.is_accelerated:
            return
        if self.compiler.is_ready(experiment) and experiment.model is not None:
            accelerate(experiment.model)

    def _moved(self) -> None:
        """Take over the learning rate of the moment that the training was brought to."""
        self.playing = self.playing and self.ends_at is None
        rate = self.experiment.learning_rate()
        if isinstance(rate, float):
            training = dataclasses.replace(self.settings.training, learning_rate=rate)
            self.experiment.settings = dataclasses.replace(self.settings, training=training)
        self.message = ""
        self._touch()

    def _points_to_draw_on(self) -> Points:
        if self.experiment.given is not None:
            raise ValueError("the data of a model of one's own are changed in Python")
        if self.experiment.own is not None:
            return self.experiment.own
        return self.experiment.split.train.and_points(self.experiment.split.test)

    def _fitting_plane(self) -> Plane:
        split = self.experiment.split
        return plane_of(split.train.and_points(split.test), self.shown)

    def _check_own_network(self) -> None:
        if self.experiment.given is not None:
            raise ValueError("the layers of a model of one's own are changed in Python")

    def _touch(self) -> None:
        self.version += 1
