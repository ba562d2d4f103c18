"""Max and average pooling against loops over every window, numerical gradients, and PyTorch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from framework import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Model,
    check_gradients,
)
from tests.framework.layers.windowed import each, filled, windows
from tests.strategies import Array, generator, window_options

MAX: dict[int, Any] = {1: MaxPooling1D, 2: MaxPooling2D}
AVERAGE: dict[int, Any] = {1: AveragePooling1D, 2: AveragePooling2D}


@st.composite
def poolings(draw: st.DrawFn, classes: dict[int, Any], most: int = 5) -> tuple[Any, Array]:
    """A layer and inputs with different values."""
    axes = draw(st.sampled_from([1, 2]))
    options = draw(window_options(axes, ("valid", "same")))
    stride = draw(st.sampled_from([None, options["stride"]]))
    lengths = [draw(st.integers(1, most)) for _ in range(axes)]
    shape = (draw(st.integers(1, 3)), *lengths, draw(st.integers(1, 3)))
    try:
        layer = classes[axes](options["kernel_size"], stride, options["padding"])
        layer.output_shape(shape[1:])
    except ValueError:
        assume(False)
    return layer, generator(draw).normal(size=shape)


def window_values(layer: Any, inputs: Array) -> tuple[list[Any], list[Array]]:
    """Return the places of the output, and the values of each window: (n, samples, channels)."""
    stride = layer.size if layer.stride is None else layer.stride
    found = list(windows(inputs, layer.size, stride, padding=layer.padding))
    values = [np.array([inputs[(slice(None), *at)] for _, at in seen]) for _, seen in found]
    return [place for place, _ in found], values


@given(drawn=poolings(MAX))
def test_max_pooling_is_the_largest_value_of_each_window(drawn: tuple[Any, Array]) -> None:
    layer, inputs = drawn
    places, values = window_values(layer, inputs - 10)  # padding with 0 would win
    expected = filled(places, [value.max(axis=0) for value in values])
    np.testing.assert_array_equal(layer.forward(inputs - 10), expected)


@given(drawn=poolings(AVERAGE))
def test_average_pooling_is_the_mean_of_each_window_without_padding(
    drawn: tuple[Any, Array],
) -> None:
    layer, inputs = drawn
    places, values = window_values(layer, inputs)
    expected = filled(places, [value.mean(axis=0) for value in values])
    np.testing.assert_allclose(layer.forward(inputs), expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=25)
@pytest.mark.parametrize("classes", [MAX, AVERAGE])
@given(data=st.data())
def test_gradients_are_those_of_differences(classes: dict[int, Any], data: Any) -> None:
    report = check_gradients(*data.draw(poolings(classes, most=4)))
    assert report.passed, report


@given(drawn=poolings(MAX, most=6), tied=st.booleans())
def test_max_pooling_is_that_of_pytorch_ties_included(drawn: tuple[Any, Array], tied: bool) -> None:
    layer, inputs = drawn
    inputs = np.round(inputs) if tied else inputs
    assert_same_as_pytorch(layer, inputs, "max")


@given(drawn=poolings(AVERAGE, most=6))
def test_average_pooling_is_that_of_pytorch(drawn: tuple[Any, Array]) -> None:
    assert_same_as_pytorch(*drawn, "avg", count_include_pad=False)


def assert_same_as_pytorch(layer: Any, inputs: Array, kind: str, **options: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    lengths = inputs.shape[1:-1]
    size, stride = layer.windows.size, layer.windows.stride
    padding = layer.padding
    if isinstance(padding, str):
        assume(padding == "valid")  # PyTorch's pooling has no other by name
        padding = 0
    padding = each(padding, lengths)
    assume(all(2 * p <= k for p, k in zip(padding, size, strict=True)))
    pool = getattr(torch.nn.functional, f"{kind}_pool{len(lengths)}d")
    theirs = torch.tensor(np.moveaxis(inputs, -1, 1).copy(), requires_grad=True)
    expected = pool(theirs, size, stride, padding, **options)
    output = layer.forward(inputs)
    dvalues = np.cos(np.arange(output.size)).reshape(output.shape)
    expected.backward(torch.tensor(np.moveaxis(dvalues, -1, 1).copy()))
    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(output, np.moveaxis(expected.detach().numpy(), 1, -1), **close)
    dinputs = np.moveaxis(theirs.grad.numpy(), 1, -1)
    np.testing.assert_allclose(layer.backward(dvalues), dinputs, **close)


@pytest.mark.parametrize("layer", [MaxPooling2D(3, 1, "same"), MaxPooling2D(3, 1, 1)], ids=repr)
@pytest.mark.parametrize("value", [-np.inf, -1e300, 0.0])
def test_a_tie_goes_to_the_first_that_is_no_padding(layer: Any, value: float) -> None:
    layer.forward(np.full((1, 2, 3, 1), value))
    # The windows around the pixels begin at the first and the second pixel of the first row.
    expected = [[4, 2, 0], [0, 0, 0]]
    np.testing.assert_array_equal(layer.backward(np.ones((1, 2, 3, 1)))[0, :, :, 0], expected)


def test_the_gradient_goes_to_the_last_nan_as_in_pytorch() -> None:
    inputs = np.array([3, 5, np.nan, 7, np.nan, 1, 2, np.nan, 9.0]).reshape(1, 9, 1)
    layer = MaxPooling1D(3)
    output = layer.forward(inputs)
    np.testing.assert_array_equal(output.ravel(), [np.nan] * 3)
    dinputs = layer.backward([[[1.0], [2.0], [4.0]]])
    np.testing.assert_array_equal(dinputs.ravel(), [0, 0, 1, 0, 2, 0, 0, 4, 0])
    layer.forward(np.array([np.nan, 5, np.nan]).reshape(1, 3, 1))
    np.testing.assert_array_equal(layer.backward([[[1.0]]]).ravel(), [0, 0, 1])
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    theirs = torch.tensor([[[3, np.nan, 7, np.nan, 1, 2.0]]], requires_grad=True)
    torch.nn.functional.max_pool1d(theirs, 6).sum().backward()
    layer = MaxPooling1D(6)
    layer.forward(theirs.detach().numpy().reshape(1, 6, 1))
    np.testing.assert_array_equal(layer.backward([[[1.0]]]).ravel(), theirs.grad.ravel())


def test_the_gradient_is_that_of_all_overlapping_windows() -> None:
    layer = MaxPooling1D(2, stride=1)
    layer.forward([[[1.0], [5.0], [2.0]]])
    np.testing.assert_array_equal(layer.backward([[[10.0], [1.0]]])[0, :, 0], [0, 11, 0])
    assert layer.kink_sides()[0, :, 0].tolist() == [1, 0]


GLOBAL = [
    (GlobalAveragePooling1D, 1, np.mean),
    (GlobalAveragePooling2D, 2, np.mean),
    (GlobalMaxPooling1D, 1, np.max),
    (GlobalMaxPooling2D, 2, np.max),
]


@pytest.mark.parametrize(("cls", "axes", "reduce"), GLOBAL)
@given(data=st.data())
def test_global_pooling_is_over_all_places(cls: Any, axes: int, reduce: Any, data: Any) -> None:
    shape = [data.draw(st.integers(1, 4)) for _ in range(axes + 2)]
    inputs = generator(data.draw).normal(size=shape)
    expected = reduce(inputs.reshape(shape[0], -1, shape[-1]), axis=1)
    np.testing.assert_allclose(cls().forward(inputs), expected, rtol=1e-12, atol=1e-15)
    report = check_gradients(cls(), inputs)
    assert report.passed, report


def test_a_tie_of_global_max_pooling_goes_to_the_first() -> None:
    layer = GlobalMaxPooling2D()
    layer.forward(np.reshape([[1.0, 2.0], [2.0, 2.0]], (1, 2, 2, 1)))
    np.testing.assert_array_equal(layer.backward([[7.0]])[0, :, :, 0], [[0, 7], [0, 0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "size must be at least 1, received 0"),
        ((2, 0), "stride must be at least 1, received 0"),
        ((2, None, 2), "padding must be less than the size, 2, .* received 2"),
        (((3, 2), None, (2, 2)), r"padding must be less than the size, \(3, 2\)"),
        ((2, None, "full"), "padding must be 'valid', 'same' or whole numbers, received 'full'"),
    ],
)
@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
def test_impossible_arguments_are_refused(cls: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(*arguments)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (MaxPooling2D(3), (5, 2, 4, 8), "no window of 3 × 3 fits into padded inputs of 2 × 4, so"),
        (MaxPooling2D(), (5, 1, 28, 28), "The last axis has 28 values; are these channels first?"),
        (AveragePooling2D(), (5, 28, 28), "no axis for channels"),
        (AveragePooling1D(), (5, 28), "no axis for channels"),
        (GlobalMaxPooling2D(), (5, 28, 28), "no axis for channels"),
        (GlobalMaxPooling1D(), (5, 0, 3), "has nothing to pool"),
        (GlobalAveragePooling2D(), (5, 7), "expects inputs of shape (samples, height, width,"),
    ],
    ids=repr,
)
def test_inputs_of_another_shape_are_refused(
    layer: Any, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match="expects") as caught:
        layer.forward(np.ones(shape))
    assert message in str(caught.value)


def test_a_pooling_that_leaves_nothing_names_the_operation_before_it() -> None:
    model = Model([Conv1D(2, 3, 2), MaxPooling1D(4)])
    model.finalize()
    with pytest.raises(ValueError, match=r"no window of 4 .* Conv1D\(2, 3, 2\), gives shape"):
        model.predict(np.ones((5, 4, 2)))


def test_poolings_are_summarized_with_the_shapes_of_the_data_last_seen(capsys: Any) -> None:
    model = Model([MaxPooling2D(), GlobalAveragePooling2D()])
    model.finalize()
    model.predict(np.ones((2, 9, 8, 3)))
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[1:5] == ["(samples,", "4,", "4,", "3)"]
    assert lines[3].split()[1:3] == ["(samples,", "3)"]
