"""An experiment: points, a network, its training and what one can go back to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.model import Model
from framework.playground.features import inputs_of
from framework.playground.network import model_for
from framework.playground.points import Points, Split, split_of
from framework.playground.run import Run
from framework.playground.settings import Settings
from framework.playground.timeline import Timeline
from optimizers.arrays import Array

NO_POINTS = "there are no points to train on: draw some, or choose a set"


@dataclass(frozen=True)
class Given:
    """A model of the user's own, with its data: see ``show``.

    Attributes:
        model: finalized, with loss and optimizer.
        y: the targets, as the loss takes them.
        points: the same data as points.
        validation: further ``(X, y)`` to measure after each epoch, or None.
    """

    model: Model
    y: Array
    points: Points
    validation: tuple[Array, Array] | None = None


class Experiment:
    """What settings make: points, a model, its training, and the timeline of that.

    Args:
        settings: of the data, the network and the training; those of the network and the optimizer
            do not count for a given model.
        own: points of one's own, in place of generated ones.
        given: a model and its data, in place of all that.

    Attributes:
        run, timeline: None while there are no points to train on.
        rates: the learning rates in use, each with the epoch after which it began to count.

    Raises:
        ValueError: a loss that does not fit the points, a network that is too large, or a batch
            that takes too long.
    """

    def __init__(
        self,
        settings: Settings,
        own: Points | None = None,
        given: Given | None = None,
    ) -> None:
        self.settings, self.own, self.given = settings, own, given
        self.rates: list[tuple[int, float]] = [(0, settings.training.learning_rate)]
        self.run: Run | None = None
        self.timeline: Timeline | None = None
        if given is not None:
            self.split = _split_of_given(given)
            self._begin_given(given)
        else:
            self.split = split_of(settings.data, own)
            if len(self.split.train):
                self._begin()

    @property
    def model(self) -> Model | None:
        """The model, or None while there are no points."""
        return self.run.model if self.run is not None else None

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what goes into the network."""
        points = self.split.train
        is_made = points.in_plane and self.given is None
        return self.settings.network.features if is_made else points.columns

    def inputs_of(self, X: Array) -> Array:
        """Return the inputs of the network for points."""
        return X if self.given is not None else inputs_of(X, self.features)

    @property
    def is_new(self) -> bool:
        """Whether it was made from settings and has not been trained, nor can go back or forth."""
        timeline = self.timeline
        return self.given is None and timeline is not None and timeline.is_new

    @property
    def is_accelerated(self) -> bool:
        """Whether compiled code takes the steps."""
        return self.model is not None and self.model.trainer is not None

    def set_learning_rate(self, rate: float) -> None:
        """Use another learning rate from the next epoch on; what comes after now is left."""
        if self.run is None or self.timeline is None:
            return
        self.leave_future()
        begins = self.run.epoch + (self.run.batch > 0)
        self.rates = [*(one for one in self.rates if one[0] < begins), (begins, rate)]
        self.run.set_learning_rate(rate)
        self.timeline.renew()

    def learning_rate(self) -> float | None:
        """Return the rate that counts at the present moment; None where it is a schedule."""
        now = 0 if self.run is None else self.run.epoch
        return next((rate for begins, rate in reversed(self.rates) if begins <= now), None)

    def leave_future(self) -> None:
        """Forget what comes after the present moment, before training goes on from it."""
        if self.run is None or self.timeline is None or self.timeline.position is None:
            return
        self.timeline.leave()
        self.rates = [one for one in self.rates if one[0] <= self.run.epoch]

    def compare_with(self, before: Experiment) -> None:
        """Take over the curves of the experiment before this one."""
        if self.timeline is not None and before.timeline is not None:
            self.timeline.take_over(before.timeline)

    def _begin(self) -> None:
        settings = self.settings
        generator = np.random.default_rng(settings.network.seed)
        model = model_for(settings, self.split.train, generator)
        test = self.split.test
        validation = (self.inputs_of(test.X), test.y) if len(test) else None
        data = self.inputs_of(self.split.train.X), self.split.train.y
        self.run = Run(model, data, validation, settings.training.batch_size, generator)
        self.timeline = Timeline(self.run)

    def _begin_given(self, given: Given) -> None:
        size = self.settings.training.batch_size
        generator = np.random.default_rng(self.settings.network.seed)
        data = given.points.X, given.y
        self.run = Run(given.model, data, given.validation, size, generator)
        self.timeline = Timeline(self.run)
        rate = getattr(given.model.optimizer, "learning_rate", None)
        self.rates = [(0, rate)] if isinstance(rate, float) else []


def given_points(model: Model, X: ArrayLike, y: ArrayLike) -> tuple[Points, Array]:
    """Return data as points, and their targets as the loss of ``model`` takes them.

    Raises RuntimeError before ``set`` and ``finalize``, TypeError or ValueError for data that do
    not fit the model, or are no rows of numbers.
    """
    columns: Any = getattr(X, "columns", None)  # of a dataframe
    checked, targets = model.check_data(X, y)
    if checked.ndim != 2:
        raise ValueError(
            f"the playground shows rows of numbers, X of shape (samples, features), received "
            f"{checked.shape}"
        )
    width = checked.shape[1]
    named = columns is not None and len(columns) == width
    names = tuple(map(str, columns)) if named else _columns(width)
    rows = np.asarray(checked, np.float64)
    if getattr(model.loss, "regression", False):
        values = np.asarray(targets, np.float64).reshape(len(rows), -1)
        return Points(rows, values, names, None), targets
    classes = targets.argmax(axis=1) if targets.ndim == 2 and targets.shape[1] > 1 else targets
    classes = np.asarray(classes).reshape(len(rows), -1)[:, 0].astype(np.intp)
    count = max(int(classes.max()) + 1, 2, len(model.class_names or ()))
    class_names = model.class_names or [str(i) for i in range(count)]
    return Points(rows, classes, names, tuple(class_names)), targets


def _columns(width: int) -> tuple[str, ...]:
    return ("x", "y")[:width] if width <= 2 else tuple(f"column {i + 1}" for i in range(width))


def _split_of_given(given: Given) -> Split:
    train, test = given.points, given.points.take(np.arange(0))
    if given.validation is not None:
        test, _ = given_points(given.model, *given.validation)
    return Split(train, test)
