"""What an experiment of the playground is made of, as plain values that can be checked and sent."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, get_args, get_type_hints

import optimizers
from framework import activations, initializers, losses
from framework.activations import Activation
from framework.checks import check_fraction, check_non_negative, check_positive
from framework.containers.head import FUSED
from framework.losses import FusedLoss, Loss
from framework.playground.features import FEATURES
from framework.playground.sources import SOURCES
from framework.utils.exports import exported, snake_case
from optimizers import Optimizer
from optimizers.checks import check_count

ACTIVATIONS: dict[str, type[Activation]] = {
    name: cls for name, cls in exported(activations, Activation).items() if cls.differentiable
}
OPTIMIZERS: dict[str, type[Optimizer]] = exported(optimizers, Optimizer)
# Each with the activation that gives what it compares.
CLASS_LOSSES: dict[str, tuple[type[Loss], type[Activation]]] = {
    snake_case(loss.__name__): (loss, activation) for activation, loss, _ in FUSED
}
VALUE_LOSSES: dict[str, type[Loss]] = {
    name: cls for name, cls in exported(losses, Loss, FusedLoss).items() if cls.regression
}
SCHEDULES = ("constant", "step", "exponential", "cosine", "warmup")
# By the name "auto", the initializer is the one that suits the activation.
INITIALIZERS = ("auto", *initializers.BY_NAME)

Any_settings = TypeVar("Any_settings", bound="Values")


@dataclass(frozen=True)
class Values:
    """Base class: values of the types that are declared, each within its range."""

    def changed(self: Any_settings, **changes: Any) -> Any_settings:
        """Return a copy with other values. Raises TypeError or ValueError for a wrong one."""
        return dataclasses.replace(self, **changes).checked()

    def checked(self: Any_settings) -> Any_settings:
        """Return the settings, if every value is possible, else raise TypeError or ValueError."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the values by name, as JSON can hold them; those at their defaults left out."""
        default = type(self)()
        return {
            one.name: _plain(getattr(self, one.name))
            for one in fields(self)
            if getattr(self, one.name) != getattr(default, one.name)
        }

    @classmethod
    def from_dict(cls: type[Any_settings], values: Any) -> Any_settings:
        """Return the settings that ``to_dict`` returned. The values are not trusted.

        Raises TypeError or ValueError for anything else.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"{cls.__name__} must be values by name, received {values!r:.60}")
        hints = get_type_hints(cls)
        if unknown := set(values) - set(hints):
            raise ValueError(f"{cls.__name__} has no {', '.join(map(repr, sorted(unknown)))}")
        return cls(**{name: _read(hints[name], value) for name, value in values.items()}).checked()


@dataclass(frozen=True)
class DataSettings(Values):
    """Which points: a generated set, or points of one's own.

    Attributes:
        source: a name of ``SOURCES``, or "own".
        classes: for the sets that can have several numbers of them.
        samples: points of each class.
        noise: the standard deviation of what is added to coordinates, or to values.
        test_percent: the share of the points that is only tested on.
        seed: decides the points.
    """

    source: str = "spiral"
    classes: int = 3
    samples: int = 200
    noise: float = 0.0
    test_percent: int = 20
    seed: int = 0

    def checked(self) -> DataSettings:
        _one_of("source", self.source, (*SOURCES, "own"))
        _within("classes", self.classes, 2, 6)
        _within("samples", self.samples, 5, 2000)
        if check_non_negative("noise", self.noise) > 1:
            raise ValueError(f"noise must be at most 1, received {self.noise:g}")
        _within("test_percent", self.test_percent, 0, 90)
        _within("seed", self.seed, 0, 2**32 - 1)
        return self


@dataclass(frozen=True)
class LayerSettings(Values):
    """A hidden layer: Dense, BatchNormalization, an activation and Dropout, in this order."""

    neurons: int = 8
    activation: str = "relu"
    batch_normalization: bool = False
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    initializer: str = "auto"

    def checked(self) -> LayerSettings:
        _within("neurons", self.neurons, 1, 10**6)
        _one_of("activation", self.activation, ACTIVATIONS)
        check_fraction("dropout", self.dropout)
        check_non_negative("l1", self.l1)
        check_non_negative("l2", self.l2)
        _one_of("initializer", self.initializer, INITIALIZERS)
        return self


@dataclass(frozen=True)
class NetworkSettings(Values):
    """The features that go in, the hidden layers, and the loss.

    Attributes:
        features: of points in the plane, some of ``FEATURES``; data of another number of columns
            go in as they are.
        layers: the hidden ones; the last layer follows from the data and the loss.
        loss: a name of ``CLASS_LOSSES`` or ``VALUE_LOSSES``; "auto" for the one that fits the data.
        seed: decides the initial weights, the order of the samples and what dropout drops.
    """

    features: tuple[str, ...] = ("x", "y")
    layers: tuple[LayerSettings, ...] = (LayerSettings(), LayerSettings())
    loss: str = "auto"
    seed: int = 0

    def checked(self) -> NetworkSettings:
        if not self.features:
            raise ValueError("a network needs at least one input")
        for feature in self.features:
            _one_of("a feature", feature, FEATURES)
        if len(set(self.features)) < len(self.features):
            raise ValueError("each feature can go in once")
        for layer in self.layers:
            layer.checked()
        _one_of("loss", self.loss, ("auto", *CLASS_LOSSES, *VALUE_LOSSES))
        _within("seed", self.seed, 0, 2**32 - 1)
        return self


@dataclass(frozen=True)
class TrainingSettings(Values):
    """The optimizer with its rate and its schedule, and the size of a batch.

    Attributes:
        schedule: one of ``SCHEDULES``; all but "constant" need ``schedule_steps``.
        momentum: of SGD; the others have their own.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.02
    decay: float = 0.0
    momentum: float = 0.0
    schedule: str = "constant"
    schedule_steps: int = 1000
    batch_size: int = 32

    def checked(self) -> TrainingSettings:
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        check_positive("learning_rate", self.learning_rate)
        check_non_negative("decay", self.decay)
        check_fraction("momentum", self.momentum)
        _one_of("schedule", self.schedule, SCHEDULES)
        _within("schedule_steps", self.schedule_steps, 1, 10**9)
        _within("batch_size", self.batch_size, 1, 10**6)
        return self


@dataclass(frozen=True)
class Settings(Values):
    """A whole experiment, but for points of one's own."""

    data: DataSettings = DataSettings()
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()

    def checked(self) -> Settings:
        for part in (self.data, self.network, self.training):
            part.checked()
        return self


def _one_of(name: str, value: Any, known: Any) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, received {value!r:.60}")


def _within(name: str, value: int, low: int, high: int) -> None:
    if check_count(name, value, low) > high:
        raise ValueError(f"{name} must be at most {high:,}, received {value:,}")


def _plain(value: Any) -> Any:
    if isinstance(value, Values):
        return value.to_dict()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _read(kind: Any, value: Any) -> Any:
    """Return ``value`` as ``kind``, the type that was declared."""
    if isinstance(kind, type) and issubclass(kind, Values):
        return kind.from_dict(value)
    if isinstance(kind, types.GenericAlias):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"expected a list, received {value!r:.60}")
        return tuple(_read(get_args(kind)[0], one) for one in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, received {value!r:.60}")
    return value
