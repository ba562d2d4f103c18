"""Networks that PyTorch and scikit-learn exported."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    GELU,
    Model,
    OnnxError,
)
from tests.framework.interchange.graphs import answers
from tests.strategies import Array

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be read")


def torch_network(*, images: bool = False, tanh: bool = True) -> Any:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    torch.manual_seed(0)
    layers = [
        *([nn.Flatten()] if images else []),
        *(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5, bias=False), nn.LeakyReLU(0.2)),
        *(nn.BatchNorm1d(5), nn.Linear(5, 5), nn.ELU(0.7), nn.Linear(5, 5), nn.Sigmoid()),
        *(nn.Linear(5, 5), nn.GELU(approximate="tanh" if tanh else "none"), nn.Linear(5, 5)),
        *(nn.SiLU(), nn.Linear(5, 5), nn.Softplus(), nn.BatchNorm1d(5), nn.Tanh()),
        *(nn.Linear(5, 5), nn.SELU(), nn.Linear(5, 5), nn.Mish(), nn.PReLU(5), nn.PReLU()),
        *(nn.Dropout(0.2), nn.Identity(), nn.Linear(5, 3), nn.Softmax(dim=1)),
    ]
    network = nn.Sequential(*layers)
    shape = (50, 2, 3) if images else (50, 6)
    network(torch.randn(shape))  # moves the running statistics
    return network.eval()


def export_from_torch(network: Any, X: Array, path: Path, **options: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.from_numpy(X),), path, verbose=False, **options)


READ = "Dense ReLU Dense LeakyReLU Dense ELU Dense Sigmoid Dense GELU Dense Swish Dense Softplus"


def assert_like_torch(path: Path, network: Any, X: Array) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model = Model.from_onnx(path)
    for inputs in (X, np.concatenate([X, -2 * X])):
        expected = network(torch.from_numpy(inputs)).detach().numpy()
        np.testing.assert_allclose(model.predict(inputs), expected, rtol=1e-5, atol=1e-6)
    kinds = [type(layer).__name__ for layer in model.layers]
    kept = [kind for kind in kinds if kind not in ("BatchNormalization", "Flatten")]
    assert " ".join(kept) == f"{READ} Tanh Dense SELU Dense Mish PReLU PReLU Dense Softmax"


@pytest.mark.parametrize("images", [False, True])
@pytest.mark.parametrize("operator_set", [9, 13, 17, 20])
def test_networks_that_pytorch_exported_by_tracing(
    operator_set: int, images: bool, tmp_path: Path
) -> None:
    X = np.random.default_rng(0).normal(size=(4, 2, 3) if images else (4, 6)).astype(np.float32)
    network = torch_network(images=images)
    path = tmp_path / "network.onnx"
    for batch in ({}, {"dynamic_axes": {"in": {0: "batch"}}, "input_names": ["in"]}):
        export_from_torch(network, X, path, dynamo=False, opset_version=operator_set, **batch)
        assert_like_torch(path, network, X)


def test_networks_that_pytorch_exported_by_its_newer_exporter(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    X = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    network = torch_network(images=True)
    path = tmp_path / "network.onnx"
    batch = ({0: torch.export.Dim.DYNAMIC},)
    export_from_torch(
        network, X, path, dynamo=True, dynamic_shapes=batch, external_data=False, opset_version=20
    )
    assert_like_torch(path, network, X)


@pytest.mark.parametrize("operator_set", [17, 20])
def test_the_exact_gelu_stays_exact(operator_set: int, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    path = tmp_path / "network.onnx"
    network = torch_network(tanh=False)
    export_from_torch(network, X, path, dynamo=False, opset_version=operator_set)
    assert_like_torch(path, network, X)
    (gelu,) = (layer for layer in Model.from_onnx(path).layers if isinstance(layer, GELU))
    assert gelu.approximate == "none"


def test_a_network_exported_for_training_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    training = torch.onnx.TrainingMode.TRAINING
    X = np.ones((3, 2), dtype=np.float32)
    export_from_torch(network, X, tmp_path / "it", dynamo=False, training=training)
    with pytest.raises(OnnxError, match=r"node '/1/BatchNormalization'"):
        Model.from_onnx(tmp_path / "it")


# What scikit-learn's converter writes


def fitted(kind: str, y: Array, **options: Any) -> tuple[Any, Array]:
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn import neural_network

    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 5 epochs do not converge
        estimator = getattr(neural_network, kind)(
            hidden_layer_sizes=(6, 5), max_iter=5, random_state=0, **options
        )
        return estimator.fit(X, y[:60]), X


def converted(estimator: Any, X: Array, path: Path, **options: Any) -> Path:
    from skl2onnx import to_onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx.save(to_onnx(estimator, X[:1], **options), path)
    return path


CHANCE = np.random.default_rng(1)
LABELS = {
    "three classes": CHANCE.integers(0, 3, 60),
    "two classes": CHANCE.integers(0, 2, 60),
    "names": np.array(["a", "b", "c"])[CHANCE.integers(0, 3, 60)],
    "several at once": CHANCE.integers(0, 2, (60, 3)),
}


@pytest.mark.parametrize("zip_map", [True, False])
@pytest.mark.parametrize("labels", LABELS)
def test_classifiers_of_scikit_learn(labels: str, zip_map: bool, tmp_path: Path) -> None:
    estimator, X = fitted("MLPClassifier", LABELS[labels], activation="tanh")
    path = converted(estimator, X, tmp_path / "it", options={"zipmap": zip_map})
    model = Model.from_onnx(path)
    np.testing.assert_allclose(model.predict(X), estimator.predict_proba(X), rtol=1e-5, atol=1e-6)
    classes = model.predict_classes(X)
    if labels != "several at once":
        classes = estimator.classes_[classes]
    np.testing.assert_array_equal(classes, estimator.predict(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_regressors_of_scikit_learn(activation: str, dtype: str, tmp_path: Path) -> None:
    estimator, X = fitted("MLPRegressor", np.linspace(0, 1, 60), activation=activation)
    X = X.astype(dtype)
    model = Model.from_onnx(converted(estimator, X, tmp_path / "it"))
    np.testing.assert_allclose(model.predict(X)[:, 0], estimator.predict(X), rtol=1e-5, atol=1e-6)
    assert model.dtype == answers(tmp_path / "it", X).dtype


def pipelines(kind: str) -> Any:
    """Yield a linear model of scikit-learn behind each of its scalers, fitted, and its inputs."""
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn import linear_model, pipeline, preprocessing

    X = np.random.default_rng(0).normal(3, 2, size=(60, 4)).astype(np.float32)
    estimators = {
        "linear regression": (linear_model.LinearRegression(), X[:, :1]),
        "several targets": (linear_model.Ridge(), X[:, :2]),
        "two classes": (linear_model.LogisticRegression(), LABELS["two classes"]),
        "named classes": (linear_model.LogisticRegression(), LABELS["names"]),
        "scores": (linear_model.Perceptron(), LABELS["three classes"]),
    }
    estimator, y = estimators[kind]
    for scaler in ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"):
        steps = getattr(preprocessing, scaler)(), estimator
        yield pipeline.make_pipeline(*steps).fit(X, y), X


@pytest.mark.parametrize(
    "kind", ["linear regression", "several targets", "two classes", "named classes", "scores"]
)
def test_linear_models_of_scikit_learn_behind_its_scalers(kind: str, tmp_path: Path) -> None:
    for estimator, X in pipelines(kind):
        model = Model.from_onnx(converted(estimator, X, tmp_path / "it"))
        numbers = next(
            name
            for name in ("predict_proba", "decision_function", "predict")
            if hasattr(estimator, name)
        )
        expected = getattr(estimator, numbers)(X)
        found = model.predict(X).reshape(expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        if hasattr(estimator, "predict_proba"):
            classes = estimator.classes_[model.predict_classes(X)]
            np.testing.assert_array_equal(classes, estimator.predict(X))
    assert model.class_names == (["a", "b", "c"] if kind == "named classes" else None)


def test_what_no_operation_computes_is_refused_by_the_name_of_its_node(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn import linear_model, pipeline, preprocessing

    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    steps = preprocessing.Normalizer(), linear_model.LinearRegression()
    path = converted(pipeline.make_pipeline(*steps).fit(X, X[:, 0]), X, tmp_path / "it")
    with pytest.raises(OnnxError, match=r"node 'Normalizer' \(Normalizer\)"):
        Model.from_onnx(path)
