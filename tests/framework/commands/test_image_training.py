"""Training a network on images that are changed at random meanwhile."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import Dense, Flatten, Operation, Softmax
from framework.augmentation import RandomFlip
from framework.commands.image_training import Network
from optimizers import SGD, Adam, Optimizer

IMAGES = np.random.default_rng(0).random((40, 6, 8, 3)).astype(np.float32)


def small(*layers: Operation, optimizer: Optimizer | None = None, **settings: Any) -> Network:
    return Network(
        about="a small one",
        layers=lambda: [*layers, Dense(144, 10), Softmax()],
        optimizer=lambda steps, batches: optimizer or SGD(0.1),
        epochs=3,
        batch_size=None,
        **settings,
    )


@pytest.mark.parametrize(
    ("takes", "images", "shape"),
    [
        ((-1,), IMAGES, (40, 144)),
        ((6, 8, 3), IMAGES, (40, 6, 8, 3)),
        ((6, 8, 1), IMAGES[..., 0].copy(), (40, 6, 8, 1)),
    ],
)
def test_images_are_given_as_the_layers_take_them_without_a_copy(
    takes: tuple[int, ...], images: np.ndarray, shape: tuple[int, ...]
) -> None:
    inputs = small(takes=takes).inputs(images)
    assert inputs.shape == shape
    assert np.shares_memory(inputs, images)


class Recorder(Operation):
    """Passes its inputs on and keeps those that it is trained with."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def forward(self, inputs: np.ndarray, training: bool = True) -> np.ndarray:
        if training:
            self.seen.append(inputs.copy())
        self.output = inputs
        return inputs

    def backward(self, dvalues: np.ndarray) -> np.ndarray:
        self.dinputs = dvalues
        return dvalues


@pytest.mark.parametrize("takes", [(-1,), (6, 8, 3)], ids=["rows", "images"])
def test_each_epoch_sees_the_images_changed_and_leaves_the_originals_alone(
    takes: tuple[int, ...],
) -> None:
    recorder = Recorder()
    network = small(
        recorder, *([] if takes == (-1,) else [Flatten()]), takes=takes, augmentation=RandomFlip()
    )
    original = IMAGES.copy()
    network.train(network.model(40, 3), IMAGES, np.arange(40) % 10, 3, progress=False)
    np.testing.assert_array_equal(IMAGES, original)
    either = {image.tobytes() for image in (*IMAGES, *IMAGES[:, :, ::-1])}
    epochs = [seen.reshape(IMAGES.shape) for seen in recorder.seen]
    for images in epochs:
        assert {image.tobytes() for image in images} <= either
        assert 5 < np.all(images == IMAGES, axis=(1, 2, 3)).sum() < 35, "about half are mirrored"
    assert len({images.tobytes() for images in epochs}) == 3


def test_images_without_channels_are_changed_as_images() -> None:
    recorder = Recorder()
    network = Network(
        about="a small one",
        layers=lambda: [recorder, Dense(48, 10), Softmax()],
        optimizer=lambda steps, batches: SGD(0.1),
        epochs=1,
        batch_size=None,
        augmentation=RandomFlip(),
    )
    grey = IMAGES[..., 0].copy()
    network.train(network.model(40, 1), grey, np.arange(40) % 10, 1, progress=False)
    either = {image.tobytes() for image in (*grey, *grey[:, :, ::-1])}
    assert {image.tobytes() for image in recorder.seen[0].reshape(grey.shape)} <= either


def test_smoothed_targets_keep_the_network_from_being_sure() -> None:
    def surest(smoothing: float) -> float:
        framework.seed(0)
        network = small(optimizer=Adam(0.05), smoothing=smoothing)
        model = network.model(10, 400)
        network.train(model, IMAGES[:10], np.arange(10), 400, progress=False)
        inputs = network.inputs(IMAGES[:10])
        np.testing.assert_array_equal(model.predict_classes(inputs), np.arange(10))
        return float(model.predict(inputs).max())

    assert surest(0.0) > 0.98
    # The loss is least where a prediction is its target, 0.8 + 0.2 / 10 for the right class.
    assert surest(0.2) == pytest.approx(0.82, abs=0.01)
