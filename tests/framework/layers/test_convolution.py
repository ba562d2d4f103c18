"""Conv1D and Conv2D against loops over every index, numerical gradients, and PyTorch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from framework import (
    Conv1D,
    Conv2D,
    Dense,
    MaxPooling2D,
    Model,
    ReLU,
    Sequential,
    check_gradients,
)
from tests.framework.layers.windowed import filled, windows
from tests.strategies import Array, generator, window_options

CLASSES: dict[int, Any] = {1: Conv1D, 2: Conv2D}
PADDINGS = {1: ("valid", "same", "causal"), 2: ("valid", "same")}


@st.composite
def convolutions(draw: st.DrawFn, most: int = 5) -> tuple[Any, Array]:
    """A layer, and inputs down to one sample, one pixel, and no larger than the kernel."""
    axes = draw(st.sampled_from([1, 2]))
    random = generator(draw)
    lengths = [draw(st.integers(1, most)) for _ in range(axes)]
    samples, channels, filters = (draw(st.integers(1, 3)) for _ in range(3))
    layer = CLASSES[axes](
        channels,
        filters,
        **draw(window_options(axes, PADDINGS[axes])),
        bias_initializer="normal",
        use_bias=draw(st.booleans()),
        dtype="float64",
    )
    try:
        layer.output_shape((*lengths, channels))
    except ValueError:
        assume(False)
    return layer, random.normal(size=(samples, *lengths, channels))


@given(drawn=convolutions())
def test_output_is_the_sum_of_the_formula(drawn: tuple[Any, Array]) -> None:
    layer, inputs = drawn
    places, values = [], []
    for place, seen in windows(
        inputs, layer.kernel_size, layer.stride, layer.dilation, layer.padding
    ):
        value = np.zeros((len(inputs), layer.n_filters))
        for position, at in seen:
            value += inputs[(slice(None), *at)] @ layer.weights[position]
        places.append(place)
        values.append(value + (layer.biases if layer.use_bias else 0))
    np.testing.assert_allclose(layer.forward(inputs), filled(places, values), rtol=0, atol=1e-12)


@settings(max_examples=25)
@given(drawn=convolutions(most=4))
def test_gradients_are_those_of_differences(drawn: tuple[Any, Array]) -> None:
    report = check_gradients(*drawn)
    assert report.passed, report


@given(drawn=convolutions(most=7))
def test_outputs_and_gradients_are_those_of_pytorch(drawn: tuple[Any, Array]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    layer, inputs = drawn
    axes = inputs.ndim - 2
    # PyTorch's padding is the same on both sides, so it is done by hand: last axis first.
    around = layer.windows.margins(inputs.shape[1:-1])
    theirs = torch.tensor(np.moveaxis(inputs, -1, 1).copy(), requires_grad=True)
    weights = torch.tensor(np.moveaxis(layer.weights, (-1, -2), (0, 1)).copy(), requires_grad=True)
    biases = torch.tensor(layer.biases[0], requires_grad=True) if layer.use_bias else None
    padded = torch.nn.functional.pad(theirs, [n for both in around[::-1] for n in both])
    convolution = [torch.nn.functional.conv1d, torch.nn.functional.conv2d][axes - 1]
    expected = convolution(padded, weights, biases, layer.stride, 0, layer.dilation)
    expected.pow(2).sum().backward()

    def ours(tensor: Any) -> Array:
        return np.moveaxis(tensor.detach().numpy(), 1, -1)

    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}
    output = layer.forward(inputs)
    np.testing.assert_allclose(output, ours(expected), **close)
    np.testing.assert_allclose(layer.backward(2 * output), ours(theirs.grad), **close)
    dweights = np.moveaxis(weights.grad.numpy(), (0, 1), (-1, -2))
    np.testing.assert_allclose(layer.dweights, dweights, **close)
    if biases is not None:
        np.testing.assert_allclose(layer.dbiases[0], biases.grad, **close)


@given(drawn=convolutions())
def test_parameter_gradients_are_those_of_backward(drawn: tuple[Any, Array]) -> None:
    layer, inputs = drawn
    dvalues = np.cos(layer.forward(inputs))
    layer.backward(dvalues)
    expected = [getattr(layer, "d" + name).copy() for name in layer.parameters]
    for name in layer.parameters:
        getattr(layer, "d" + name)[:] = 0
    layer.parameter_gradients(dvalues)
    for name, gradient in zip(layer.parameters, expected, strict=True):
        np.testing.assert_array_equal(getattr(layer, "d" + name), gradient)


def test_many_samples_are_each_of_them_alone() -> None:
    # More than go into the buffer of columns at once: each has 200 KB of them.
    layer = Conv2D(16, 4, 5, padding="same")
    images = np.random.default_rng(0).normal(size=(17, 12, 12, 16)).astype(np.float32)
    output = layer.forward(images)
    for image, expected in zip(images, output, strict=True):
        np.testing.assert_allclose(
            layer.forward(image[np.newaxis])[0], expected, rtol=1e-5, atol=1e-5
        )


def test_a_kernel_of_one_pixel_is_a_dense_layer() -> None:
    dense, layer = Dense(3, 2, dtype="float64"), Conv2D(3, 2, 1, dtype="float64")
    layer.weights = dense.weights.reshape(1, 1, 3, 2)
    images = np.random.default_rng(0).normal(size=(2, 4, 5, 3))
    np.testing.assert_allclose(layer.forward(images), dense.forward(images), rtol=1e-13)


@pytest.mark.parametrize(
    "layer", [Conv2D(1, 1, 2, padding="same"), Conv1D(1, 1, 2, padding="same")]
)
def test_an_odd_padding_has_its_larger_half_at_the_end(layer: Any) -> None:
    # So the first output sees the first inputs, and the last one sees one input and the padding.
    layer.weights = np.ones_like(layer.weights)
    output = layer.forward(np.ones((1, *[3] * (layer.weights.ndim - 2), 1)))
    assert output.flat[0] == layer.weights.size
    assert output.flat[-1] == 1


def test_a_causal_output_does_not_see_later_steps() -> None:
    layer = Conv1D(2, 3, 3, padding="causal", dilation=2)
    steps = np.random.default_rng(0).normal(size=(1, 9, 2))
    before = layer.forward(steps)[:, :6]
    steps[:, 6:] = 1000
    np.testing.assert_array_equal(layer.forward(steps)[:, :6], before)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, 8, 0), {}, "kernel_size must be at least 1, received 0"),
        ((1, 8, (3, 3, 3)), {}, r"kernel_size must be a whole number or \(height, width\)"),
        ((1, 8, 3), {"stride": 0}, "stride must be at least 1, received 0"),
        ((1, 8, 3), {"stride": (1, 0)}, "stride must be at least 1, received 0"),
        ((1, 8, 3), {"dilation": 0}, "dilation must be at least 1, received 0"),
        ((1, 8, 3), {"padding": -1}, "padding must be at least 0, received -1"),
        ((1, 8, 3), {"padding": "smae"}, "padding must be 'valid', 'same' or whole numbers"),
        ((1, 8, 3), {"padding": "causal"}, "padding must be 'valid', 'same' or whole numbers"),
        ((1, 8, 3), {"use_bias": False, "bias_regularizer_l2": 1}, "there are no biases"),
        ((0, 8, 3), {}, "n_channels must be at least 1"),
        ((1, 0, 3), {}, "n_filters must be at least 1"),
    ],
)
def test_impossible_arguments_are_refused(
    arguments: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Conv2D(*arguments, **options)


def test_sizes_that_are_no_whole_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="stride must be a whole number, received 1.5"):
        Conv2D(1, 8, 3, stride=1.5)  # type: ignore[arg-type]


REFUSED = [
    ((5, 28, 28), "no axis for channels; X[..., np.newaxis] adds one"),
    ((28, 28, 1), "one sample needs an axis before it: X[np.newaxis]"),
    ((5, 1, 28, 28), "the last axis has 28 values; are these channels first?"),
    ((5, 28, 28, 3), "Conv2D(1, 8, 3) expects inputs of shape (samples, height, width, 1)"),
    ((5, 784), "Reshape((height, width, channels)) makes images of rows"),
    ((5, 28, 2, 1), "no window of 3 × 3 fits into padded inputs of 28 × 2"),
    ((5, 0, 0, 1), "no window of 3 × 3 fits into padded inputs of 0 × 0"),
    ((), "expects inputs of shape (samples, …)"),
]


@pytest.mark.parametrize(("shape", "message"), REFUSED)
def test_inputs_of_another_shape_are_refused_with_the_likely_mistake(
    shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match="expects") as caught:
        Conv2D(1, 8, 3).forward(np.ones(shape))
    assert message in str(caught.value)
    assert str(caught.value).endswith(f"received {shape}")


def test_neighbours_that_do_not_fit_are_both_named() -> None:
    network = Sequential([Conv2D(3, 8, 3, padding="same"), MaxPooling2D(), Conv2D(16, 32, 3)])
    with pytest.raises(ValueError, match="expects inputs") as caught:
        network.output_shapes((28, 28, 3))
    assert str(caught.value) == (
        "Conv2D(16, 32, 3) expects inputs of shape (samples, height, width, 16), received "
        "(samples, 14, 14, 8): the operation before it, MaxPooling2D(), after "
        "Conv2D(3, 8, 3, padding='same'), gives shape (14, 14, 8) per sample"
    )


def test_data_with_channels_first_are_named_as_such() -> None:
    model = Model([Conv2D(3, 8, 3), ReLU()])
    model.finalize()
    with pytest.raises(ValueError, match="are these channels first.*: these are the data"):
        model.predict(np.ones((2, 3, 28, 28)))


def test_the_axes_of_a_dense_layer_that_are_not_known_may_be_steps() -> None:
    model = Model([Dense(4, 6), Conv1D(6, 2, 3)])
    model.finalize()
    assert model.predict(np.ones((2, 10, 4))).shape == (2, 8, 2)
    with pytest.raises(ValueError, match=r"Conv1D\(5, 2, 3\) expects .*Dense\(4, 6\), gives 6"):
        Model([Dense(4, 6), Conv1D(5, 2, 3)]).finalize()
