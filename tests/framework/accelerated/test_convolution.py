"""The kernels of convolution and pooling compute what the NumPy classes compute, in every shape."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    AveragePooling2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    MaxPooling2D,
    MeanSquaredError,
    Operation,
    ReLU,
)
from tests.framework.accelerated.test_kernels import assert_same_training, both_dtypes

random = np.random.default_rng(4)
Y = random.normal(size=(20, 2))

CONVOLUTIONS: list[dict[str, Any]] = [
    {"kernel_size": 1},
    {"kernel_size": 3},
    {"kernel_size": 3, "use_bias": False, "padding": "same"},
    {"kernel_size": (7, 6)},  # as large as the image
    {"kernel_size": (3, 2), "padding": (2, 1)},
    {"kernel_size": 3, "padding": 4},  # windows of padding alone
    {"kernel_size": 2, "stride": 3},  # pixels that no window sees
    {"kernel_size": 3, "stride": (2, 3), "padding": 3},
    {"kernel_size": 3, "stride": 2, "padding": "same"},
    {"kernel_size": 2, "dilation": 3},
    {"kernel_size": (3, 2), "dilation": (1, 3), "stride": (3, 2), "padding": "same"},
    {"kernel_size": 3, "stride": 5, "padding": 1},
]


def network(*operations: Operation, shape: tuple[int, ...]) -> list[Operation]:
    """Return ``operations``, whose samples have this shape, and a dense layer behind them."""
    sample: Any = shape
    for operation in operations:
        sample = operation.output_shape(sample)
    return [*operations, Flatten(), Dense(int(np.prod(sample)), 2)]


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize("n_filters", [5, 40])
@pytest.mark.parametrize("arguments", CONVOLUTIONS, ids=repr)
def test_a_convolution_is_the_same_with_every_stride_padding_and_dilation(
    arguments: dict[str, Any], n_filters: int, dtype: str
) -> None:
    framework.seed(2)
    first = Conv2D(2, 18, 1, bias_initializer="normal")
    operations = network(first, Conv2D(18, n_filters, **arguments), shape=(7, 6, 2))
    images = random.normal(size=(20, 7, 6, 2))
    assert_same_training(operations, dtype, images, Y, MeanSquaredError(), 10)


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize(
    "arguments",
    [{}, {"padding": "causal"}, {"padding": "causal", "dilation": 2, "stride": 2}],
    ids=repr,
)
def test_so_is_one_over_sequences(arguments: dict[str, Any], dtype: str) -> None:
    framework.seed(2)
    layers = Conv1D(3, 5, 3, **arguments), Conv1D(5, 4, 2, **arguments)
    sequences = random.normal(size=(20, 9, 3))
    assert_same_training(
        network(*layers, shape=(9, 3)), dtype, sequences, Y, MeanSquaredError(), 10
    )


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize("pooling", [MaxPooling2D, AveragePooling2D])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"size": (3, 2), "stride": 1, "padding": "same"}, {"size": 3, "stride": 2, "padding": 1}],
    ids=repr,
)
def test_a_network_for_images_takes_the_same_steps(
    pooling: Any, arguments: dict[str, Any], dtype: str
) -> None:
    framework.seed(2)
    operations = network(
        Conv2D(1, 4, 3, padding="same"),
        BatchNormalization(4),
        ReLU(),
        pooling(**arguments),
        Conv2D(4, 6, 3),
        ReLU(),
        shape=(9, 8, 1),
    )
    images = random.normal(size=(20, 9, 8, 1))
    assert_same_training(operations, dtype, images, 0.1 * Y, MeanSquaredError(), 20)


def test_of_equal_values_the_first_is_the_largest() -> None:
    images = np.zeros((20, 4, 4, 1))
    operations = network(MaxPooling2D(), Conv2D(1, 2, 2), shape=(4, 4, 1))
    operations = [Conv2D(1, 1, 1, weight_initializer="zeros"), *operations]
    assert_same_training(operations, "float32", images, Y, MeanSquaredError())
