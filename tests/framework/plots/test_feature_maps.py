"""``feature_maps``: what each operation makes of an image."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    Flatten,
    MaxPooling2D,
    Model,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    plots,
)
from tests.framework.plots.support import overlap

IMAGE = np.random.default_rng(0).random((6, 6, 1))


@pytest.fixture
def network() -> Model:
    operations = [Conv2D(1, 3, 3), ReLU(), MaxPooling2D(2), Flatten(), Dense(12, 2), Softmax()]
    model = Model(operations)
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    return model


def drawn(row: np.ndarray) -> np.ndarray:
    return np.array([ax.images[0].get_array() for ax in row if ax.images])


def names(grid: np.ndarray) -> list[str]:
    return [row[0].get_ylabel() for row in grid]


def test_there_is_a_row_for_each_operation_and_a_map_for_each_channel(network: Model) -> None:
    grid = plots.feature_maps(network, IMAGE)
    assert names(grid) == [
        "image\n6 × 6",
        "1 Conv2D\n4 × 4 × 3",
        "2 ReLU\n4 × 4 × 3",
        "3 MaxPooling2D\n2 × 2 × 3",
    ]
    np.testing.assert_array_equal(drawn(grid[0]), [IMAGE[..., 0]])
    values = IMAGE[np.newaxis]
    for row, layer in zip(grid[1:], network.layers, strict=False):
        values = layer.forward(values, training=False)
        np.testing.assert_allclose(drawn(row), np.moveaxis(values[0], -1, 0), rtol=1e-6)
        largest = np.abs(values).max()
        np.testing.assert_allclose(
            [ax.images[0].get_clim() for ax in row], [(-largest, largest)] * 3, rtol=1e-6
        )


def test_some_operations_and_the_first_maps_can_be_chosen(network: Model) -> None:
    convolution, relu = network.layers[:2]
    grid = plots.feature_maps(network, IMAGE, [relu, convolution], maps=2)
    assert grid.shape == (3, 2)
    assert [name.split("\n")[0] for name in names(grid)] == ["image", "2 ReLU", "1 Conv2D"]
    assert [ax.get_title() for ax in grid[1]] == ["0", "1"]


def test_a_batch_of_one_is_one_image(network: Model) -> None:
    one = plots.feature_maps(network, IMAGE)
    other = plots.feature_maps(network, IMAGE[np.newaxis])
    np.testing.assert_array_equal(drawn(other[3]), drawn(one[3]))


def test_operations_inside_a_sequential_have_rows_of_their_own() -> None:
    model = Model([Sequential([Conv2D(1, 2, 3), ReLU()]), Conv2D(2, 1, 3)])
    model.finalize()
    grid = plots.feature_maps(model, IMAGE)
    assert [name.split()[1] for name in names(grid)[1:]] == ["Conv2D", "ReLU", "Conv2D"]
    assert [len(drawn(row)) for row in grid] == [1, 2, 2, 1]


def test_operations_inside_a_residual_come_before_their_sum_under_their_branch() -> None:
    inner = Residual([Conv2D(2, 2, 3, padding="same")])
    block = Residual([Sequential([Conv2D(1, 2, 3), ReLU()]), inner], shortcut=[Conv2D(1, 2, 3)])
    model = Model([ReLU(), block, Flatten(), Dense(32, 2)])
    model.finalize()
    grid = plots.feature_maps(model, IMAGE)
    rows = {name.split("\n")[0]: drawn(row) for name, row in zip(names(grid), grid, strict=True)}
    assert list(rows) == [
        "image",
        "1 ReLU",
        "2.operations.1 Conv2D",
        "2.operations.2 ReLU",
        "2.operations.3.operations.1 Conv2D",
        "2.operations.3 Residual",
        "2.shortcut.1 Conv2D",
        "2 Residual",
    ]
    model.forward(IMAGE[np.newaxis], training=False)
    for name, operation in (
        ("2.operations.3.operations.1 Conv2D", inner.operations[0]),
        ("2.shortcut.1 Conv2D", block.shortcut[0]),
        ("2 Residual", block),
    ):
        expected = np.moveaxis(operation.output[0], -1, 0)
        np.testing.assert_allclose(rows[name], expected, rtol=1e-6)
    one = plots.feature_maps(model, IMAGE, [inner.operations[0]])
    assert names(one)[1].startswith("2.operations.3.operations.1 Conv2D")


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_images_of_any_number_of_channels_are_drawn(channels: int) -> None:
    model = Model([Conv2D(channels, 2, 3)])
    model.finalize()
    image = np.random.default_rng(0).random((6, 6, channels))
    picture = np.asarray(plots.feature_maps(model, image)[0, 0].images[0].get_array())
    if channels == 4:  # colours and opacity
        np.testing.assert_array_equal(picture, image)
    else:
        np.testing.assert_array_equal(picture[:6, 7:13], image[..., 1])


def test_feature_maps_leaves_the_model_as_it_was() -> None:
    model = Model([Conv2D(1, 2, 3), BatchNormalization(2)])
    model.finalize()
    before = model.forward(np.ones((4, 6, 6, 1)), training=True)
    mean = model.layers[1].running_mean.copy()
    plots.feature_maps(model, IMAGE)
    assert model.layers[1].output is before
    np.testing.assert_array_equal(model.layers[1].running_mean, mean)
    assert model.input_shape is None


def test_maps_that_are_all_zero_are_drawn() -> None:
    model = Model([Conv2D(1, 1, 3, weight_initializer="zeros")])
    model.finalize()
    assert not drawn(plots.feature_maps(model, IMAGE)[1]).any()


def test_names_are_beside_each_other_and_inside_the_figure() -> None:
    model = Model([Conv2D(1, 9, 3), BatchNormalization(9), ReLU()])
    model.finalize()
    grid = plots.feature_maps(model, IMAGE)
    figure = grid[0, 0].figure
    figure.canvas.draw()
    labels = [row[0].yaxis.label for row in grid]
    assert not overlap(labels)
    assert min(label.get_window_extent().x0 for label in labels) > 0


def test_feature_maps_can_be_drawn_in_a_part_of_a_figure(network: Model) -> None:
    left, right = plt.figure(layout="constrained").subfigures(1, 2)
    grid = plots.feature_maps(network, IMAGE, figure=right)
    assert set(grid.flat) < set(right.axes)
    assert not left.axes


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE[..., 0], r"X\[..., np.newaxis\] adds one"),
        (np.ones((3, 6, 6, 1)), r"one image is expected, received 3"),
        (np.ones((6, 6, 2)), r"Conv2D\(1, 3, 3\) expects"),
        (np.ones(36), r"or \(samples, height, width, channels\), received \(1, 36\)"),
        (np.ones((2, 2, 1)), r"no window of 3 × 3 fits"),
        (np.full((6, 6, 1), np.nan), r"must be finite"),
    ],
)
def test_feature_maps_says_which_images_do_not_fit(
    image: np.ndarray, message: str, network: Model
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.feature_maps(network, image)


def test_feature_maps_says_where_there_are_no_maps(network: Model) -> None:
    flatten = network.layers[3]
    dense = Model([Flatten(), Dense(36, 2)])
    dense.finalize()
    cases: list[tuple[Model, Any, str]] = [
        (network, [flatten], r"output of Flatten\(\) is \(12,\), but maps have"),
        (network, [ReLU()], r"ReLU\(\) is no operation of Model"),
        (network, [], r"such as Conv2D, received none"),
        (dense, None, r"such as Conv2D, received none, of Model\(\[Flatten\(\), Dense"),
    ]
    for model, layers, message in cases:
        with pytest.raises(ValueError, match=message):
            plots.feature_maps(model, IMAGE, layers)


@pytest.mark.parametrize("layers", [Conv2D(1, 3, 3), 3, "conv"])
def test_feature_maps_says_what_is_no_list_of_layers(layers: Any, network: Model) -> None:
    with pytest.raises(TypeError, match="layers must be a list of operations of the model"):
        plots.feature_maps(network, IMAGE, layers)


def test_feature_maps_says_what_is_no_model_and_no_figure(network: Model) -> None:
    with pytest.raises(TypeError, match=r"a Model is expected, received Conv2D\(1, 3, 3\)"):
        plots.feature_maps(network.layers[0], IMAGE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="figure must be a figure or subfigure of matplotlib"):
        plots.feature_maps(network, IMAGE, figure="maps")


def test_feature_maps_needs_a_finalized_model() -> None:
    with pytest.raises(RuntimeError, match="not finalized"):
        plots.feature_maps(Model([Conv2D(1, 1, 3)]), IMAGE)
