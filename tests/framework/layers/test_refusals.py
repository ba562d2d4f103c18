"""Networks for images and sequences that do not fit, or are given data that do not.

Each is refused at ``finalize`` or at the first call, with the likely mistake, and nothing changed.
"""

from collections.abc import Callable
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
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    LayerNormalization,
    MaxPooling1D,
    MaxPooling2D,
    Model,
    Normalization,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    ZeroPadding2D,
)
from optimizers import Adam

AT_FINALIZE: list[tuple[list[Any], str]] = [
    (
        [Conv2D(1, 8, 3), ReLU(), MaxPooling2D(), Conv2D(16, 32, 3)],
        "Conv2D(16, 32, 3) expects inputs of shape (samples, height, width, 16), received "
        "(samples, …, 8): the operation before it, MaxPooling2D(), after Conv2D(1, 8, 3), gives 8 "
        "channels per sample",
    ),
    (
        [Conv1D(4, 8, 3), MaxPooling1D(2), Dropout(0.1), Conv1D(4, 8, 3)],
        "Conv1D(4, 8, 3) expects inputs of shape (samples, steps, 4), received (samples, …, 8): "
        "the operation before it, Dropout(0.1), after Conv1D(4, 8, 3), gives 8 channels per sample",
    ),
    (
        [Conv2D(1, 8, 3), ZeroPadding2D(1), GlobalAveragePooling2D(), Dense(10, 3)],
        "Dense(10, 3) expects inputs of shape (samples, 10), received (samples, 8): the operation "
        "before it, GlobalAveragePooling2D(), after Conv2D(1, 8, 3), gives 8 values per sample",
    ),
    (
        [Conv1D(1, 8, 3), GlobalMaxPooling1D(), Conv2D(8, 8, 3)],
        "Conv2D(8, 8, 3): Reshape((height, width, channels)) makes images of rows, and "
        "X[np.newaxis, ..., np.newaxis] a batch of one image without channels. It expects inputs "
        "of shape (samples, height, width, 8), received (samples, 8): the operation before it, "
        "GlobalMaxPooling1D(), after Conv1D(1, 8, 3), gives 8 values per sample",
    ),
    (
        [Conv2D(1, 8, 3), Dense(1352, 3)],
        "Dense(1352, 3): Flatten() before it makes a row of each sample. It expects inputs of "
        "shape (samples, 1352), received (samples, …, 8): the operation before it, "
        "Conv2D(1, 8, 3), gives 8 channels per sample",
    ),
    (
        [Conv2D(1, 8, 3), BatchNormalization(3)],
        "BatchNormalization(3) expects inputs of shape (samples, …, 3), received (samples, …, 8): "
        "the operation before it, Conv2D(1, 8, 3), gives 8 channels per sample",
    ),
    (
        [Conv2D(1, 8, 3), Dense(8, 4), LayerNormalization(3)],
        "LayerNormalization(3) expects inputs of shape (samples, …, 3), received (samples, …, 4): "
        "the operation before it, Dense(8, 4), gives 4 channels per sample",
    ),
    (
        [Conv2D(1, 8, 3), Residual([Conv2D(8, 16, 3, padding="same")])],
        "Residual([Conv2D(8, 16, 3, padding='same')]) expects its operations to give the shape of "
        "its inputs, or a shortcut=[...]: they give (samples, …, 16), received (samples, …, 8): "
        "the operation before it, Conv2D(1, 8, 3), gives 8 channels per sample",
    ),
]


@pytest.mark.parametrize(("operations", "message"), AT_FINALIZE)
def test_neighbours_that_do_not_fit_are_both_named_before_any_data(
    operations: list[Any], message: str
) -> None:
    network = Sequential(operations)
    with pytest.raises(ValueError) as raised:
        network.finalize()
    assert str(raised.value) == message
    assert not network.finalized


DATA = "these are the data"
WITH_DATA: list[tuple[tuple[int, ...], Callable[[], list[Any]], str]] = [
    (
        (5, 28, 28),
        lambda: [Conv2D(1, 4, 3)],
        "Conv2D(1, 4, 3): there is no axis for channels; X[..., np.newaxis] adds one. It expects "
        f"inputs of shape (samples, height, width, 1), received (samples, 28, 28): {DATA}",
    ),
    (
        (28, 28),
        lambda: [Conv2D(1, 4, 3)],
        "Conv2D(1, 4, 3): Reshape((height, width, channels)) makes images of rows, and "
        "X[np.newaxis, ..., np.newaxis] a batch of one image without channels. It expects inputs "
        f"of shape (samples, height, width, 1), received (samples, 28): {DATA}",
    ),
    (
        (28, 28, 1),
        lambda: [Conv2D(1, 4, 3)],
        "Conv2D(1, 4, 3): one sample needs an axis before it: X[np.newaxis]. It expects inputs of "
        f"shape (samples, height, width, 1), received (samples, 28, 1): {DATA}",
    ),
    (
        (5, 1, 28, 28),
        lambda: [Conv2D(1, 4, 3)],
        "Conv2D(1, 4, 3): the last axis has 28 values; are these channels first? It expects "
        f"inputs of shape (samples, height, width, 1), received (samples, 1, 28, 28): {DATA}",
    ),
    (
        (5, 3, 28, 28),
        lambda: [BatchNormalization(3), Conv2D(3, 4, 3)],
        "BatchNormalization(3): the last axis has 28 values; are these channels first? It expects "
        f"inputs of shape (samples, …, 3), received (samples, 3, 28, 28): {DATA}",
    ),
    (
        (5, 1, 28, 28),
        lambda: [MaxPooling2D(2), Conv2D(28, 4, 3)],
        "MaxPooling2D(): no window of 2 × 2 fits into padded inputs of 1 × 28, so nothing would "
        "be left. The last axis has 28 values; are these channels first? It expects larger "
        f"inputs, received (samples, 1, 28, 28): {DATA}",
    ),
    (
        (5, 28, 28, 3),
        lambda: [Conv2D(1, 4, 3)],
        "Conv2D(1, 4, 3) expects inputs of shape (samples, height, width, 1), received "
        f"(samples, 28, 28, 3): {DATA}",
    ),
    (
        (5, 4, 4, 1),
        lambda: [Conv2D(1, 4, 5, padding=(0, 1))],
        "Conv2D(1, 4, 5, padding=(0, 1)): no window of 5 × 5 fits into padded inputs of 4 × 6, so "
        f"nothing would be left. It expects larger inputs, received (samples, 4, 4, 1): {DATA}",
    ),
    (
        (5, 4, 4, 1),
        lambda: [Conv2D(1, 4, 3), MaxPooling2D(3)],
        "MaxPooling2D(size=3): no window of 3 × 3 fits into padded inputs of 2 × 2, so nothing "
        "would be left. It expects larger inputs, received (samples, 2, 2, 4): the operation "
        "before it, Conv2D(1, 4, 3), gives shape (2, 2, 4) per sample",
    ),
    (
        (5, 2, 4),
        lambda: [Conv1D(4, 4, 2, dilation=3)],
        "Conv1D(4, 4, 2, dilation=3): no window of 4 fits into padded inputs of 2, so nothing "
        f"would be left. It expects larger inputs, received (samples, 2, 4): {DATA}",
    ),
    (
        (5, 6, 6, 1),
        lambda: [Conv2D(1, 4, 3), ReLU(), Residual([Conv2D(4, 4, 3)])],
        "Residual([Conv2D(4, 4, 3)]) expects its operations to give the shape of its inputs, or a "
        "shortcut=[...]: they give (samples, 2, 2, 4), received (samples, 4, 4, 4): the operation "
        "before it, ReLU(), after Conv2D(1, 4, 3), gives shape (4, 4, 4) per sample",
    ),
]


def finalized(operations: list[Any]) -> Model:
    framework.seed(0)
    model = Model([*operations, Flatten(), Dense(16, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    return model


@pytest.mark.parametrize(("shape", "operations", "message"), WITH_DATA)
@pytest.mark.parametrize(
    "call",
    [
        lambda model, X, y: model.train(X, y, progress=False),
        lambda model, X, y: model.evaluate(X, y),
        lambda model, X, y: model.predict(X),
        lambda model, X, y: model.diagnose(X, y),
    ],
    ids=["train", "evaluate", "predict", "diagnose"],
)
def test_data_that_do_not_fit_are_refused_and_nothing_has_changed(
    shape: tuple[int, ...],
    operations: Callable[[], list[Any]],
    message: str,
    call: Callable[[Model, Any, Any], Any],
) -> None:
    model = finalized(operations())
    before = [array.copy() for array in model.stored_arrays()]
    with pytest.raises(ValueError) as raised:
        call(model, np.ones(shape), np.zeros(shape[0], int))
    assert str(raised.value) == message
    assert model.optimizer.iterations == 0
    assert model.input_shape is None
    for array, expected in zip(model.stored_arrays(), before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_a_normalization_that_was_not_adapted_is_refused_and_nothing_has_changed() -> None:
    model = Model([Normalization(2), Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    before = model.parameters.weights.copy()
    X, y = np.ones((5, 2)), np.zeros(5, int)
    for call in (
        lambda: model.train(X, y, progress=False),
        lambda: model.evaluate(X, y),
        lambda: model.predict(X),
        lambda: model.forward(X),
        lambda: Normalization(2).forward(X),
    ):
        with pytest.raises(RuntimeError) as raised:
            call()
        message = "Normalization(2) has no mean and no deviation yet: call adapt(X) first"
        assert str(raised.value) == message
    assert model.optimizer.iterations == 0
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(1, 8, 3, stride=0), "stride must be at least 1, received 0"),
        (lambda: Conv1D(1, 8, 3, stride=0), "stride must be at least 1, received 0"),
        (lambda: MaxPooling2D(2, stride=0), "stride must be at least 1, received 0"),
        (lambda: MaxPooling2D(0), "size must be at least 1, received 0"),
        (lambda: MaxPooling1D((2, 2)), "size must be a whole number or (steps), received (2, 2)"),
        (
            lambda: MaxPooling2D((2, 2, 2)),
            "size must be a whole number or (height, width), received (2, 2, 2)",
        ),
        (
            lambda: MaxPooling2D(2, padding=2),
            "padding must be less than the size, 2, so that no window is padding alone, received 2",
        ),
        (lambda: Conv2D(0, 8, 3), "n_channels must be at least 1, received 0"),
        (lambda: ZeroPadding2D(-1), "padding must be at least 0, received -1"),
    ],
)
def test_impossible_arguments_are_refused_at_once(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:
        make()
    assert str(raised.value) == message
