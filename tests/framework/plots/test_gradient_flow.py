"""``gradient_flow``."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Dense,
    Linear,
    MeanSquaredError,
    Model,
    ReLU,
    Scale,
    Softmax,
    Tanh,
    plots,
)
from framework.utils.figures import WRONG
from tests.framework.plots.support import Data, curves, overlap


def rms(array: np.ndarray) -> float:
    return np.sqrt(np.mean(np.square(array, dtype=np.float64)))


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


def lines_below(ax: Axes) -> list[str]:
    first, *lines = ax.get_xlabel().split("\n")
    assert first == "operation"
    return lines


def test_gradient_flow_says_why_operations_have_no_gradient(spiral: Data) -> None:
    model = Model([Scale(2.0), Linear(), Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    assert lines_below(plots.gradient_flow(model, *spiral)) == [
        "Scale to Linear: nothing to train, no gradient needed",
        "Softmax: fused with the loss, no own gradient",
    ]


def test_where_all_have_a_gradient_there_is_nothing_to_explain(spiral: Data) -> None:
    model = Model([Dense(2, 3), Tanh()])
    model.set(loss=MeanSquaredError())
    model.finalize()
    ax = plots.gradient_flow(model, spiral[0], np.zeros((60, 3)))
    assert np.isfinite(curves(ax)["size of its gradient"][1]).all()
    assert lines_below(ax) == []


def test_explanations_fit_below_narrow_axes(model: Model, spiral: Data) -> None:
    figure = plt.figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 3)
    for ax in axes:
        plots.gradient_flow(model, *spiral, ax)
    figure.canvas.draw()
    assert not overlap([ax.xaxis.label for ax in axes])
