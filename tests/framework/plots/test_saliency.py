"""``saliency``: how much the score of a class changes with each pixel."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Linear,
    MaxPooling2D,
    Model,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Step,
    plots,
)

IMAGE = np.random.default_rng(0).random((6, 6, 3))


def finalized(*operations: Any, loss: Any = None) -> Model:
    model = Model(operations, dtype=np.float64)
    model.set(loss=loss)
    model.finalize()
    return model


def convolutional(*head: Any, loss: Any = None) -> Model:
    before = [Conv2D(3, 4, 3), BatchNormalization(4), ReLU(), MaxPooling2D(2), Flatten()]
    return finalized(*before, Dropout(0.5), Dense(16, 3), *head, loss=loss)


def slopes(grid: np.ndarray) -> np.ndarray:
    return np.asarray(grid[0, 1].images[0].get_array())


def test_saliency_of_a_linear_network_is_the_size_of_its_weights() -> None:
    model = finalized(Flatten(), Dense(4, 2), Softmax(), loss=CategoricalCrossentropy())
    model.layers[1].weights = [[1.0, 0.0], [0.0, -3.0], [0.0, 2.0], [0.0, 0.0]]
    for label, expected in ((0, [[1, 0], [0, 0]]), (1, [[0, 3], [2, 0]])):
        grid = plots.saliency(model, [[0.1, 0.2], [0.3, 0.4]], label)
        np.testing.assert_array_equal(slopes(grid), expected)


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        ([Softmax()], CategoricalCrossentropy()),
        ([Softmax()], None),
        ([], SoftmaxCategoricalCrossentropy()),
        ([Linear()], None),
    ],
)
def test_saliency_is_the_largest_slope_of_the_winning_score_among_the_channels(
    head: list[Any], loss: Any
) -> None:
    model = convolutional(*head, loss=loss)
    scores = Model(model.layers[:7], dtype=np.float64)
    scores.finalize()
    winning = scores.predict(IMAGE[np.newaxis]).argmax()
    steps = 1e-6 * np.eye(IMAGE.size).reshape(-1, *IMAGE.shape)
    differences = scores.predict(IMAGE + steps) - scores.predict(IMAGE - steps)
    numerical = differences[:, winning].reshape(IMAGE.shape) / 2e-6
    grid = plots.saliency(model, IMAGE)
    np.testing.assert_allclose(slopes(grid), np.abs(numerical).max(axis=-1), atol=1e-8)


def test_the_image_is_beside_it_under_the_name_and_the_probability_of_its_class() -> None:
    model = finalized(Flatten(), Dense(108, 2), Softmax())
    model.layers[1].weights = np.zeros((108, 2))
    model.layers[1].biases = [[0.0, np.log(3)]]
    assert plots.saliency(model, IMAGE)[0, 0].get_title() == "1: 75.0%"
    model.class_names = ["cat", "dog"]
    grid = plots.saliency(model, IMAGE, label=0)
    assert grid[0, 0].get_title() == "cat: 25.0%"
    np.testing.assert_array_equal(grid[0, 0].images[0].get_array(), IMAGE)
    assert not slopes(grid).any()


def test_one_probability_stands_for_two_classes() -> None:
    model = finalized(Flatten(), Dense(108, 1), Sigmoid(), loss=BinaryCrossentropy())
    model.layers[1].biases = [[-100.0]]
    expected = np.abs(model.layers[1].weights).reshape(IMAGE.shape).max(axis=-1)
    for label, title in ((None, "0: 100.0%"), (0, "0: 100.0%"), (1, "1: 0.0%")):
        grid = plots.saliency(model, IMAGE, label)
        assert grid[0, 0].get_title() == title
        np.testing.assert_allclose(slopes(grid), expected)


def test_an_image_can_be_given_to_a_model_that_takes_rows() -> None:
    model = finalized(Dense(36, 2), Softmax())
    model.predict(np.zeros((1, 36)))
    grid = plots.saliency(model, np.ones((6, 6)), label=1)
    np.testing.assert_array_equal(slopes(grid), np.abs(model.layers[0].weights[:, 1]).reshape(6, 6))


def test_saliency_leaves_the_model_as_it_was() -> None:
    model = convolutional(Softmax(), loss=CategoricalCrossentropy())
    X, y = np.ones((4, 6, 6, 3)), np.zeros(4, dtype=int)
    model.calculate_loss(X, y)
    model.backward(y)
    gradients = model.parameters.dweights.copy()
    arrays = [array.copy() for array in model.stored_arrays()]
    stored = [(layer.output, layer.dinputs) for layer in model.before_loss]
    plots.saliency(model, IMAGE)
    np.testing.assert_array_equal(model.parameters.dweights, gradients)
    for array, before in zip(model.stored_arrays(), arrays, strict=True):
        np.testing.assert_array_equal(array, before)
    for layer, (output, dinputs) in zip(model.before_loss, stored, strict=True):
        assert layer.output is output
        assert layer.dinputs is dinputs


def test_saliency_is_drawn_in_the_figure_given() -> None:
    figure = Figure()
    grid = plots.saliency(convolutional(), IMAGE, figure=figure)
    assert figure.axes == list(grid.flat)


@pytest.mark.parametrize(
    ("operations", "image", "label", "error", "message"),
    [
        ([Flatten(), Dense(36, 3)], np.ones((6, 6)), 3, ValueError, "one of 3 classes, received 3"),
        ([Flatten(), Dense(36, 3)], np.ones((6, 6)), -1, ValueError, "label must be at least 0"),
        ([Flatten(), Dense(36, 3)], np.ones((6, 6)), 1.5, TypeError, "label must be a whole"),
        ([Conv2D(1, 1, 3)], np.ones((6, 6, 1)), None, ValueError, r"output .* is \(1, 4, 4, 1\)"),
        ([Flatten(), Dense(9, 3)], np.ones((6, 6)), None, ValueError, r"\(samples, 9\)"),
        ([Dense(36, 3)], np.ones(36), None, ValueError, r"the image, .* must be .*\(1, 36\)"),
        ([Flatten(), Step()], np.ones((6, 6)), None, NotImplementedError, "Step"),
    ],
)
def test_saliency_says_what_does_not_fit(
    operations: list[Any], image: np.ndarray, label: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.saliency(finalized(*operations), image, label)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_of_any_number_of_channels_the_largest_slope_is_drawn(channels: int) -> None:
    model = finalized(Flatten(), Dense(4 * channels, 2))
    weights = np.random.default_rng(0).normal(size=(2, 2, channels, 2))
    model.layers[1].weights = weights.reshape(-1, 2)
    image = np.random.default_rng(1).random((2, 2, channels))
    grid = plots.saliency(model, image, 1)
    np.testing.assert_allclose(slopes(grid), np.abs(weights[..., 1]).max(axis=-1))
    expected = image if channels == 4 else image.mean(axis=-1)
    np.testing.assert_allclose(grid[0, 0].images[0].get_array(), expected)
