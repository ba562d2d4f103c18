"""Training a network on images that are varied from epoch to epoch."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import Dense, Operation, Softmax
from framework.commands.image_training import Network, Variations, varied
from framework.commands.networks import NETWORKS
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


@pytest.mark.parametrize("images", [IMAGES, IMAGES[..., 0]], ids=["colour", "grey"])
def test_a_varied_image_is_the_image_moved_or_mirrored(images: np.ndarray) -> None:
    shift = 2
    framework.seed(1)
    results = varied(images, shift, mirror=True)
    assert results.shape == images.shape
    margins = [(shift, shift), (shift, shift), (0, 0)][: images.ndim - 1]
    seen = set()
    for image, result in zip(images, results, strict=True):
        padded = np.pad(image, margins, mode="edge")
        moves = {}
        for down in range(5):
            for right in range(5):
                moved = padded[down : down + 6, right : right + 8]
                moves[moved.tobytes()] = (down, right, False)
                moves[moved[:, ::-1].tobytes()] = (down, right, True)
        seen.add(moves[result.tobytes()])
    assert len(seen) > 20, "of 50 ways to vary an image, 40 images show many"


def test_without_shift_and_mirror_nothing_changes() -> None:
    np.testing.assert_array_equal(varied(IMAGES, 0, mirror=False), IMAGES)


def test_half_of_the_images_are_mirrored() -> None:
    results = varied(np.repeat(IMAGES, 25, axis=0), 0, mirror=True)
    unchanged = (results == np.repeat(IMAGES, 25, axis=0)).all(axis=(1, 2, 3)).mean()
    assert 0.45 < unchanged < 0.55


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


@pytest.mark.parametrize("mirror", [True, False])
def test_a_network_sees_varied_images_in_each_epoch_and_leaves_the_originals_alone(
    mirror: bool,
) -> None:
    recorder = Recorder()
    network = small(recorder, mirror=mirror)
    original = IMAGES.copy()
    history = network.train(
        network.model(len(IMAGES), 3), IMAGES, np.arange(40) % 10, 3, progress=False
    )
    assert len(history) == len(recorder.seen) == 3
    np.testing.assert_array_equal(IMAGES, original)
    same = [np.array_equal(seen, network.inputs(IMAGES)) for seen in recorder.seen]
    assert same == [not mirror] * 3
    if mirror:
        assert not np.array_equal(recorder.seen[0], recorder.seen[1])


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_whatever_the_images_are_in_memory_the_network_sees_them_varied(
    dtype: Any, order: Any
) -> None:
    recorder = Recorder()
    network = small(recorder, mirror=True)
    images = np.asarray(IMAGES, dtype=dtype, order=order)
    network.train(network.model(40, 3), images, np.arange(40) % 10, 3, progress=False)
    first, second, third = recorder.seen
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_images_are_varied_once_for_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    fills = []
    monkeypatch.setattr(Variations, "_fill", lambda self: fills.append(self))
    network = NETWORKS["mnist"]["best"]
    images = np.zeros((20, 28, 28), dtype=np.float32)
    network.train(network.model(20, 3), images, np.arange(20) % 10, 3, progress=False)
    assert len(fills) == 3
