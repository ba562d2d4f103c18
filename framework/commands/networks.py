"""The networks for images that the command line trains, and their training settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from framework import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Operation,
    ReLU,
    Sigmoid,
    Softmax,
    initializers,
)
from framework.augmentation import Compose, RandomFlip, RandomShift
from framework.commands.image_training import CLASSES, Network
from optimizers import SGD, Adam, AdamW, Optimizer
from optimizers.schedules import CosineDecay, LinearWarmup

SMALL = initializers.normal(0.01)


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


def _conv_relu(channels: int, filters: int, *, pool: bool) -> list[Operation]:
    """Return a convolution of 3 × 3 with batch normalization and ReLU, perhaps with pooling."""
    return [
        Conv2D(
            channels,
            filters,
            3,
            padding="same",
            use_bias=False,  # batch normalization takes the mean away, and has a shift
            weight_initializer="he_normal",
        ),
        # As early as can be: the others have a quarter to do then.
        *([MaxPooling2D(2)] if pool else []),
        BatchNormalization(filters),
        ReLU(),
    ]


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
            augmentation=RandomShift(2, fill="edge"),
        ),
        "cnn": Network(
            about="convolutions of 3 × 3 with 16, 32 and 64 filters, each with pooling, batch "
            "normalization and ReLU; dropout, AdamW, images moved about",
            layers=lambda: [
                *_conv_relu(1, 16, pool=True),
                *_conv_relu(16, 32, pool=True),
                *_conv_relu(32, 64, pool=True),
                Flatten(),
                Dropout(0.2),
                Dense(9 * 64, CLASSES),
                Softmax(),
            ],
            optimizer=_adam_w(0.004, weight_decay=0.02),
            epochs=18,
            batch_size=128,
            takes=(28, 28, 1),
            augmentation=RandomShift(2, fill="edge"),
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
            augmentation=RandomFlip(),
            smoothing=0.1,
        ),
        "cnn": Network(
            about="convolutions of 3 × 3 with 32, 64 and 128 filters, each with pooling, batch "
            "normalization and ReLU; dropout, AdamW, images mirrored",
            layers=lambda: [
                *_conv_relu(1, 32, pool=True),
                *_conv_relu(32, 64, pool=True),
                *_conv_relu(64, 128, pool=True),
                Flatten(),
                Dropout(0.4),
                Dense(9 * 128, CLASSES),
                Softmax(),
            ],
            optimizer=_adam_w(0.003, weight_decay=0.1),
            epochs=10,
            batch_size=128,
            takes=(28, 28, 1),
            augmentation=RandomFlip(),
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
            augmentation=Compose([RandomShift(3, fill="edge"), RandomFlip()]),
        ),
        "cnn": Network(
            about="convolutions of 3 × 3 with 32, 64, 128, 128 and 256 filters, all with batch "
            "normalization and ReLU, four with pooling; dropout, AdamW, images moved and mirrored",
            layers=lambda: [
                *_conv_relu(3, 32, pool=True),
                *_conv_relu(32, 64, pool=True),
                *_conv_relu(64, 128, pool=False),
                *_conv_relu(128, 128, pool=True),
                *_conv_relu(128, 256, pool=True),
                GlobalAveragePooling2D(),
                Dropout(0.4),
                Dense(256, CLASSES),
                Softmax(),
            ],
            optimizer=_adam_w(0.003, weight_decay=0.2),
            epochs=45,
            batch_size=64,
            takes=(32, 32, 3),
            scale=(-2, 2),
            augmentation=Compose([RandomShift(3, fill="edge"), RandomFlip()]),
        ),
        "relu": _descent_on_cifar10(ReLU),
        "sigmoid": _descent_on_cifar10(Sigmoid),
    },
}
