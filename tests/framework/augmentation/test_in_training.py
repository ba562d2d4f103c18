"""Random changes of images in a training: what it sees, and how it goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    CategoricalCrossentropy,
    Checkpoint,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    History,
    Model,
    Softmax,
)
from framework.augmentation import (
    Compose,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomShift,
)
from optimizers import Adam
from tests.framework.training.checkpoints import StopAt, ask, assert_same
from tests.strategies import Array

BYTES = np.random.default_rng(0).integers(0, 256, size=(12, 7, 9, 3), dtype=np.uint8)


def classifier() -> Model:
    framework.seed(5)
    model = Model([Conv2D(3, 4, 3), GlobalAveragePooling2D(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    model.finalize()
    return model


LABELS = np.arange(12) % 3
IMAGES = BYTES / 255


class Seen:
    """Records what it is given, and in which mode."""

    def __init__(self) -> None:
        self.calls: list[tuple[bool, int]] = []

    def __call__(self, images: Array, training: bool = True) -> Array:
        self.calls.append((training, len(images)))
        return images


@pytest.mark.parametrize(
    "options",
    [
        {"validation_split": 0.25},
        {"validation_data": (IMAGES[:3], LABELS[:3])},
        {"validation_data": {1: (IMAGES[:3], LABELS[:3])}.values()},
    ],
    ids=["split", "arrays", "batches"],
)
def test_validation_data_are_not_changed(options: dict[str, Any]) -> None:
    seen = Seen()
    history = classifier().train(IMAGES, LABELS, transform=seen, progress=False, **options)
    assert (False, 3) in seen.calls
    assert {training for training, size in seen.calls if size > 3} == {True}
    assert len(history.val_loss) == 1


@pytest.mark.parametrize("streamed", [False, True], ids=["arrays", "batches"])
def test_metrics_of_the_training_data_are_of_unchanged_images(streamed: bool) -> None:
    model, seen = classifier(), Seen()
    model.set(metrics={"mean": lambda y, outputs: float(np.mean(outputs))})
    data: list[Any] = [[(IMAGES, LABELS)]] if streamed else [IMAGES, LABELS]
    model.train(*data, batch_size=None, transform=seen, progress=False)
    assert {call for call in seen.calls if call[1] > 1} == {(True, 12), (False, 12)}


def test_a_training_sees_other_images_in_each_epoch_and_the_same_again() -> None:
    def train() -> tuple[Model, History]:
        model = classifier()
        transform = Compose([RandomShift(1), RandomFlip(), RandomRotation(10)])
        history = model.train(
            IMAGES, LABELS, epochs=3, batch_size=5, transform=transform, progress=False
        )
        return model, history

    (one, history), (other, again) = train(), train()
    assert_same(one, history, other, again)
    plain = classifier()
    plain.train(IMAGES, LABELS, epochs=3, batch_size=5, progress=False)
    assert not np.array_equal(plain.parameters.weights, one.parameters.weights)


TRANSFORMS: list[Any] = [
    lambda: RandomShift(1),
    lambda: RandomRotation(10, seed=3),
    lambda: Compose([RandomShift(1, seed=2), lambda images: 2 * images, RandomFlip()], seed=3),
    lambda: Compose([RandomShift(1), Compose([RandomErasing(seed=2)])]),
]


@pytest.mark.parametrize("make", TRANSFORMS)
@pytest.mark.parametrize("stop", [(1, 2), (2, 3), (3, 1)])
@pytest.mark.parametrize("streamed", [False, True], ids=["arrays", "batches"])
def test_a_training_that_goes_on_from_a_checkpoint_sees_the_same_images(
    make: Any, stop: tuple[int, int], streamed: bool, tmp_path: Path
) -> None:
    def run(model: Model, **options: Any) -> History:
        data: list[Any] = [IMAGES, LABELS]
        if streamed:
            data = [[(IMAGES[i : i + 4], LABELS[i : i + 4]) for i in (0, 4, 8)]]
        validation = {"validation_data": (IMAGES[:3], LABELS[:3])}
        settings = {"epochs": 4, "batch_size": 4, "transform": make(), "progress": False}
        return model.train(*data, **{**settings, **validation, **options})

    path = tmp_path / "run"
    whole = classifier()
    history = run(whole)
    model = classifier()
    run(model, callbacks=[StopAt(*stop, ask), Checkpoint(path)])
    for again in (classifier(), model):
        assert_same(again, run(again, resume_from=path), whole, history)


def test_a_damaged_state_of_a_generator_is_refused() -> None:
    transform = RandomFlip(seed=1)
    expected = RandomFlip(seed=1)(BYTES)
    for state in (3, {}, {"bit_generator": "MT19937"}, {"bit_generator": "PCG64", "state": "?"}):
        with pytest.raises(ValueError, match="the state of a random generator is damaged"):
            transform.resume(None, {"generator": state})
    np.testing.assert_array_equal(transform(BYTES), expected)


def test_a_class_in_place_of_an_object_is_refused() -> None:
    with pytest.raises(TypeError, match="transform must be a function of a batch's X, received"):
        classifier().train(IMAGES, LABELS, transform=RandomFlip, progress=False)
