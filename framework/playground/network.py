"""The model of an experiment, made of its settings."""

from __future__ import annotations

import itertools
import time
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np

from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, RegressionAccuracy
from framework.inspection.probe import probe_of
from framework.layers import BatchNormalization, Dense, Dropout, Normalization
from framework.model import Model
from framework.playground.features import inputs_of
from framework.playground.points import Points
from framework.playground.settings import (
    ACTIVATIONS,
    CLASS_LOSSES,
    OPTIMIZERS,
    VALUE_LOSSES,
    LayerSettings,
    NetworkSettings,
    Settings,
    TrainingSettings,
)
from framework.utils import rng
from optimizers import Optimizer
from optimizers.arrays import Array
from optimizers.schedules import CosineDecay, ExponentialDecay, LinearWarmup, StepDecay

MOST_PARAMETERS = 10**6
LONGEST_BATCH = 1.0  # seconds
MEASURED_SAMPLES = 64


def loss_for(name: str, points: Points) -> str:
    """Return the name of the loss, if it fits the points; the usual one for "auto".

    Raises ValueError if it does not fit, or there is nothing to tell apart.
    """
    if points.has_classes and len(points.class_names or ()) < 2:
        raise ValueError("all points have the same class: a network needs two to tell apart")
    if name == "auto":
        return "categorical_crossentropy" if points.has_classes else "mean_squared_error"
    fitting = CLASS_LOSSES if points.has_classes else VALUE_LOSSES
    if name not in fitting:
        kind = "classes" if points.has_classes else "values"
        raise ValueError(f"{name} does not fit points with {kind}: choose {', '.join(fitting)}")
    if name == "binary_crossentropy" and len(points.class_names or ()) != 2:
        raise ValueError(
            f"binary_crossentropy is for 2 classes, these points have "
            f"{len(points.class_names or ())}: choose categorical_crossentropy"
        )
    return name


def operations_for(settings: NetworkSettings, points: Points) -> list[Any]:
    """Return the operations of the network; initial weights are drawn from the generator.

    Raises ValueError for a loss that does not fit, or for more than a million parameters.
    """
    loss = loss_for(settings.loss, points)
    width = inputs_of(points.X[:1], settings.features).shape[1]
    single = loss != "categorical_crossentropy"
    outputs = 1 if single else len(points.class_names or ())
    _check_size([width, *(layer.neurons for layer in settings.layers), outputs])
    operations: list[Any] = []
    if _is_unscaled(points.X):
        operations.append(Normalization(width))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a column that is constant stays at 0
            operations[0].adapt(inputs_of(points.X, settings.features))
    for layer in settings.layers:
        operations += _layer(layer, width)
        width = layer.neurons
    last = CLASS_LOSSES[loss][1]() if points.has_classes else None
    initializer = last.preferred_initializer if last is not None else "glorot_uniform"
    operations.append(Dense(width, outputs, weight_initializer=initializer))
    return operations if last is None else [*operations, last]


def optimizer_for(settings: TrainingSettings) -> Optimizer:
    """Return a new optimizer."""
    arguments: dict[str, Any] = {"decay": settings.decay}
    if settings.optimizer == "sgd":
        arguments["momentum"] = settings.momentum
    return OPTIMIZERS[settings.optimizer](rate_for(settings), **arguments)


def rate_for(settings: TrainingSettings) -> Any:
    """Return the learning rate, or the schedule of it."""
    rate, steps = settings.learning_rate, settings.schedule_steps
    schedules: dict[str, Any] = {
        "constant": lambda: rate,
        "step": lambda: StepDecay(rate, every=steps),
        "exponential": lambda: ExponentialDecay(rate, every=steps),
        "cosine": lambda: CosineDecay(rate, steps=steps),
        "warmup": lambda: LinearWarmup(steps, then=rate),
    }
    return schedules[settings.schedule]()


def model_for(settings: Settings, points: Points, generator: np.random.Generator) -> Model:
    """Return a new model, finalized, with loss, optimizer and accuracy.

    Args:
        points: those that are trained on.
        generator: initial weights are drawn from it.

    Raises ValueError for a network that is too large, or a batch that takes too long.
    """
    with rng.use_generator(generator):
        model = Model(operations_for(settings.network, points))
    loss = loss_for(settings.network.loss, points)
    losses: dict[str, Any] = {name: cls for name, (cls, _) in CLASS_LOSSES.items()} | VALUE_LOSSES
    model.set(
        loss=losses[loss](),
        optimizer=optimizer_for(settings.training),
        accuracy=accuracy_for(loss),
    )
    model.finalize()
    check_duration(model, points, settings)
    return model


def accelerate(model: Model) -> None:
    """Let compiled code take the steps of ``model``; one that has no kernels trains as it is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="accelerated=True changes nothing")
        model.finalize(accelerated=True)


def accuracy_for(loss: str) -> Any:
    """Return the accuracy that suits a loss."""
    if loss in VALUE_LOSSES:
        return RegressionAccuracy()
    return BinaryAccuracy() if loss == "binary_crossentropy" else CategoricalAccuracy()


def can_be_accelerated() -> bool:
    """Whether there is a compiler for whole steps."""
    return find_spec("numba") is not None


def check_duration(model: Model, points: Points, settings: Settings) -> None:
    """Raise ValueError if the step of a batch takes more than a second.

    A step of a few samples is measured, on a copy, and says how long one of more would take.
    """
    samples = min(settings.training.batch_size, len(points))
    measured = min(MEASURED_SAMPLES, samples)
    X, y = inputs_of(points.X[:measured], settings.network.features), points.y[:measured]
    probe = probe_of(model)
    with rng.preserve_rng(), np.errstate(all="ignore"):
        started = time.perf_counter()
        probe.calculate_loss(X, y)
        probe.backward(y)
        seconds = (time.perf_counter() - started) * samples / measured
    if seconds > LONGEST_BATCH:
        allowed = max(1, int(samples * LONGEST_BATCH / seconds))
        raise ValueError(
            f"a batch of {samples:,} samples takes about {seconds:.1f} seconds with this network; "
            f"up to {LONGEST_BATCH:g} second is possible: a batch of {allowed:,}, or a smaller "
            "network"
        )


def _layer(layer: LayerSettings, width: int) -> list[Any]:
    activation: Any = ACTIVATIONS[layer.activation].for_features(layer.neurons)
    initializer = layer.initializer
    if initializer == "auto":
        initializer = activation.preferred_initializer
    found: list[Any] = [
        Dense(
            width,
            layer.neurons,
            weight_initializer=initializer,
            weight_regularizer_l1=layer.l1,
            weight_regularizer_l2=layer.l2,
        )
    ]
    if layer.batch_normalization:
        found.append(BatchNormalization(layer.neurons))
    found.append(activation)
    if layer.dropout:
        found.append(Dropout(layer.dropout))
    return found


def _check_size(widths: list[int]) -> None:
    parameters = sum((n + 1) * m for n, m in itertools.pairwise(widths))
    if parameters > MOST_PARAMETERS:
        raise ValueError(
            f"a network of {parameters:,} parameters is too large: up to {MOST_PARAMETERS:,} are "
            "possible, so take fewer neurons or layers"
        )


def _is_unscaled(X: Array) -> bool:
    """Whether columns are so large, or so far from 0, that a network would learn badly."""
    return bool((np.abs(X).max(axis=0) > 3).any())
