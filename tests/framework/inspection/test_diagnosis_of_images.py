"""What a model says about itself, where weights are shared by the positions of its inputs."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Conv1D,
    Conv2D,
    Dense,
    Diagnosis,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Model,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
)

LABELS = np.arange(30) % 3


def test_a_network_of_convolutions_and_blocks_for_images_is_diagnosed() -> None:
    framework.seed(0)
    images = np.random.default_rng(0).normal(size=(30, 8, 8, 1))
    block = [Conv2D(4, 4, 3, padding="same"), BatchNormalization(4), ReLU()]
    first = Conv2D(1, 4, 3, padding="same")
    layers = [first, ReLU(), MaxPooling2D(2), Residual(block), GlobalAveragePooling2D()]
    model = Model([*layers, Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    first.biases = [[-10.0, -10.0, 10.0, 10.0]]
    diagnosis = model.diagnose(images, LABELS)
    assert diagnosis.operations[0].units == 8 * 8 * 4
    assert diagnosis.operations[1].channels == 4
    assert diagnosis.operations[1].dead == 2
    assert diagnosis.operations[2].units == 4 * 4 * 4
    assert len(diagnosis.findings) == 1
    assert (
        "Many units are dead: 2 of the 4 channels of operation 2 (ReLU, 256 units)"
        in diagnosis.findings[0]
    )
    assert "  2 of 4 channels dead" in str(diagnosis)


def in_the_middle(operations: list[Any], shape: tuple[int, ...]) -> Diagnosis:
    """Diagnose a network on inputs that are empty but for the middle."""
    framework.seed(0)
    inputs = np.zeros((30, *shape))
    inside = (slice(None), *(slice(n // 3, n - n // 3) for n in shape[:-1]))
    inputs[inside] = np.random.default_rng(0).normal(size=inputs[inside].shape)
    model = Model([*operations, Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    return model.diagnose(inputs, LABELS)


def silent_outside(convolution: Any) -> Any:
    """Let the first half of the channels be negative where the inputs are 0, all others dead."""
    n = convolution.n_filters
    convolution.biases = np.where(np.arange(n) < n // 2, -0.01, -100.0)[np.newaxis]
    return convolution


@pytest.mark.parametrize(
    ("operations", "shape"),
    [
        ([silent_outside(Conv2D(1, 8, 3)), ReLU(), Flatten(), Dense(800, 3)], (12, 12, 1)),
        ([silent_outside(Conv2D(1, 8, 3)), Flatten(), ReLU(), Dense(800, 3)], (12, 12, 1)),
        (
            [
                silent_outside(Conv2D(1, 8, 3)),
                Reshape((50, 16)),
                ReLU(),
                Flatten(),
                Dense(800, 3),
            ],
            (12, 12, 1),
        ),
        ([silent_outside(Conv1D(1, 8, 3)), ReLU(), Flatten(), Dense(176, 3)], (24, 1)),
        (
            [
                Residual(
                    [silent_outside(Conv2D(1, 8, 3, padding="same")), ReLU()],
                    shortcut=[Conv2D(1, 8, 1)],
                ),
                GlobalAveragePooling2D(),
                Dense(8, 3),
            ],
            (12, 12, 1),
        ),
    ],
    ids=["Conv2D", "flattened", "reshaped", "Conv1D", "Residual"],
)
def test_a_channel_is_dead_only_where_it_is_silent_everywhere(
    operations: list[Any], shape: tuple[int, ...]
) -> None:
    diagnosis = in_the_middle(operations, shape)
    assert [state.dead for state in diagnosis.operations if state.name == "ReLU"] == [4]


def test_normalized_channels_that_are_silent_at_some_positions_are_not_dead() -> None:
    normalization = BatchNormalization(4)
    normalization.biases = [[-0.5, -0.5, -0.5, -100.0]]
    for activation in (ReLU(), Sequential([ReLU()])):
        operations = [Conv1D(1, 4, 3), normalization, activation, Flatten(), Dense(88, 3)]
        diagnosis = in_the_middle(operations, (24, 1))
        assert diagnosis.operations[2].dead == 1


@pytest.mark.parametrize(
    ("convolution", "pooling", "shape"),
    [
        (Conv2D, GlobalAveragePooling2D, (30, 30, 1)),
        (Conv1D, GlobalAveragePooling1D, (900, 1)),
    ],
)
def test_a_mean_over_positions_does_not_make_gradients_vanish(
    convolution: Any, pooling: Any, shape: tuple[int, ...]
) -> None:
    layers = [convolution(1, 8, 3, padding="same"), ReLU(), pooling(), Dense(8, 3)]
    diagnosis = in_the_middle(layers, shape)
    first, last = diagnosis.operations[0], diagnosis.operations[3]
    assert first.gradient * 100 < last.gradient
    assert diagnosis.findings == ()


def test_gradients_that_vanish_before_a_mean_over_positions_are_named() -> None:
    deep = [Conv2D(1, 4, 3), Sigmoid()]
    for _ in range(5):
        deep += [Conv2D(4, 4, 3, padding="same"), Sigmoid()]
    diagnosis = in_the_middle([*deep, GlobalAveragePooling2D(), Dense(4, 3)], (10, 10, 1))
    assert any(finding.startswith("Gradients vanish") for finding in diagnosis.findings)
