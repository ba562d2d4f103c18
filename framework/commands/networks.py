"""The networks for images that the command line trains, and their training settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from datasets import one_hot_encode
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    History,
    Model,
    Operation,
    ReLU,
    Scale,
    Sigmoid,
    Softmax,
    Training,
    initializers,
)
from framework.commands.options import finalize
from framework.utils import rng
from optimizers import SGD, Adam, AdamW, Optimizer
from optimizers.arrays import Array
from optimizers.schedules import CosineDecay, LinearWarmup

CLASSES = 10
SMALL = initializers.normal(0.01)


@dataclass(frozen=True)
class Network:
    """A network for the images of one data set, and its training settings.

    Attributes:
        about: one line about it, for the help text.
        layers: returns new operations, in order; they take each image as one row.
        optimizer: returns a new optimizer, given the steps of the training and of an epoch.
        epochs: the number of epochs.
        batch_size: the samples of a batch; None takes all.
        scale: the range that 0…255 is mapped to.
        shift, mirror: the random changes of the training images: see ``varied``.
        smoothing: label smoothing: the share of each target that is spread over all classes,
            against overconfidence.
    """

    about: str
    layers: Callable[[], list[Operation]]
    optimizer: Callable[[int, int], Optimizer]
    epochs: int
    batch_size: int | None
    scale: tuple[float, float] = (0, 1)
    shift: int = 0
    mirror: bool = False
    smoothing: float = 0.0

    def model(self, samples: int, epochs: int, *, accelerated: bool | None = False) -> Model:
        """Return the finalized model, for a training on ``samples`` images.

        ``accelerated`` is as for ``framework.commands.options.finalize``.
        """
        batches = math.ceil(samples / (self.batch_size or samples))
        model = Model(self.layers())
        model.set(
            loss=BinaryCrossentropy() if _has_sigmoids(model) else CategoricalCrossentropy(),
            optimizer=self.optimizer(epochs * batches, batches),
            accuracy=CategoricalAccuracy(),
        )
        finalize(model, accelerated)
        return model

    def train(
        self, model: Model, images: Array, labels: Array, epochs: int, **options: Any
    ) -> History:
        """Train ``model`` on scaled ``images`` ``(samples, height, width, ...)``.

        ``labels`` are ``(samples,)``; the other arguments are those of ``Model.train``.
        """
        callbacks = []
        if self.shift or self.mirror:
            # In C order and of the model's dtype, so that neither reshaping nor Model.train
            # copies them: the model has to see the images that are filled in later.
            originals, images = images, np.array(images, dtype=model.dtype, order="C")
            callbacks = [Variations(originals, images, self.shift, self.mirror)]
        y = targets(model, labels)
        if self.smoothing:
            y = (1 - self.smoothing) * one_hot_encode(labels, CLASSES) + self.smoothing / CLASSES
        return model.train(
            rows(images),
            y,
            epochs=epochs,
            batch_size=self.batch_size,
            callbacks=callbacks,
            **options,
        )

    def for_images(self, model: Model, shape: tuple[int, ...]) -> Model:
        """Return a model with the layers of the trained ``model`` that takes unscaled images.

        It takes bytes ``(samples, *shape)`` and scales them. ``model`` cannot be used afterwards.
        """
        low, high = self.scale
        complete = Model([Scale((high - low) / 255, low), Flatten(), *model.layers])
        complete.set(loss=model.loss, optimizer=model.optimizer, accuracy=model.accuracy)
        complete.finalize()
        complete.input_shape = shape
        return complete


class Variations(Callback):
    """Changes the training images at random in each epoch: see ``varied``.

    Args:
        originals: the images, ``(samples, height, width, ...)``.
        shown: the array that the model trains on, filled again for each epoch. It must not be
            copied: ``Model.train`` does not copy data of the model's dtype.
        shift, mirror: see ``varied``.
    """

    AT_ONCE = 4096

    def __init__(self, originals: Array, shown: Array, shift: int, mirror: bool) -> None:
        self.originals, self.shown = originals, shown
        self.shift, self.mirror = shift, mirror

    def on_train_begin(self, training: Training) -> None:
        self._fill()

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch < training.epochs:
            self._fill()

    def _fill(self) -> None:
        for start in range(0, len(self.shown), self.AT_ONCE):
            chosen = slice(start, start + self.AT_ONCE)
            self.shown[chosen] = varied(self.originals[chosen], self.shift, self.mirror)


def varied(images: Array, shift: int, mirror: bool) -> Array:
    """Return images moved by up to ``shift`` pixels and, if ``mirror``, half of them mirrored.

    Shapes: ``(samples, height, width)`` or ``(samples, height, width, channels)``.
    """
    generator = rng.generator()
    samples, height, width = images.shape[:3]
    if shift:
        margins = [(0, 0), (shift, shift), (shift, shift), (0, 0)][: images.ndim]
        padded = np.pad(images, margins, mode="edge")
        # windows[sample, down, right] is the image moved by that much, channels first.
        windows = sliding_window_view(padded, (height, width), axis=(1, 2))
        down, right = generator.integers(0, 2 * shift + 1, size=(2, samples))
        images = windows[np.arange(samples), down, right]
        images = np.moveaxis(images, 1, -1) if images.ndim == 4 else images
    if mirror:
        mirrored = generator.random(samples) < 0.5
        images = images.copy()
        images[mirrored] = images[mirrored, :, ::-1]
    return images


def rows(images: Array) -> Array:
    """Return images reshaped to rows, without a copy."""
    return images.reshape(len(images), -1)


def targets(model: Model, labels: Array) -> Array:
    """Return ``labels`` in the form for the loss of ``model``: one-hot for sigmoids."""
    return one_hot_encode(labels, CLASSES) if _has_sigmoids(model) else labels


def _has_sigmoids(model: Model) -> bool:
    """Whether the outputs are independent sigmoids, not one softmax."""
    return isinstance(model.layers[-1], Sigmoid)


def _dense_relu(sizes: Sequence[int], dropout: float | None = None) -> list[Operation]:
    """Return dense layers of these sizes with ReLU; with dropout, also batch normalization."""
    layers: list[Operation] = []
    for inputs, neurons in pairwise(sizes):
        layers.append(Dense(inputs, neurons, weight_initializer="he_normal"))
        if dropout is not None:
            layers.append(BatchNormalization(neurons))
        layers.append(ReLU())
        if dropout is not None:
            layers.append(Dropout(dropout))
    return layers


def _adam_w(rate: float, weight_decay: float) -> Callable[[int, int], Optimizer]:
    """Return a function for AdamW with a rate that rises for an epoch and falls along a cosine."""

    def optimizer(steps: int, batches: int) -> Optimizer:
        falling = CosineDecay(rate, max(1, steps - batches))
        return AdamW(LinearWarmup(batches, falling), weight_decay=weight_decay)

    return optimizer


def _best_layers(sizes: Sequence[int], dropout: float) -> Callable[[], list[Operation]]:
    return lambda: [*_dense_relu(sizes, dropout), Dense(sizes[-1], CLASSES), Softmax()]


def _descent_on_cifar10(activation: type[Operation]) -> Network:
    return Network(
        about=f"3072-64-10, {activation.__name__}, full-batch gradient descent at 0.01",
        layers=lambda: [
            Dense(3072, 64, weight_initializer=SMALL),
            activation(),
            Dense(64, CLASSES, weight_initializer=SMALL),
            Softmax(),
        ],
        optimizer=lambda steps, batches: SGD(0.01),
        epochs=1000,
        batch_size=None,
    )


# By the name of the command, then of the network; the first network is the default. The best ones
# were selected on validation images that were split off the training images:
# python -m benchmarks.best_networks trains them.
NETWORKS: dict[str, dict[str, Network]] = {
    "mnist": {
        "softmax": Network(
            about="784-128-64-10, ReLU and softmax, Adam",
            layers=lambda: [*_dense_relu([784, 128, 64]), Dense(64, CLASSES), Softmax()],
            optimizer=lambda steps, batches: Adam(CosineDecay(0.002, steps)),
            epochs=10,
            batch_size=64,
        ),
        "sigmoid": Network(
            about="784-64-10, ReLU and a sigmoid for each digit, Adam",
            layers=lambda: [*_dense_relu([784, 64]), Dense(64, CLASSES), Sigmoid()],
            optimizer=lambda steps, batches: Adam(),
            epochs=10,
            batch_size=32,
        ),
        "best": Network(
            about="784-512-512-10, batch normalization, dropout, AdamW, images moved about",
            layers=_best_layers([784, 512, 512], dropout=0.2),
            optimizer=_adam_w(0.002, weight_decay=0.02),
            epochs=30,
            batch_size=256,
            shift=2,
        ),
    },
    "fashion-mnist": {
        "book": Network(
            about="784-128-128-10, ReLU and softmax, Adam with decay, as in the book",
            layers=lambda: [*_dense_relu([784, 128, 128]), Dense(128, CLASSES), Softmax()],
            optimizer=lambda steps, batches: Adam(decay=1e-3),
            epochs=10,
            batch_size=128,
            scale=(-1, 1),
        ),
        "best": Network(
            about="784-1024-512-10, batch normalization, dropout, AdamW, images mirrored, "
            "targets smoothed",
            layers=_best_layers([784, 1024, 512], dropout=0.4),
            optimizer=_adam_w(0.002, weight_decay=0.1),
            epochs=40,
            batch_size=256,
            mirror=True,
            smoothing=0.1,
        ),
    },
    "cifar10": {
        "best": Network(
            about="3072-512-256-10, batch normalization, dropout, AdamW, images moved and mirrored",
            layers=_best_layers([3072, 512, 256], dropout=0.1),
            optimizer=_adam_w(0.002, weight_decay=0.3),
            epochs=100,
            batch_size=128,
            scale=(-2, 2),  # about the mean and the variance of standardized images
            shift=3,
            mirror=True,
        ),
        "relu": _descent_on_cifar10(ReLU),
        "sigmoid": _descent_on_cifar10(Sigmoid),
    },
}
