"""Networks for images and sequences in ONNX files: there and back, and from PyTorch."""

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
    OnnxError,
    Permute,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    ZeroPadding2D,
)
from tests.framework.interchange.graphs import answers, graph, saved
from tests.strategies import Array

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be exported")

LENET_5 = [
    *(Conv2D(1, 6, 5, padding=2), Tanh(), AveragePooling2D(2)),
    *(Conv2D(6, 16, 5), Tanh(), AveragePooling2D(2)),
    *(Flatten(), Dense(400, 120), Tanh(), Dense(120, 84), Tanh(), Dense(84, 10), Softmax()),
]


def block(channels: int, filters: int, stride: int) -> list[Any]:
    """A block of a residual network, whose first convolution may make the images smaller."""
    shortcut = [Conv2D(channels, filters, 1, stride=stride), BatchNormalization(filters)]
    operations = [
        *(Conv2D(channels, filters, 3, stride=stride, padding=1), BatchNormalization(filters)),
        *(ReLU(), Conv2D(filters, filters, 3, padding=1, use_bias=False)),
        BatchNormalization(filters),
    ]
    same = stride == 1 and channels == filters
    return [Residual(operations, shortcut=[] if same else shortcut), ReLU()]


RESNET = [
    *(Conv2D(3, 4, 3, padding=1, use_bias=False), BatchNormalization(4), ReLU()),
    *(*block(4, 4, 1), *block(4, 6, 2), GlobalAveragePooling2D(), Dense(6, 3)),
]

NETWORKS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "LeNet-5": (LENET_5, (28, 28, 1)),
    "a residual network": (RESNET, (9, 9, 3)),
    "every normalization": (
        [
            *(Scale(1 / 127.5, -1), Conv2D(3, 4, 3, padding="same", use_bias=False)),
            *(BatchNormalization(4), ReLU(), MaxPooling2D(2), Dropout(0.2)),
            *(Conv2D(4, 5, (2, 3), stride=2, padding="same"), PReLU(5), LayerNormalization(5)),
            *(GELU(), GlobalAveragePooling2D(), Dense(5, 3), LogSoftmax()),
        ],
        (9, 8, 3),
    ),
    "sequences": (
        [
            *(Normalization(3, mean=[0, 1, 2], deviation=[1, 0, 2]), Permute((1, 2))),
            *(Conv1D(3, 4, 3, padding="causal", dilation=2), BatchNormalization(4)),
            *(LayerNormalization(4), GELU(approximate="none")),
            *(MaxPooling1D(2, padding="same"), AveragePooling1D(3, 2, "same"), Dense(4, 6)),
            *(Conv1D(6, 2, 2), GlobalMaxPooling1D(), Dense(2, 1), Sigmoid()),
        ],
        (11, 3),
    ),
    "rows that become images": (
        [
            *(Dense(5, 32), ReLU(), Reshape((4, 4, 2)), ZeroPadding2D(((1, 0), (0, 1)))),
            *(Conv2D(2, 3, 2), Permute((3, 1, 2)), Flatten(), Dense(48, 2)),
        ],
        (5,),
    ),
    "images that stay images": (
        [Residual([Conv2D(3, 3, 3, padding="same", dilation=2), Softmax()]), Sequential([Tanh()])],
        (6, 5, 3),
    ),
}


def network(name: str, dtype: str) -> tuple[Model, Array]:
    """One of the networks, with values as training might leave them, and inputs."""
    operations, shape = NETWORKS[name]
    random = np.random.default_rng(0)
    model = Model(copy.deepcopy(operations), dtype=dtype)
    model.finalize()
    for layer in model.leaves():
        for parameter in ("weights", "biases", "running_mean"):
            if hasattr(layer, parameter):
                values = getattr(layer, parameter)
                setattr(layer, parameter, values + 0.3 * random.normal(size=values.shape))
    return model, random.normal(size=(4, *shape)).astype(dtype)


TOLERANCES = {"float32": 2e-5, "float64": 1e-12}


@pytest.mark.parametrize("opset", [None, 17, 20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_answers_as_the_network_and_is_read_back(
    name: str, dtype: str, opset: int | None, tmp_path: Path
) -> None:
    model, X = network(name, dtype)
    expected = model.predict(X)
    path = tmp_path / "model.onnx"
    model.export_onnx(path, opset=opset)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(answers(path, X), expected, rtol=tolerance, atol=tolerance)
    again = Model.from_onnx(path)
    np.testing.assert_allclose(again.predict(X), expected, rtol=tolerance, atol=tolerance)
    assert again.dtype == model.dtype
    assert again.input_shape == X.shape[1:]


@pytest.mark.parametrize("name", ["LeNet-5", "a residual network"])
def test_the_layers_are_the_same_again(name: str, tmp_path: Path) -> None:
    model, X = network(name, "float32")
    model.predict(X)
    model.export_onnx(tmp_path / "model.onnx")
    again = Model.from_onnx(tmp_path / "model.onnx")
    assert repr(again) == repr(model)
    weights = [parameter for some in again.get_parameters() for parameter in some]
    assert sum(array.size for array in weights) == sum(
        array.size for some in model.get_parameters() for array in some
    )


@pytest.mark.parametrize("name", ["a residual network", "images that stay images"])
def test_images_of_any_size_where_none_was_seen(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model, _ = network(name, "float32")
    model.export_onnx(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    for size in (5, 12):
        X = np.random.default_rng(size).normal(size=(2, size, size + 1, 3)).astype(np.float32)
        np.testing.assert_allclose(answers(path, X), model.predict(X), rtol=1e-5, atol=1e-5)
        again = Model.from_onnx(path)
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-5)


def test_padding_by_a_size_that_is_not_known_asks_for_the_shape(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model = Model([Conv2D(2, 3, 3, stride=2, padding="same")], dtype="float64")
    model.finalize()
    with pytest.raises(ValueError, match=r"Conv2D\(2, 3, 3.*give input_shape"):
        model.export_onnx(path)
    assert not path.exists()
    X = np.random.default_rng(0).normal(size=(2, 6, 5, 2))
    model.export_onnx(path, input_shape=(6, 5, 2))
    np.testing.assert_allclose(answers(path, X), model.predict(X), rtol=1e-12)


# Networks of PyTorch, which have their channels first


def torch_networks() -> dict[str, tuple[Any, tuple[int, ...]]]:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, channels: int, filters: int, stride: int) -> None:
            super().__init__()
            self.inside = nn.Sequential(
                nn.Conv2d(channels, filters, 3, stride, 1, bias=False),
                *(nn.BatchNorm2d(filters), nn.ReLU(), nn.Conv2d(filters, filters, 3, 1, 1)),
                nn.BatchNorm2d(filters),
            )
            same = stride == 1 and channels == filters
            self.shortcut = nn.Identity() if same else nn.Conv2d(channels, filters, 1, stride)

        def forward(self, x: Any) -> Any:
            return torch.relu(self.inside(x) + self.shortcut(x))

    class View(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x.view(x.size(0), -1)

    return {
        "LeNet-5": (
            nn.Sequential(
                *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)),
                *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
                *(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10), nn.LogSoftmax(1)),
            ),
            (1, 28, 28),
        ),
        "a residual network": (
            nn.Sequential(
                *(nn.Conv2d(3, 4, 7, 2, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
                *(Block(4, 4, 1), Block(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
                nn.Linear(6, 3),
            ),
            (3, 33, 33),
        ),
        "padding, rounding up and x.view": (
            nn.Sequential(
                *(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(3, 4, (2, 3), 2, dilation=(1, 2))),
                *(nn.AvgPool2d(2, 1, 1), nn.PReLU(4), nn.MaxPool2d(2, ceil_mode=True)),
                *(nn.Softmax(dim=1), nn.Dropout2d(), View(), nn.Linear(24, 2)),
            ),
            (3, 8, 8),
        ),
        "sequences": (
            nn.Sequential(
                *(nn.Conv1d(3, 4, 4, padding="same"), nn.BatchNorm1d(4), nn.GELU()),
                *(nn.MaxPool1d(2, ceil_mode=True), nn.AvgPool1d(3, 1, 1)),
                *(nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(4, 2)),
            ),
            (3, 9),
        ),
        "layer normalization": (
            nn.Sequential(
                *(nn.Conv2d(3, 4, 3), nn.LayerNorm([4, 6, 5]), nn.GELU(approximate="tanh")),
                *(nn.Flatten(), nn.ReLU6(), nn.LayerNorm(120), nn.Linear(120, 2)),
            ),
            (3, 8, 7),
        ),
        "flattened at the end": (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), (3, 5, 4)),
    }


@pytest.mark.parametrize(("dynamo", "opset"), [(False, 13), (False, 20), (True, 18)])
@pytest.mark.parametrize(
    "name",
    [
        "LeNet-5",
        "a residual network",
        "padding, rounding up and x.view",
        "sequences",
        "layer normalization",
        "flattened at the end",
    ],
)
def test_networks_of_pytorch_take_images_channels_last(
    name: str, dynamo: bool, opset: int, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    torch.manual_seed(0)
    network, shape = torch_networks()[name]
    X = torch.randn(4, *shape)
    batch: dict[str, Any] = (
        {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},), "external_data": False}
        if dynamo
        else {"dynamic_axes": {"in": {0: "batch"}}, "input_names": ["in"]}
    )
    path = tmp_path / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):  # moves the running statistics
            network(torch.randn(8, *shape))
        torch.onnx.export(
            network.eval(), (X,), path, dynamo=dynamo, opset_version=opset, verbose=False, **batch
        )
    model = Model.from_onnx(path)
    assert model.input_shape == (*shape[1:], shape[0])
    found = model.predict(np.moveaxis(X.numpy(), 1, -1))
    np.testing.assert_allclose(found, network(X).detach(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("y = Conv<group = 2>(x, W)", r"node 'y' \(Conv\): group=2: .* no convolution in groups"),
        ("y = InstanceNormalization(x, B, B)", r"node 'y' \(InstanceNormalization\)"),
        ("y = MaxPool<kernel_shape = [2, 2], dilations = [2, 2]>(x)", r"\(MaxPool\): dilations="),
        ("y = MaxPool<kernel_shape = [3, 3], pads = [0, 0, 1, 1]>(x)", r"\(MaxPool\): padding by"),
        ('h = Pad<mode = "reflect">(x, P) y = Relu(h)', r"node 'h' \(Pad\): mode='reflect'"),
        ("h = Pad(x, P, one) y = Relu(h)", r"node 'h' \(Pad\): it pads with 1"),
        ("y = ReduceMean<axes = [3]>(x)", r"\(ReduceMean\): it pools over 1 of 3 axes"),
        ("h = Relu(x) g = Tanh(x) i = Mul(h, g) y = Relu(i)", r"node 'i' \(Mul\)"),
    ],
)
def test_layers_for_images_that_are_not_here_are_refused_by_name(
    nodes: str, message: str, tmp_path: Path
) -> None:
    model = graph(
        nodes,
        inputs="float[N,2,6,6] x",
        outputs="float[N,A,B,C] y",
        operator_set=13,
        W=np.ones((2, 1, 3, 3)),
        B=np.ones(2),
        P=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        one=1.0,
    )
    with pytest.raises(OnnxError, match=message):
        Model.from_onnx(saved(model, tmp_path))


def test_a_mean_with_more_digits_than_float32_is_subtracted_in_two_parts(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal([1e6 + 0.02, 4e6, 0], 1, (5, 3)).astype(np.float32)
    model = Model([Normalization(3, mean=[1e6 + 0.02, 4e6 + 0.1, 0], deviation=[1, 2, 0])])
    model.finalize()
    path = tmp_path / "model.onnx"
    model.export_onnx(path)
    np.testing.assert_allclose(answers(path, X), model.predict(X), atol=1e-6)
    again = Model.from_onnx(path)
    assert [repr(layer) for layer in again.layers] == ["Normalization(3)"]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
