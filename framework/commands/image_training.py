"""How the command line trains a network on images, and changes these at random meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datasets import one_hot_encode
from framework import (
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Flatten,
    History,
    Model,
    Operation,
    Reshape,
    Scale,
    Sigmoid,
)
from framework.augmentation import Augmentation
from framework.commands.options import finalize
from framework.data.checks import Transform
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
        augmentation: the random changes of the training images.
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
    augmentation: Augmentation | None = None
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
        if -1 not in self.takes:
            model.input_shape = self.takes  # known before the data are, for the summary
        return model

    def inputs(self, images: Array) -> Array:
        """Return images as the layers take them, without a copy."""
        return images.reshape(len(images), *self.takes)

    def train(
        self, model: Model, images: Array, labels: Array, epochs: int, **options: Any
    ) -> History:
        """Train ``model`` on scaled ``images``, ``(samples, height, width[, channels])``.

        ``labels`` are ``(samples,)``; the other arguments are those of ``Model.train``.
        """
        y = targets(model, labels)
        if self.smoothing:
            y = (1 - self.smoothing) * one_hot_encode(labels, CLASSES) + self.smoothing / CLASSES
        return model.train(
            self.inputs(images),
            y,
            epochs=epochs,
            batch_size=self.batch_size,
            transform=self._transform(images.shape),
            **options,
        )

    def _transform(self, shape: tuple[int, ...]) -> Transform | None:
        """Return ``augmentation`` for batches of images of ``shape`` as the layers take them."""
        if self.augmentation is None:
            return None
        change = self.augmentation
        _, height, width, *channels = shape

        def changed(batch: Array, training: bool = True) -> Array:
            images = batch.reshape(-1, height, width, *(channels or [1]))
            return change(images, training).reshape(batch.shape)

        return changed

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


def targets(model: Model, labels: Array) -> Array:
    """Return ``labels`` in the form for the loss of ``model``: one-hot for sigmoids."""
    return one_hot_encode(labels, CLASSES) if _has_sigmoids(model) else labels


def _has_sigmoids(model: Model) -> bool:
    """Whether the outputs are independent sigmoids, not one softmax."""
    return isinstance(model.layers[-1], Sigmoid)
