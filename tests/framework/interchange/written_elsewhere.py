"""Writes some 300 networks of PyTorch, Keras and scikit-learn, as these programs export them.

    python -m tests.framework.interchange.written_elsewhere FOLDER

Each ``NAME.onnx`` comes with a ``NAME.npz``: inputs ``X`` as the file takes them, the outputs ``y``
that the other program computes itself, and in ``refused`` the operator of the node that no
operation here computes, "" where there is none. The networks are drawn at random, from a seed.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Random = np.random.Generator


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    from_torch(folder)
    from_keras(folder)
    from_scikit_learn(folder)


def save(folder: Path, name: str, X: Any, y: Any, refused: str = "") -> None:
    np.savez(folder / f"{name}.npz", X=X, y=y, refused=refused)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        yield


# PyTorch


def activation(nn: Any, random: Random, features: int) -> Any:
    kinds: list[Callable[[], Any]] = [
        *(nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SELU, nn.SiLU, nn.Mish, nn.Softplus, nn.ReLU6),
        *(nn.GELU, lambda: nn.GELU(approximate="tanh"), lambda: nn.LeakyReLU(0.2)),
        *(nn.Hardtanh, nn.Hardsigmoid, nn.Identity, lambda: nn.Dropout(0.3)),
        *(nn.PReLU, lambda: nn.PReLU(features)),
    ]
    return kinds[random.integers(len(kinds))]()


def rows(nn: Any, random: Random) -> tuple[list[Any], tuple[int, ...]]:
    """Dense, normalization and activation layers."""
    features = first = int(random.integers(2, 7))
    modules: list[Any] = []
    for _ in range(random.integers(2, 5)):
        size = int(random.integers(2, 7))
        modules.append(nn.Linear(features, size, bias=bool(random.integers(2))))
        normalization = [[], [nn.BatchNorm1d(size)], [nn.LayerNorm(size)]][random.integers(3)]
        modules += [*normalization, activation(nn, random, size)]
        features = size
    last = [[], [nn.Softmax(dim=1)], [nn.LogSoftmax(dim=-1)], [nn.Sigmoid()]]
    return [*modules, nn.Linear(features, 3), *last[random.integers(4)]], (first,)


def images(nn: Any, random: Random) -> tuple[list[Any], tuple[int, ...]]:
    """Convolutions, pooling, normalization and activations, then a dense layer."""
    import torch

    channels = int(random.integers(1, 4))
    shape = (channels, int(random.integers(8, 12)), int(random.integers(8, 12)))
    modules: list[Any] = []
    for _ in range(random.integers(1, 4)):
        filters = int(random.integers(2, 5))
        stride, padding = int(random.integers(1, 3)), int(random.integers(0, 2))
        options = [
            {"kernel_size": 3, "stride": stride, "padding": padding},
            {"kernel_size": (2, 3), "padding": "same"},
            {"kernel_size": 2, "dilation": 2, "padding": 1, "bias": False},
        ]
        modules.append(nn.Conv2d(channels, filters, **options[random.integers(3)]))
        modules += [[], [nn.BatchNorm2d(filters)]][random.integers(2)]
        modules.append(activation(nn, random, filters))
        pooling = [[], [nn.MaxPool2d(2, 1)], [nn.AvgPool2d(2, 1, 1)], [nn.MaxPool2d(3, 2, 1)]]
        modules += pooling[random.integers(4)]
        channels = filters
    if random.integers(2):
        ends = [nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)]
        modules += [ends[random.integers(2)], nn.Flatten()]
    else:
        modules.append(nn.Flatten())
    width = nn.Sequential(*modules).eval()(torch.zeros(1, *shape)).shape[1]
    return [*modules, nn.Linear(width, 3)], shape


def sequences(nn: Any, random: Random) -> tuple[list[Any], tuple[int, ...]]:
    """Convolutions over sequences."""
    channels, steps = int(random.integers(1, 4)), int(random.integers(8, 14))
    modules = [
        nn.Conv1d(channels, 4, 3, padding=int(random.integers(0, 3)), dilation=2),
        nn.BatchNorm1d(4),
        activation(nn, random, 4),
        [nn.MaxPool1d(2), nn.AvgPool1d(3, 1, 1), nn.Identity()][random.integers(3)],
        nn.Conv1d(4, 3, 2, stride=int(random.integers(1, 3))),
        [nn.AdaptiveAvgPool1d(1), nn.AdaptiveMaxPool1d(1)][random.integers(2)],
        nn.Flatten(),
        nn.Linear(3, 2),
    ]
    return modules, (channels, steps)


def residual(nn: Any, random: Random) -> tuple[list[Any], tuple[int, ...]]:
    """Blocks whose outputs are added to their inputs."""

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inside: Any, shortcut: Any) -> None:
            super().__init__()
            self.inside, self.shortcut = inside, shortcut

        def forward(self, x: Any) -> Any:
            return self.inside(x) + self.shortcut(x)

    stride = int(random.integers(1, 3))
    inside = nn.Sequential(
        *(nn.Conv2d(4, 6, 3, stride, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)),
    )
    rows = nn.Sequential(nn.Linear(6, 6), activation(nn, random, 6))
    modules = [
        *(nn.Conv2d(3, 4, 3, padding=1), Block(inside, nn.Conv2d(4, 6, 1, stride)), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Block(rows, nn.Identity()), nn.Linear(6, 2)),
    ]
    return modules, (3, 8, 9)


def refused(nn: Any) -> Iterator[tuple[list[Any], tuple[int, ...], str]]:
    """Networks with a layer that is not here, and the operator that stands for it in ONNX."""
    yield [nn.Conv2d(4, 4, 3, groups=2), nn.ReLU()], (4, 6, 6), "Conv"
    yield [nn.Conv2d(4, 4, 3), nn.InstanceNorm2d(4), nn.ReLU()], (4, 6, 6), "InstanceNormalization"
    yield [nn.ConvTranspose2d(4, 2, 3), nn.ReLU()], (4, 6, 6), "ConvTranspose"
    yield [nn.Linear(3, 4), nn.Softsign(), nn.Linear(4, 2)], (3,), "Div"


def export(network: Any, X: Any, path: Path, dynamo: bool, opset: int) -> None:
    import torch

    options: dict[str, Any] = {"dynamic_axes": {"in": {0: "batch"}}, "input_names": ["in"]}
    if dynamo:
        batch = torch.export.Dim.DYNAMIC
        options = {"dynamic_shapes": ({0: batch},), "external_data": False}
    with quiet():
        torch.onnx.export(
            network, (X,), path, dynamo=dynamo, opset_version=opset, verbose=False, **options
        )


def from_torch(folder: Path) -> None:
    import torch

    nn = torch.nn
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    exporters = [(False, opset) for opset in range(13, 21)]
    kinds = (rows, images, sequences, residual)
    for number in range(24):
        modules, shape = kinds[number % 4](nn, random)
        write_torch(folder, f"torch-{number}", modules, shape, "", exporters)
    for number in range(16):
        modules, shape = kinds[number % 4](nn, random)
        newest = [(True, 18 + number % 3)]
        write_torch(folder, f"dynamo-{number}", modules, shape, "", newest)
    for number, (modules, shape, operator) in enumerate(refused(nn)):
        write_torch(folder, f"refused-{number}", modules, shape, operator, exporters[::4])


def write_torch(
    folder: Path, name: str, modules: Any, shape: Any, operator: str, exporters: Any
) -> None:
    import torch

    network = torch.nn.Sequential(*modules)
    for _ in range(2):  # moves the running statistics
        network(torch.randn(8, *shape))
    network.eval()
    X = torch.randn(3, *shape)
    y = network(X).detach().numpy()
    for dynamo, opset in exporters:
        export(network, X, folder / f"{name}-{opset}.onnx", dynamo, opset)
        save(folder, f"{name}-{opset}", X.numpy(), y, operator)


# Keras


def from_keras(folder: Path) -> None:
    import keras

    layers = keras.layers
    random = np.random.default_rng(1)
    for number in range(24):
        network = [keras_rows, keras_images, keras_sequences][number % 3](layers, random)
        model = keras.Sequential(network)
        X = random.normal(size=(3, *model.input_shape[1:])).astype(np.float32)
        model(X)
        for layer in model.layers:
            if "normalization" not in layer.name:
                weights = layer.get_weights()
                layer.set_weights([0.5 * random.normal(size=one.shape) for one in weights])
        y = model(X).detach().numpy()
        with quiet():
            model.export(folder / f"keras-{number}.onnx", format="onnx", verbose=False)
        save(folder, f"keras-{number}", X, y)


def keras_activation(random: Random) -> str:
    names = ["relu", "sigmoid", "tanh", "elu", "selu", "softplus", "silu", "gelu", "leaky_relu"]
    names += ["mish", "relu6", "hard_sigmoid", "linear"]
    return names[random.integers(len(names))]


def keras_rows(layers: Any, random: Random) -> list[Any]:
    normalization = layers.Normalization()
    normalization.adapt(random.normal(2, 3, size=(30, 5)))
    last = ["softmax", "log_softmax", "sigmoid", "linear"][random.integers(4)]
    return [
        *(layers.Input((5,)), normalization, layers.Dense(6, activation=keras_activation(random))),
        *(layers.Dropout(0.2), layers.BatchNormalization(), layers.Dense(4, use_bias=False)),
        *(layers.LeakyReLU(0.1), layers.Dense(3, activation=last)),
    ]


def keras_images(layers: Any, random: Random) -> list[Any]:
    size, padding = int(random.integers(8, 12)), ["valid", "same"][random.integers(2)]
    ends = [layers.Flatten(), layers.GlobalAveragePooling2D(), layers.GlobalMaxPooling2D()]
    return [
        *(layers.Input((size, size + 1, 3)), layers.Rescaling(1 / 127.5, -1)),
        layers.Conv2D(4, 3, padding=padding, strides=int(random.integers(1, 3))),
        *(layers.BatchNormalization(), layers.Activation(keras_activation(random))),
        *(layers.ZeroPadding2D(1), layers.MaxPooling2D(2, padding=padding)),
        *(
            layers.Conv2D(3, 2, activation=keras_activation(random)),
            layers.PReLU(shared_axes=[1, 2]),
        ),
        *(layers.AveragePooling2D(1), ends[random.integers(3)], layers.Dense(2)),
    ]


def keras_sequences(layers: Any, random: Random) -> list[Any]:
    padding = ["valid", "same", "causal"][random.integers(3)]
    return [
        *(layers.Input((int(random.integers(9, 14)), 3)), layers.Conv1D(4, 3, padding=padding)),
        *(layers.BatchNormalization(), layers.Activation(keras_activation(random))),
        *(layers.MaxPooling1D(2), layers.Conv1D(4, 2, use_bias=False), layers.Dense(5)),
        *(layers.GlobalMaxPooling1D(), layers.Dense(4), layers.Reshape((2, 2)), layers.Flatten()),
    ]


# scikit-learn


def from_scikit_learn(folder: Path) -> None:
    from sklearn import linear_model, neural_network, preprocessing

    random = np.random.default_rng(2)
    X = random.normal(1, 2, size=(60, 4)).astype(np.float32)
    classes, numbers = random.integers(0, 3, 60), X @ random.normal(size=4)
    names = np.array(["a", "b", "c"])[classes]
    small = {"hidden_layer_sizes": (5, 4), "max_iter": 5, "random_state": 0}
    estimators = {
        "classes": (neural_network.MLPClassifier(**small, activation="tanh"), classes),
        "names": (neural_network.MLPClassifier(**small, activation="logistic"), names),
        "two": (neural_network.MLPClassifier(**small), classes > 0),
        "regressor": (neural_network.MLPRegressor(**small), numbers),
        "logistic": (linear_model.LogisticRegression(), classes),
        "logistic-two": (linear_model.LogisticRegression(), classes > 0),
        "logistic-names": (linear_model.LogisticRegression(), names),
        "linear": (linear_model.LinearRegression(), numbers),
        "ridge": (linear_model.Ridge(), np.stack([numbers, -numbers], axis=1)),
        "perceptron": (linear_model.Perceptron(), classes),
    }
    scalers = {
        "standard": (preprocessing.StandardScaler(), ""),
        "no-mean": (preprocessing.StandardScaler(with_mean=False), ""),
        "range": (preprocessing.MinMaxScaler(), ""),
        "clipped": (preprocessing.MinMaxScaler(clip=True), ""),
        "largest": (preprocessing.MaxAbsScaler(), ""),
        "robust": (preprocessing.RobustScaler(), ""),
        "none": (None, ""),
        "normalizer": (preprocessing.Normalizer(), "Normalizer"),
    }
    for kind, (estimator, y) in estimators.items():
        for scaling, (scaler, operator) in scalers.items():
            write_scikit_learn(folder, f"{kind}-{scaling}", scaler, estimator, X, y, operator)


def write_scikit_learn(
    folder: Path, name: str, scaler: Any, estimator: Any, X: Any, y: Any, operator: str
) -> None:
    import onnx
    from skl2onnx import to_onnx
    from sklearn.pipeline import make_pipeline

    steps = [estimator] if scaler is None else [scaler, estimator]
    fitted = make_pipeline(*steps).fit(X, y)
    methods = ("predict_proba", "decision_function", "predict")
    method = next(one for one in methods if hasattr(fitted, one))
    onnx.save(to_onnx(fitted, X[:1]), folder / f"sklearn-{name}.onnx")
    save(folder, f"sklearn-{name}", X, getattr(fitted, method)(X), operator)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
