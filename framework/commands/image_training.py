"""How the command line trains a network on images, and varies these from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from datasets import one_hot_encode
from framework import (
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Flatten,
    History,
    Model,
    Operation,
    Reshape,
    Scale,
    Sigmoid,
    Training,
)
from framework.commands.options import finalize
from framework.utils import rng
from optimizers import Optimizer
from optimizers.arrays import Array

CLASSES = 10


@dataclass(frozen=True)
class Network:
    """A network for the images of one data set, and its training settings.

    Attributes:
        about: one line about it, for the help text.
        layers: returns new operations, in order, for samples of the shape ``takes``.
        optimizer: returns a new optimizer, given the steps of the training and of an epoch.
        epochs: the number of epochs.
        batch_size: the samples of a batch; None takes all.
        takes: the shape that the layers take each image in; as one row by default.
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
    takes: tuple[int, ...] = (-1,)
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

    def inputs(self, images: Array) -> Array:
        """Return images as the layers take them, without a copy."""
        return images.reshape(len(images), *self.takes)

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
            self.inputs(images),
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
        shaping = Flatten() if self.takes == (-1,) else Reshape(self.takes)
        complete = Model([Scale((high - low) / 255, low), shaping, *model.layers])
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


def targets(model: Model, labels: Array) -> Array:
    """Return ``labels`` in the form for the loss of ``model``: one-hot for sigmoids."""
    return one_hot_encode(labels, CLASSES) if _has_sigmoids(model) else labels


def _has_sigmoids(model: Model) -> bool:
    """Whether the outputs are independent sigmoids, not one softmax."""
    return isinstance(model.layers[-1], Sigmoid)
