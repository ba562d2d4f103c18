"""The pictures: what was drawn, read back from the artists."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

import framework
from datasets import one_hot_encode, spiral_data
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    EarlyStopping,
    History,
    Linear,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
    plots,
)
from framework.plots.boundaries import SYMBOLS
from framework.utils.figures import WRONG
from optimizers import SGD, Adam

Data = tuple[np.ndarray, np.ndarray]


@pytest.fixture(autouse=True)
def closed_figures() -> Any:
    yield
    plt.close("all")


@pytest.fixture
def spiral() -> Data:
    return spiral_data(20, 3, seed=0)


@pytest.fixture
def model() -> Model:
    model = Model([Dense(2, 16), Tanh(), Dense(16, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


def rms(array: np.ndarray) -> float:
    return np.sqrt(np.mean(np.square(array, dtype=np.float64)))


# All of them


def run(program: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment.pop("MPLBACKEND", None)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
    )


def test_importing_the_framework_does_not_import_matplotlib() -> None:
    done = run("import framework.plots, sys; assert 'matplotlib' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_pictures_need_no_display() -> None:
    done = run(
        "from framework import Tanh, plots\n"
        "plots.activation(Tanh()).figure.savefig('/dev/null', format='png')"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.activation(Tanh(), ax),
        lambda ax: plots.confusion_matrix([0, 1], [0, 1], ax=ax),
        lambda ax: plots.learning_curves(History(loss=[1.0]), ax),
    ],
)
def test_pictures_are_drawn_on_the_axes_given(draw: Any) -> None:
    ax = Figure().subplots()
    assert draw(ax) is ax
    assert ax.has_data()


# image_grid


def images(count: int, *shape: int) -> np.ndarray:
    return np.arange(count * int(np.prod(shape)), dtype=np.uint8).reshape(count, *shape)


def titles(grid: np.ndarray) -> list[str]:
    return [ax.get_title() for ax in grid.flat if ax.axison]


def test_image_grid_shows_each_image_under_its_label() -> None:
    grid = plots.image_grid(images(7, 2, 3), [0, 1, 2, 0, 1, 2, 0], rows=2, columns=3)
    assert grid.shape == (2, 3)
    assert titles(grid) == ["0", "1", "2", "0", "1", "2"]
    for ax, image in zip(grid.flat, images(7, 2, 3), strict=False):
        np.testing.assert_allclose(ax.images[0].get_array(), image / 255)
        assert ax.images[0].get_clim() == (0, 1)


def test_image_grid_leaves_places_without_an_image_empty() -> None:
    grid = plots.image_grid(images(3, 2, 2), [0, 1, 2], rows=2, columns=2)
    assert [bool(ax.images) for ax in grid.flat] == [True, True, True, False]
    assert [ax.axison for ax in grid.flat] == [True, True, True, False]


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (6, (2, 5)), (25, (5, 5)), (30, (5, 5))]
)
def test_image_grid_is_no_larger_than_the_images_need(count: int, shape: tuple[int, int]) -> None:
    grid = plots.image_grid(np.zeros((count, 1, 1)), np.zeros(count))
    assert grid.shape == shape
    np.testing.assert_allclose(
        grid[0, 0].figure.get_size_inches(), (1.2 * shape[1], 1.45 * shape[0])
    )


def test_image_grid_marks_what_is_wrong() -> None:
    grid = plots.image_grid(
        images(3, 2, 2), [0, 1, 2], [0, 2, 2], 1, 3, class_names=["cat", "dog", "emu"]
    )
    assert titles(grid) == ["cat", "emu, is dog", "emu"]
    marked = [to_rgb(ax.spines["left"].get_edgecolor()) == to_rgb(WRONG) for ax in grid.flat]
    assert marked == [False, True, False]


def test_image_grid_breaks_long_texts() -> None:
    names = ["automobile", "airplane"]
    grid = plots.image_grid(images(1, 2, 2), [0], [1], 1, 1, class_names=names)
    assert titles(grid) == ["airplane,\nis automobile"]


def test_image_grid_takes_probabilities_and_one_hot_rows() -> None:
    grid = plots.image_grid(images(2, 2, 2), np.eye(2), [[0.9, 0.1], [0.8, 0.2]], 1, 2)
    assert titles(grid) == ["0", "0, is 1"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([0, 51, 255], dtype=np.uint8), [0, 0.2, 1]),
        (np.array([0, 51, 255], dtype=np.int64), [0, 0.2, 1]),
        (np.array([0.0, 0.2, 0.5]), [0, 0.2, 0.5]),
        (np.array([-1.0, 0.0, 0.5]), [0, 0.5, 0.75]),
        (np.array([-2.0, 0.0, 2.0]), [0, 0.5, 1]),
        (np.array([100.0, 150.0, 200.0]), [0, 0.5, 1]),
        (np.array([-3.0, -2.0, -1.0]), [0, 0.5, 1]),
        (np.full(3, 7.0), [0, 0, 0]),
        (np.array([False, True, True]), [0, 1, 1]),
        (np.zeros(3), [0, 0, 0]),
    ],
)
def test_image_grid_takes_pixels_on_any_usual_scale(values: np.ndarray, shown: list[float]) -> None:
    grid = plots.image_grid(values.reshape(1, 1, 3), [0], rows=1, columns=1)
    np.testing.assert_allclose(grid[0, 0].images[0].get_array(), [shown])


def test_image_grid_draws_colours_and_single_channels() -> None:
    grid = plots.image_grid(images(1, 2, 2, 3), [0], rows=1, columns=1)
    assert grid[0, 0].images[0].get_array().shape == (2, 2, 3)
    grid = plots.image_grid(images(1, 2, 2, 1), [0], rows=1, columns=1)
    assert grid[0, 0].images[0].get_array().shape == (2, 2)


def test_image_grid_draws_in_the_figure_given() -> None:
    figure = Figure()
    grid = plots.image_grid(images(2, 2, 2), [0, 1], rows=1, columns=2, figure=figure)
    assert figure.axes == list(grid.flat)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((0, 2, 2)), []), r"at least one image"),
        ((np.zeros((3, 784)), [0, 0, 0]), r"have to be reshaped first"),
        ((np.zeros((3, 2, 2, 4)), [0, 0, 0]), r"last axis of 1 or 3"),
        ((np.zeros((3, 2, 2)), [0, 0]), r"3 images, 2 labels"),
        ((np.zeros((3, 2, 2)), [0, 0, 0], [0]), r"3 labels and 1 predictions"),
        ((np.zeros((1, 2, 2)), [0.5]), r"labels must be class numbers"),
        ((np.zeros((1, 2, 2)), [0], [-1]), r"predictions must be class numbers"),
        ((np.zeros((1, 2, 2)), [2], None, 1, 1, ["a", "b"]), r"each of 3 classes, received 2"),
        ((np.zeros((1, 2, 2)), [0], None, 0), r"rows must be at least 1"),
    ],
)
def test_image_grid_says_what_does_not_fit(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.image_grid(*arguments)


# confusion_matrix


def cells(ax: Axes) -> dict[tuple[int, int], str]:
    return {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}


def test_confusion_matrix_counts_true_classes_in_rows_and_predicted_ones_in_columns() -> None:
    ax = plots.confusion_matrix([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 0, 2])
    assert cells(ax) == {(0, 0): "2", (0, 1): "1", (1, 1): "1", (2, 0): "1", (2, 2): "1"}
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("true", "predicted")
    assert ax.get_title() == "66.7% of 6 right"


def test_confusion_matrix_is_blue_where_right_and_orange_where_wrong() -> None:
    colours = plots.confusion_matrix([0, 1, 1], [0, 0, 0]).images[0].get_array()
    np.testing.assert_allclose(colours[0, 0], to_rgb(plots.COLOURS[0]))
    np.testing.assert_allclose(colours[1, 0], to_rgb(WRONG))
    np.testing.assert_allclose(colours[[0, 1], [1, 1]], 1)  # nothing there: white


def test_confusion_matrix_is_as_deep_as_the_root_of_the_share_of_the_true_class() -> None:
    colours = plots.confusion_matrix([0, 0, 0, 0, 1], [1, 0, 0, 0, 1]).images[0].get_array()
    np.testing.assert_allclose(colours[0, 1], 1 - 0.5 * (1 - np.array(to_rgb(WRONG))))


def test_confusion_matrix_names_the_classes() -> None:
    ax = plots.confusion_matrix([0, 1], [0, 1], ["cat", "dog", "emu"])
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["cat", "dog", "emu"]


def test_confusion_matrix_takes_probabilities_and_columns() -> None:
    ax = plots.confusion_matrix([[0], [1]], [[0.2, 0.8], [0.1, 0.9]])
    assert cells(ax) == {(0, 1): "1", (1, 1): "1"}


@pytest.mark.parametrize("names", [np.array(["cat", "dog"]), [7, 8], np.array([7, 8])])
def test_confusion_matrix_takes_names_in_an_array_and_numbers(names: Any) -> None:
    ax = plots.confusion_matrix([0, 1], [0, 1], names)
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(name) for name in names]


def test_confusion_matrix_takes_the_probabilities_of_a_sigmoid() -> None:
    ax = plots.confusion_matrix([0, 1, 1], [[0.2], [0.9], [0.5]])
    assert cells(ax) == {(0, 0): "1", (1, 0): "1", (1, 1): "1"}


def overlap(texts: list[Any]) -> bool:
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(
    ("classes", "samples", "name"),
    [
        (2, 1, ""),
        (10, 10, "class "),
        (10, 123_456, ""),
        (20, 9, "a long name "),
        (50, 1, "n"),
        (200, 1, ""),
    ],
)
def test_no_texts_of_a_confusion_matrix_overlap(classes: int, samples: int, name: str) -> None:
    labels = np.repeat(np.arange(classes), samples)
    ax = plots.confusion_matrix(labels, np.roll(labels, 1), [f"{name}{i}" for i in range(classes)])
    ax.figure.canvas.draw()
    assert not overlap(ax.texts)
    assert not overlap(ax.get_xticklabels())
    assert not overlap(ax.get_yticklabels())
    assert ax.images[0].get_array().shape == (classes, classes, 3)


def test_confusion_matrix_of_many_classes_has_no_numbers() -> None:
    labels = np.arange(50)
    assert not plots.confusion_matrix(labels, labels).texts
    assert plots.confusion_matrix(labels[:20], labels[:20]).texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0]), "received 2 and 1"),
        (([], []), "at least one"),
        (([0, 200_000], [0, 1]), "at most 1,000 classes, received 200,001"),
        (([0, np.nan], [0, 1]), "y_true must be class numbers"),
        (([0, 1], [0, 2], ["a", "b"]), "each of 3 classes, received 2"),
        ((np.zeros((2, 2, 2)), [0, 0]), r"y_true must be class indices"),
    ],
)
def test_confusion_matrix_says_what_does_not_fit(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.confusion_matrix(*arguments)


# activation


def curves(ax: Axes) -> dict[str, np.ndarray]:
    return {
        line.get_label(): line.get_xydata().T for line in ax.lines if line.get_label()[0] != "_"
    }


def test_activation_draws_the_function_and_its_derivative() -> None:
    drawn = curves(plots.activation(Tanh()))
    x, values = drawn["function"]
    assert (x[0], x[-1]) == (-5, 5)
    np.testing.assert_allclose(values, np.tanh(x))
    np.testing.assert_allclose(drawn["derivative"][1], 1 / np.cosh(x) ** 2)


def test_activation_takes_the_derivative_from_the_operations_own_backward() -> None:
    class Mistaken(Tanh):
        def backward(self, dvalues):
            self.dinputs = 7 * dvalues
            return self.dinputs

    assert (curves(plots.activation(Mistaken()))["derivative"][1] == 7).all()


def test_activation_draws_a_step_without_a_derivative() -> None:
    drawn = curves(plots.activation(Step()))
    assert list(drawn) == ["function"]
    x, values = drawn["function"]
    np.testing.assert_array_equal(values, x >= 0)


def test_activation_draws_softmax_for_two_classes() -> None:
    ax = plots.activation(Softmax(), low=-3, high=3)
    x, values = curves(ax)["function"]
    np.testing.assert_allclose(values, np.exp(x) / (np.exp(x) + 1))
    np.testing.assert_allclose(curves(ax)["derivative"][1], values * (1 - values))
    assert ax.get_xlabel() == "x, in a row (x, 0)"


def test_activation_leaves_the_operation_as_it_was() -> None:
    tanh = Tanh()
    before = tanh.forward([[0.5]])
    plots.activation(tanh)
    assert tanh.output is before
    assert not hasattr(tanh, "dinputs")


def test_activation_draws_a_class_whose_methods_return_nothing() -> None:
    class Square:
        def forward(self, inputs):
            self.inputs, self.output = inputs, inputs**2

        def backward(self, dvalues):
            self.dinputs = 2 * self.inputs * dvalues

    drawn = curves(plots.activation(Square()))
    x, values = drawn["function"]
    np.testing.assert_array_equal(values, x**2)
    np.testing.assert_array_equal(drawn["derivative"][1], 2 * x)


def test_activation_draws_an_operation_as_it_is_after_training() -> None:
    framework.seed(0)
    x, values = curves(plots.activation(Dropout(0.5)))["function"]
    np.testing.assert_array_equal(values, x)


def test_activation_draws_layers_of_one_input() -> None:
    dense = Dense(1, 1)
    dense.weights, dense.biases = [[2.0]], [[1.0]]
    drawn = curves(plots.activation(dense))
    x, values = drawn["function"]
    np.testing.assert_allclose(values, 2 * x + 1)
    np.testing.assert_array_equal(drawn["derivative"][1], 2)
    x, values = curves(plots.activation(BatchNormalization(1)))["function"]
    np.testing.assert_allclose(values, x, rtol=1e-3)


@pytest.mark.parametrize("subject", [5, Tanh])
def test_activation_of_what_is_no_operation_says_so(subject: Any) -> None:
    with pytest.raises(TypeError, match="an operation needs forward and backward methods"):
        plots.activation(subject)


def test_activation_of_a_layer_with_more_inputs_says_how_many_it_takes() -> None:
    with pytest.raises(ValueError, match="3"):
        plots.activation(Dense(3, 1))


def test_activation_needs_low_below_high() -> None:
    with pytest.raises(ValueError, match="low must be below high"):
        plots.activation(Tanh(), low=1, high=1)


# weights


def test_weights_draws_one_picture_for_each_neuron() -> None:
    layer = Dense(6, 5)
    layer.weights = np.linspace(-1, 1, 30).reshape(6, 5)
    grid = plots.weights(layer, (2, 3))
    assert grid.shape == (2, 3)
    drawn = [ax for ax in grid.flat if ax.images]
    assert len(drawn) == 5
    scale = np.quantile(np.abs(layer.weights), 0.995)
    for neuron, ax in enumerate(drawn):
        picture = ax.images[0]
        assert picture.get_clim() == (-1, 1)
        expected = np.clip(layer.weights[:, neuron].reshape(2, 3) / scale, -1, 1)
        np.testing.assert_allclose(picture.get_array(), expected, rtol=1e-6)


def test_weights_of_colour_images_are_colours_around_grey() -> None:
    layer = Dense(12, 1)
    layer.weights = np.tile([[1.0], [0.0], [-1.0]], (4, 1))
    picture = plots.weights(layer, (2, 2, 3))[0, 0].images[0].get_array()
    np.testing.assert_allclose(picture, np.broadcast_to([1, 0.5, 0], (2, 2, 3)))


def test_weights_that_are_all_zero_are_drawn() -> None:
    layer = Dense(4, 1, weight_initializer="zeros")
    assert (plots.weights(layer, (2, 2, 1))[0, 0].images[0].get_array() == 0).all()


@pytest.mark.parametrize("neurons", [1, 2, 9])
def test_weights_says_how_large_they_are_where_there_is_room(neurons: int) -> None:
    layer = Dense(4, neurons, weight_initializer="zeros")
    layer.weights = np.linspace(-0.75, 0.5, 4 * neurons).reshape(4, neurons)
    figure = plots.weights(layer, (2, 2))[0, 0].figure
    assert figure.get_suptitle().endswith("largest ±0.75")
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.width


def test_weights_leaves_the_title_of_a_figure_given_as_it_is() -> None:
    figure = Figure()
    figure.suptitle("first layer")
    plots.weights(Dense(4, 1), (2, 2), figure=figure)
    assert figure.get_suptitle() == "first layer"


def test_weights_draws_at_most_as_many_neurons_as_asked_for() -> None:
    grid = plots.weights(Dense(4, 100), (2, 2), neurons=4)
    assert grid.shape == (2, 2)


@pytest.mark.parametrize(
    ("layer", "shape", "error", "message"),
    [
        (Dense(5, 2), (2, 2), ValueError, r"weights of shape \(5, 2\).*need \(4, neurons\)"),
        (Dense(4, 2), (4,), ValueError, r"must be \(height, width\)"),
        (Dense(4, 2), 4, TypeError, r"\(height, width, 1\) or .*, received 4"),
        (Dense(8, 2), (2, 2, 2), ValueError, r"must be \(height, width\)"),
        (ReLU(), (2, 2), TypeError, r"ReLU\(\) has no weights"),
    ],
)
def test_weights_says_what_does_not_fit(
    layer: Operation, shape: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.weights(layer, shape)


# gradient_flow


def test_gradient_flow_draws_the_sizes_of_what_the_operations_stored(
    model: Model, spiral: Data
) -> None:
    X, y = spiral
    model.calculate_loss(X, y)
    model.backward(y)
    drawn = curves(plots.gradient_flow(model))
    outputs = [rms(layer.output) for layer in model.layers]
    gradients = [rms(layer.dinputs) for layer in model.layers[1:]]
    np.testing.assert_allclose(drawn["size of the output"][1], outputs)
    np.testing.assert_allclose(drawn["size of its gradient"][1], [*gradients, np.nan])


def test_gradient_flow_of_a_batch_draws_the_same_and_leaves_the_model_alone(
    model: Model, spiral: Data
) -> None:
    X, y = spiral
    of_a_batch = curves(plots.gradient_flow(model, X, y))
    assert not hasattr(model.layers[0], "output")
    model.calculate_loss(X, y)
    model.backward(y)
    for label, curve in curves(plots.gradient_flow(model)).items():
        np.testing.assert_array_equal(of_a_batch[label], curve)


def test_gradient_flow_can_be_drawn_after_training(model: Model, spiral: Data) -> None:
    model.train(*spiral, epochs=1, batch_size=None, progress=False)
    drawn = curves(plots.gradient_flow(model))
    assert np.isfinite(drawn["size of its gradient"][1][:3]).all()


def test_gradient_flow_marks_what_is_exactly_zero(spiral: Data) -> None:
    model = Model([Dense(2, 4, weight_initializer="zeros"), ReLU(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    ax = plots.gradient_flow(model, *spiral)
    drawn = curves(ax)
    np.testing.assert_array_equal(np.isnan(drawn["size of the output"][1]), [1, 1, 1, 0])
    np.testing.assert_array_equal(np.isnan(drawn["size of its gradient"][1]), [1, 0, 0, 1])
    marks = [line for line in ax.lines if line.get_marker() == "v"]
    # Outputs of the first three, a little to the left; the gradient of the first, to the right.
    at = [np.round(line.get_xdata(), 2).tolist() for line in marks]
    assert at == [[0.92, 1.92, 2.92], [1.08]]
    for line, color in zip(marks, (plots.COLOURS[0], WRONG), strict=True):
        assert to_rgb(line.get_color()) == to_rgb(color)


def test_gradient_flow_says_how_many_units_are_dead(spiral: Data) -> None:
    model = Model([Dense(2, 4), ReLU(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    model.layers[0].biases = [[-100, 100, -100, -100]]
    labels = plots.gradient_flow(model, *spiral).get_xticklabels()
    assert [label.get_text() for label in labels] == [
        "Dense 4",
        "ReLU 4\n3 dead",
        "Dense 3",
        "Softmax 3",
    ]


@pytest.mark.parametrize("normalized", [False, True])
def test_names_of_operations_do_not_overlap(normalized: bool, spiral: Data) -> None:
    norm = [BatchNormalization(1024), BatchNormalization(1024)] if normalized else []
    model = Model([Dense(2, 1024), *norm, ReLU(), Dense(1024, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    ax = plots.gradient_flow(model, *spiral)
    ax.figure.canvas.draw()
    labels = ax.get_xticklabels()
    assert labels[0].get_rotation() == (90 if normalized else 0)
    assert not overlap(labels)


def test_gradient_flow_needs_a_backward_pass_or_a_whole_batch(model: Model, spiral: Data) -> None:
    X, y = spiral
    with pytest.raises(RuntimeError, match=r"call calculate_loss\(X, y\) and then backward"):
        plots.gradient_flow(model)
    with pytest.raises(ValueError, match="both X and y, or neither"):
        plots.gradient_flow(model, X)
    model.calculate_loss(X, y)
    model.backward(y)
    model.predict(X[:5])
    with pytest.raises(RuntimeError, match="gradients of one batch"):
        plots.gradient_flow(model)


# decision_boundary


@pytest.mark.parametrize("encode", [lambda y: y, lambda y: one_hot_encode(y, 3)])
def test_decision_boundary_draws_every_point_and_gives_the_wrong_ones_a_dark_rim(
    model: Model, spiral: Data, encode: Any
) -> None:
    X, y = spiral
    ax = plots.decision_boundary(model, X, encode(y), resolution=10)
    right, wrong = ax.collections
    mistakes = model.predict_classes(X) != y
    np.testing.assert_allclose(right.get_offsets(), X[~mistakes])
    np.testing.assert_allclose(wrong.get_offsets(), X[mistakes])
    assert to_rgb(wrong.get_edgecolor()[0]) == to_rgb("black")
    assert ax.get_title() == f"{1 - mistakes.mean():.1%} of 60 points right"
    assert ax.images[0].get_array().shape == (10, 10, 3)


def test_a_model_with_one_output_has_a_boundary_too(spiral: Data) -> None:
    X, y = spiral
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy())
    model.finalize()
    ax = plots.decision_boundary(model, X, (y > 0).reshape(-1, 1), resolution=5)
    assert sum(len(points.get_offsets()) for points in ax.collections) == 60


def test_decision_boundary_has_the_colour_of_the_class_paler_where_unsure() -> None:
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy())
    model.finalize()
    model.layers[0].weights = [[100.0], [0.0]]  # class 1 on the right, for certain
    ax = plots.decision_boundary(model, [[-1, -1], [1, 1]], [0, 1], resolution=11)
    shades = ax.images[0].get_array()
    for column, colour in ((0, plots.COLOURS[0]), (-1, plots.COLOURS[1])):
        strongest = 1 - 0.6 * (1 - np.array(to_rgb(colour)))
        np.testing.assert_allclose(shades[5, column], strongest, atol=1e-6)
    assert shades[5, 5].min() > shades[5, 0].min()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 5)), [0, 0, 0], r"shape \(samples, 2\), received \(3, 5\)"),
        (np.zeros((3, 2)), [0, 0], r"one class for each of 3 samples"),
    ],
)
def test_decision_boundary_says_what_does_not_fit(
    model: Model, X: np.ndarray, y: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.decision_boundary(model, X, y)


# decision_boundary_video


def test_a_gif_shows_the_boundary_before_while_and_after_it_learns(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.gif"
    history = plots.decision_boundary_video(
        model, *spiral, path, epochs=5, every=2, fps=4, resolution=10, progress=False
    )
    assert len(history) == 5
    with Image.open(path) as video:
        assert video.n_frames == 4  # before, after epochs 2 and 4, and at the end
        assert video.info["duration"] == 250
        first = np.asarray(video.convert("RGB"))
        video.seek(3)
        assert (first != np.asarray(video.convert("RGB"))).any()


def test_a_page_has_one_picture_for_each_position_of_its_slider(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.html"
    plots.decision_boundary_video(
        model, *spiral, path, epochs=3, fps=5, resolution=10, progress=False
    )
    page = path.read_text()
    assert len(re.findall(r"frames\[\d+\] = \"data:image/png;base64", page)) == 4
    assert 'type="range"' in page
    assert os.listdir(tmp_path) == ["spiral.html"]


def test_a_page_loads_nothing_from_elsewhere_and_has_text_on_its_buttons(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    path = tmp_path / "spiral.HTML"
    plots.decision_boundary_video(
        model, *spiral, path, epochs=1, resolution=5, callbacks=None, progress=False
    )
    page = path.read_text(encoding="utf-8")
    assert "https://" not in page
    assert "http://" not in page
    assert "<link" not in page
    buttons = dict(re.findall(r'<button title="([^"]*)"[^>]*>(.*?)</button>', page, re.DOTALL))
    assert buttons == SYMBOLS


def test_a_video_that_cannot_be_written_leaves_the_old_file(
    model: Model, spiral: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError("no space left")

    path = tmp_path / "v.gif"
    path.write_text("old")
    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="no space left"):
        plots.decision_boundary_video(model, *spiral, path, epochs=1, resolution=5, progress=False)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["v.gif"]


def test_a_video_trains_the_model_as_train_does(model: Model, spiral: Data, tmp_path: Path) -> None:
    X, y = spiral
    start = model.get_parameters()
    framework.seed(1)
    model.train(X, y, epochs=3, batch_size=16, progress=False)
    expected = model.parameters.weights.copy()

    model.set_parameters(start)
    model.set(optimizer=Adam(0.02))
    framework.seed(1)
    plots.decision_boundary_video(
        model, X, y, tmp_path / "v.gif", epochs=3, resolution=5, batch_size=16, progress=False
    )
    np.testing.assert_array_equal(model.parameters.weights, expected)


def test_the_last_picture_is_of_the_parameters_that_early_stopping_went_back_to(
    model: Model, spiral: Data, tmp_path: Path
) -> None:
    model.set(optimizer=SGD(learning_rate=20.0))  # jumps about, so that some epoch is worse
    stopping = EarlyStopping("loss", patience=1)
    plots.decision_boundary_video(
        model,
        *spiral,
        tmp_path / "v.gif",
        epochs=50,
        resolution=5,
        callbacks=[stopping],
        progress=False,
    )
    assert stopping.reason
    expected = model.get_parameters()
    model.set_parameters(stopping._best_parameters)
    for one, other in zip(expected, model.get_parameters(), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("v.mp4", {}, ValueError, r"must end with .gif or .html, received '.mp4'"),
        ("v", {}, ValueError, r"must end with .gif or .html"),
        ("missing/v.gif", {}, OSError, r"cannot be written"),
        ("v.gif", {"every": 0}, ValueError, r"every must be at least 1"),
        ("v.gif", {"fps": 0}, ValueError, r"fps must be at least 1"),
        ("v.gif", {"resolution": 0}, ValueError, r"resolution must be at least 1"),
        ("v.gif", {"resolution": 2.5}, TypeError, r"resolution must be a whole number"),
        ("v.gif", {"epochs": 0}, ValueError, r"epochs must be at least 1"),
    ],
)
def test_a_video_that_cannot_be_made_is_refused_before_training(
    model: Model,
    spiral: Data,
    tmp_path: Path,
    name: str,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        plots.decision_boundary_video(
            model, *spiral, tmp_path / name, **{"resolution": 5, **options}
        )
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert not list(tmp_path.iterdir())


def test_a_model_without_classes_is_refused_before_training(tmp_path: Path) -> None:
    model = Model([Dense(2, 1), Linear()])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.raises(ValueError, match=r"predict_classes needs Softmax\(\) or Sigmoid\(\) last"):
        plots.decision_boundary_video(model, np.zeros((4, 2)), np.zeros(4), tmp_path / "v.gif")
    assert not list(tmp_path.iterdir())


def test_a_training_that_fails_leaves_no_video(model: Model, spiral: Data, tmp_path: Path) -> None:
    model.set(optimizer=SGD(learning_rate=1e38))
    with pytest.raises(FloatingPointError):
        plots.decision_boundary_video(
            model, *spiral, tmp_path / "v.html", epochs=9, resolution=5, progress=False
        )
    assert not list(tmp_path.iterdir())


# learning_curves


def test_learning_curves_are_the_lists_of_the_history(model: Model, spiral: Data) -> None:
    history = model.train(*spiral, epochs=3, validation_data=spiral, progress=False)
    ax = history.plot()
    left, right = (
        {label: list(curve[1]) for label, curve in curves(axes).items()} for axes in ax.figure.axes
    )
    assert left == {"loss": history.loss, "val. loss": history.val_loss}
    assert right == {"accuracy": history.accuracy, "val. accuracy": history.val_accuracy}
    np.testing.assert_array_equal(curves(ax)["loss"][0], [1, 2, 3])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*left, *right]


def test_learning_curves_without_an_accuracy_have_one_axis() -> None:
    ax = plots.learning_curves(History(loss=[3.0]))
    assert ax.figure.axes == [ax]
    assert ax.lines[0].get_marker() == "o"  # a line through one point would not be seen


def test_one_epoch_of_training_and_of_validation_can_be_told_apart() -> None:
    ax = plots.learning_curves(History(loss=[3.0], val_loss=[3.0]))
    assert [line.get_markerfacecolor() for line in ax.lines] == [plots.COLOURS[0], "none"]
    assert ax.lines[0].get_markersize() < ax.lines[1].get_markersize()


@pytest.mark.parametrize("epochs", [1, 2, 3, 50])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    ax = plots.learning_curves(History(loss=[1.0] * epochs))
    assert all(tick == int(tick) for tick in ax.get_xticks())


@pytest.mark.parametrize(("lowest", "bottom"), [(0.92, 0.9), (0.1, 0.0), (1.0, 0.9875)])
def test_the_axis_of_the_accuracy_begins_a_little_below_it(lowest: float, bottom: float) -> None:
    history = History(loss=[1.0, 1.0], accuracy=[lowest, 1.0])
    right = plots.learning_curves(history).figure.axes[1]
    assert right.get_ylim()[0] == pytest.approx(bottom)
    assert 1 < right.get_ylim()[1] < 1.05


@pytest.mark.parametrize("beside", [1, 3])
def test_the_legend_of_learning_curves_covers_nothing(beside: int) -> None:
    history = History(loss=[1.0, 0.5], accuracy=[0.1, 1.0], val_loss=[1, 2], val_accuracy=[0, 1])
    figure = plt.figure(figsize=(2 + 3 * beside, 4), layout="constrained")
    ax, *others = figure.subplots(1, beside, squeeze=False).flat
    plots.learning_curves(history, ax)
    figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in [ax, *others])
    assert not legend.overlaps(ax.title.get_window_extent())
    assert legend.x0 >= 0
    assert legend.x1 <= ax.figure.bbox.width


def test_learning_curves_of_no_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match="no completed epochs"):
        plots.learning_curves(History())
