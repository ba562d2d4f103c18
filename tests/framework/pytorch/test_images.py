"""Networks for images and sequences, channels first in PyTorch and last here."""

import copy
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    GELU,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    LayerNormalization,
    LogSoftmax,
    MaxPooling1D,
    MaxPooling2D,
    Model,
    Normalization,
    Permute,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Scale,
    Sequential,
    Softmax,
    Tanh,
    ZeroPadding2D,
)
from framework.pytorch import from_torch, to_torch
from tests.every import operations_for, takes
from tests.strategies import Array, generator, window_options

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to convert")
nn = torch.nn


def finalized(*operations: Any, dtype: str = "float64") -> Model:
    model = Model(copy.deepcopy(operations), dtype=dtype)
    model.finalize()
    random = np.random.default_rng(0)
    for layer in model.leaves():
        for name in ("weights", "biases", "running_mean"):
            if hasattr(layer, name):
                values = getattr(layer, name)
                setattr(layer, name, values + 0.3 * random.normal(size=values.shape))
    return model


def channels_first(values: Array) -> Array:
    return np.moveaxis(values, -1, 1) if values.ndim > 2 else values


def assert_same(model: Model, module: Any, X: Array, *, turned: bool = True) -> None:
    """Outputs, and the gradient of the sum of their squares by the inputs."""
    turn = channels_first if turned else np.asarray
    tolerance = {"rtol": 1e-9, "atol": 1e-10} if model.dtype == "float64" else {"rtol": 1e-4}
    inputs = torch.tensor(turn(X), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that PyTorch may copy what it pads
        expected = module(inputs)
    expected.pow(2).sum().backward()
    outputs = model.forward(X, training=False)
    np.testing.assert_allclose(turn(outputs), expected.detach(), **tolerance)
    dvalues = 2 * outputs
    for layer in reversed(model.layers):
        dvalues = layer.backward(dvalues)
    np.testing.assert_allclose(turn(dvalues), inputs.grad, **tolerance)


def assert_same_there_and_back(operations: Iterable[Any], X: Array, *, turned: bool = True) -> None:
    model = finalized(*operations)
    model.predict(X)
    module = to_torch(model)
    assert_same(model, module, X, turned=turned)
    again = Model(from_torch(module).layers, dtype="float64")
    again.finalize()
    assert_same(again, module, X, turned=turned)


@pytest.mark.parametrize(
    "operation",
    [
        operation
        for operation in operations_for(3)
        if operation.example_axes and not isinstance(operation, Permute)
    ],
    ids=repr,
)
def test_every_operation_on_images_and_sequences(operation: Any) -> None:
    X = np.random.default_rng(1).normal(size=(2, 7, 6, 3))
    model = finalized(operation)
    if not takes(operation, X.shape[1:]):
        X = X[:, :, 0]
    model.predict(X)
    module = to_torch(model)
    assert_same(model, module, X)
    again = Model(from_torch(module).layers, dtype="float64")
    again.finalize()
    assert_same(again, module, X)


@settings(max_examples=30)
@given(data=st.data())
def test_convolutions_with_any_windows(data: Any) -> None:
    random = generator(data.draw)
    for cls, shape, paddings in (
        (Conv2D, (7, 8, 2), ("valid", "same")),
        (Conv1D, (9, 2), ("valid", "same", "causal")),
    ):
        options = data.draw(window_options(len(shape) - 1, paddings))
        layer = cls(2, 3, **options, use_bias=data.draw(st.booleans()))
        if takes(layer, shape):
            assert_same_there_and_back([layer], random.normal(size=(2, *shape)))


NETWORKS: dict[str, tuple[list[Any], tuple[int, ...], bool]] = {
    "LeNet-5": (
        [
            *(Conv2D(1, 6, 5, padding=2), Tanh(), AveragePooling2D(2), Conv2D(6, 16, 5), Tanh()),
            *(AveragePooling2D(2), Flatten(), Dense(400, 84), Tanh(), Dense(84, 10), Softmax()),
        ],
        (28, 28, 1),
        True,
    ),
    "every normalization": (
        [
            *(Normalization(3, mean=[0, 1, 2], deviation=[1, 0, 2]), Scale(0.5, -1)),
            *(Conv2D(3, 4, 3, padding="same", use_bias=False), BatchNormalization(4), ReLU()),
            *(MaxPooling2D(2, padding="same"), Dropout(0.2), PReLU(4), LayerNormalization(4)),
            *(Conv2D(4, 5, (2, 3), stride=2, padding="same"), Dense(5, 6), GELU()),
            *(GlobalAveragePooling2D(), Dense(6, 3), LogSoftmax()),
        ],
        (9, 8, 3),
        True,
    ),
    "residual blocks": (
        [
            *(Conv2D(3, 4, 3, padding=1), Residual([BatchNormalization(4), Conv2D(4, 4, 1)])),
            Residual([Conv2D(4, 6, 3, stride=2, padding=1)], shortcut=[Conv2D(4, 6, 1, stride=2)]),
            *(Flatten(), Residual([Dense(96, 96), Sequential([Tanh()])]), Dense(96, 2)),
        ],
        (7, 8, 3),
        True,
    ),
    "sequences": (
        [
            *(Conv1D(3, 4, 3, padding="causal", dilation=2), BatchNormalization(4)),
            *(MaxPooling1D(2, padding="same"), AveragePooling1D(3, 2, "same"), Dense(4, 6)),
            *(Conv1D(6, 2, 4, stride=2, padding="same"), GlobalMaxPooling1D(), Dense(2, 1)),
        ],
        (11, 3),
        True,
    ),
    "images that end flattened": ([Conv2D(3, 2, 3), Flatten()], (5, 4, 3), True),
    "rows that become images": (
        [
            *(Dense(5, 32), ReLU(), Reshape((4, 4, 2)), ZeroPadding2D(((1, 0), (0, 1)))),
            *(Conv2D(2, 3, 2), Permute((3, 1, 2)), Flatten(), Dense(48, 2)),
        ],
        (5,),
        False,
    ),
    "images that are only flattened": (
        [Scale(2.0), Flatten(), Dense(60, 3)],
        (5, 4, 3),
        False,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_there_and_back(name: str) -> None:
    operations, shape, turned = NETWORKS[name]
    X = np.random.default_rng(1).normal(size=(3, *shape))
    model = finalized(*operations)
    expected = model.predict(X)
    module = to_torch(model)
    given_in = channels_first(X) if turned else X
    with torch.no_grad():
        outputs = module(torch.tensor(given_in)).numpy()
    np.testing.assert_allclose(outputs, channels_first(expected), rtol=1e-10, atol=1e-12)
    again = from_torch(module)
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-10, atol=1e-12)


def test_a_flattened_image_goes_through_the_channels_first_in_pytorch() -> None:
    """The weights of the pixel at row 1, column 0, channel 1 are at 1·(2·3) + 1·3 + 0 there."""
    model = finalized(Conv2D(1, 2, 1), Flatten(), Dense(12, 1))
    X = np.ones((1, 2, 3, 1))
    model.predict(X)
    dense = to_torch(model)[2]
    ours = model.layers[2].weights.reshape(2, 3, 2)
    assert dense.weight[0, 9].item() == ours[1, 0, 1]
    assert dense.weight.shape == (1, 12)


MODULES = {
    "convolutions": (
        [
            *(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(3, 4, (2, 3), 2, dilation=(1, 2))),
            *(nn.BatchNorm2d(4), nn.PReLU(4), nn.AvgPool2d(2, 1, 1), nn.MaxPool2d(3, 2, 1)),
            *(nn.Softmax(dim=1), nn.Flatten(), nn.Linear(24, 2), nn.LogSoftmax(-1)),
        ],
        (3, 8, 8),
    ),
    "sequences": (
        [
            *(nn.Conv1d(3, 4, 3, padding="same"), nn.BatchNorm1d(4), nn.GELU()),
            *(nn.AvgPool1d(3, 1, 1), nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(4, 2, 3)),
            *(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(2, 2)),
        ],
        (3, 9),
    ),
    "layer normalization": (
        [
            *(nn.Conv2d(3, 4, 3), nn.LayerNorm([4, 6, 5]), nn.GELU(approximate="tanh")),
            *(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.LayerNorm(4), nn.Linear(4, 2)),
        ],
        (3, 8, 7),
    ),
    "rows that become images": (
        [nn.Linear(5, 32), nn.Unflatten(1, (2, 4, 4)), nn.Conv2d(2, 3, 3), nn.Flatten()],
        (5,),
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_of_pytorch_are_read(name: str) -> None:
    torch.manual_seed(0)
    modules, shape = MODULES[name]
    sequential = nn.Sequential(*modules).double().eval()
    X = torch.randn(3, *shape, dtype=torch.float64)
    model = from_torch(sequential)
    found = model.predict(np.moveaxis(X.numpy(), 1, -1))
    with torch.no_grad():
        expected = sequential(X).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_a_single_slope_and_several_are_those_of_pytorch() -> None:
    X = np.random.default_rng(0).normal(size=(5, 3, 4, 3))
    for operation in (PReLU(3), BatchNormalization(3)):
        assert_same_there_and_back([operation], X)
    assert_same_there_and_back([PReLU()], X, turned=False)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Conv2d(2, 2, 1, groups=2), "group=2: this framework has no convolution in groups"),
        (nn.Conv2d(2, 2, 1, padding=1, padding_mode="reflect"), "padding_mode='zeros', not 'refl"),
        (nn.MaxPool2d(2, dilation=2), "dilation=2: pooling here has no dilation"),
        (nn.MaxPool2d(2, return_indices=True), "return_indices=False, not True"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode=1, where the sizes .* are not known"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override=3"),
        (nn.AdaptiveAvgPool2d(2), "output_size=2: global pooling here leaves 1"),
        (nn.ConstantPad2d(1, 2.0), "value=0, not 2.0"),
    ],
)
def test_settings_that_no_operation_has_are_refused(module: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"module 0, {type(module).__name__}.*{message}"):
        from_torch(nn.Sequential(module))


def test_padding_by_a_size_that_is_not_known_says_what_to_do() -> None:
    model = finalized(Conv2D(2, 3, 3, stride=2, padding="same"))
    with pytest.raises(ValueError, match=r"Conv2D\(2, 3, 3.*which is not known: call predict"):
        to_torch(model)


def test_a_mean_with_more_digits_than_float32_keeps_them_there_and_back() -> None:
    X = np.random.default_rng(0).normal([1e6 + 0.02, 4e6, 0], 1, (5, 3)).astype(np.float32)
    model = Model([Normalization(3, mean=[1e6 + 0.02, 4e6 + 0.1, 0], deviation=[1, 2, 0])])
    model.finalize()
    module = to_torch(model)
    np.testing.assert_allclose(module(torch.tensor(X)).numpy(), model.predict(X), atol=1e-6)
    again = from_torch(module)
    again.finalize()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_normalization_comes_back_from_what_pytorch_exports(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    X = np.random.default_rng(0).normal([1e6 + 0.02, 4e6, 0], 1, (2, 4, 5, 3)).astype(np.float32)
    layer = Normalization(3, mean=[1e6 + 0.02, 4e6 + 0.1, 0], deviation=[1, 2, 0])
    model = Model([layer, Conv2D(3, 2, 3)])
    model.finalize()
    path = tmp_path / "network.onnx"
    channels_first = torch.tensor(np.moveaxis(X, -1, 1))
    torch.onnx.export(to_torch(model).eval(), (channels_first,), path, dynamo=False)
    again = Model.from_onnx(path)
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
