"""Networks from ONNX files: those of other programs, and those that are damaged or hostile."""

import itertools
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    ELU,
    GELU,
    BatchNormalization,
    Dense,
    Flatten,
    LeakyReLU,
    Model,
    OnnxError,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
)
from framework.utils import rng
from optimizers.optimizer import parameter_names
from tests.strategies import Array, generator

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be read")

FLOAT, DOUBLE, INT64, STRING = 1, 11, 7, 8


def answers(path: Path, X: Array) -> Array:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    running = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = running.run(None, {running.get_inputs()[0].name: X})
    (numbers,) = [array for array in outputs if getattr(array, "dtype", None) == X.dtype]
    return np.asarray(numbers)


# What PyTorch writes


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
    assert " ".join(kept) == f"{READ} Tanh Dense Softmax"


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
def test_the_exact_gelu_is_refused_with_what_to_do(operator_set: int, tmp_path: Path) -> None:
    X = np.zeros((1, 6), dtype=np.float32)
    path = tmp_path / "network.onnx"
    network = torch_network(tanh=False)
    export_from_torch(network, X, path, dynamo=False, opset_version=operator_set)
    with pytest.raises(OnnxError, match=r"node '/\d+/(Gelu|Mul_1)' .*approximation by tanh"):
        Model.from_onnx(path)


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


def test_what_is_no_neural_network_is_refused_by_the_name_of_its_node(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn.linear_model import LinearRegression

    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    path = converted(LinearRegression().fit(X, X[:, 0]), X, tmp_path / "it")
    with pytest.raises(OnnxError, match=r"node 'LinearRegressor' \(LinearRegressor\)"):
        Model.from_onnx(path)


# Graphs written down


def graph(
    nodes: str,
    *,
    inputs: str = "float[N,2] x",
    outputs: str = "float[N,2] y",
    operator_set: int = 20,
    **constants: Any,
) -> Any:
    """A model of the nodes in ONNX's own notation, and of constants by name."""
    model = onnx.parser.parse_model(
        f'<ir_version: 9, opset_import: ["" : {operator_set}, "ai.onnx.ml" : 3]> '
        f"g ({inputs}) => ({outputs}) {{ {nodes} }}"
    )
    for name, values in constants.items():
        array = np.asarray(values)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return model


def saved(model: Any, tmp_path: Path) -> Path:
    (tmp_path / "it.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "it.onnx"


CUBE_BY_POW = "cube = Pow(x, three)"
CUBE_BY_MUL = "square = Mul(x, x) cube = Mul(x, square)"
TANH = "p = Mul(cube, cubic) q = Add(x, p) r = Mul(q, scale) t = Tanh(r)"

W = np.array([[1.0, 2.0], [3.0, 4.0]])
B = np.array([5.0, 6.0])


@pytest.mark.parametrize(
    ("nodes", "layers"),
    [
        ("y = Gemm(x, W, B)", [Dense(2, 2)]),
        ("y = Gemm<transB = 1>(x, W)", [Dense(2, 2)]),
        ("h = MatMul(x, W) y = Add(B, h)", [Dense(2, 2)]),
        ("h = MatMul(x, W) y = Add(h, one)", [Dense(2, 2)]),
        ("V = Transpose<perm = [1, 0]>(W) y = MatMul(x, V)", [Dense(2, 2)]),
        ("V = Identity(W) y = MatMul(x, V)", [Dense(2, 2)]),
        ("s = Sigmoid(x) y = Mul(s, x)", [Swish()]),
        ("c = GreaterOrEqual(x, zero) y = Where(c, one, zero)", [Step()]),
        ("h = Div(x, B1) y = Softmax(h)", [Softmax(temperature=2.5)]),
        ("y = Elu(x)", [ELU(1.0)]),
        ("y = LeakyRelu(x)", [LeakyReLU(0.01)]),
        ('y = Gelu<approximate = "tanh">(x)', [GELU()]),
        ("y = Softmax<axis = 1>(x)", [Softmax()]),
        ("c = Greater(x, twenty) s = Softplus(x) y = Where(c, x, s)", [Softplus()]),
        (f"{CUBE_BY_MUL} {TANH} h = Add(one, t) i = Mul(x, h) y = Mul(half, i)", [GELU()]),
        (f"{CUBE_BY_POW} {TANH} h = Add(t, one) i = Mul(half, h) y = Mul(x, i)", [GELU()]),
        ("h = Sub(x, B) i = Mul(B, h) y = Add(B, i)", [BatchNormalization(2)]),
        ("y = BatchNormalization<epsilon = 0.1>(x, B, B, B, B)", [BatchNormalization(2)]),
        ("h = Cast<to = 1>(x) y = Elu(h)", [ELU()]),
        ("h = Reshape(x, rows) y = Elu(h)", [ELU()]),
        ("h = Flatten(x) y = Elu(h)", [Flatten(), ELU()]),
        ("h = Sigmoid(x) y = Identity(h)", [Sigmoid()]),
    ],
)
def test_forms_that_exporters_use(nodes: str, layers: list[Any], tmp_path: Path) -> None:
    constants = {
        "W": W,
        "B": B,
        "B1": [2.5],
        "one": 1.0,
        "zero": 0.0,
        "twenty": 20.0,
        "half": 0.5,
        "three": 3.0,
        "cubic": 0.044715,
        "scale": np.sqrt(2 / np.pi),
        "rows": np.array([-1, 2]),
    }
    path = saved(graph(nodes, **constants), tmp_path)
    X = np.array([[-3.0, 0.5], [0.0, 25.0], [6.0, 5.0]], dtype=np.float32)
    model = Model.from_onnx(path)
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in layers]
    np.testing.assert_allclose(model.predict(X), answers(path, X), rtol=1e-5, atol=1e-6)
    for layer, expected in zip(model.layers, layers, strict=True):
        if not parameter_names(layer):
            assert repr(layer) == repr(expected)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("y = Conv(x, W)", r"no operation of this framework computes node 'y' \(Conv\)"),
        ("h = Relu(x) y = Sin(h)", r"no operation of this framework computes node 'y' \(Sin\)"),
        ("h, y = Relu(x)", "Relu"),
        ("y = Gemm<alpha = 2.0>(x, W)", "Gemm"),
        ("y = Gemm<transA = 1>(x, W)", "Gemm"),
        ("y = Gemm(x, x)", "Gemm"),
        ("y = Gemm(x, B)", r"\(Gemm\): expected a matrix of weights, received shape \(2,\)"),
        ("y = MatMul(W, x)", "MatMul"),
        ("h = MatMul(x, W) y = Add(h, x)", "Add"),
        ("h = MatMul(x, W) y = Add(h, W)", "Add"),
        ("y = Add(x, B)", "Add"),
        ("y = Mul(x, x)", "Mul"),
        ("y = Softmax<axis = 0>(x)", "Softmax"),
        ("y = Flatten<axis = 0>(x)", "Flatten"),
        ("y = Gelu(x)", "Gelu.*approximate='tanh'"),
        ("y = LeakyRelu<alpha = -1.0>(x)", r"\(LeakyRelu\): alpha must be 0 or greater"),
        ("h = Div(x, zero) y = Softmax(h)", r"\(Softmax\): temperature must be"),
        ("h = Div(x, B) y = Softmax(h)", r"\(Softmax\): expected one number"),
        ("c = GreaterOrEqual(x, one) y = Where(c, one, zero)", "Where"),
        ("h = Sub(x, B) i = Mul(h, W) y = Add(i, B)", r"\(Add\): expected weights of shape"),
        ("y = BatchNormalization<training_mode = 1>(x, B, B, B, B)", "BatchNormalization"),
        ("y = Reshape(x, columns)", "Reshape"),
        ("y = Cast<to = 7>(x)", "Cast"),
        ("y = com.example.Reshape(x, rows)", "Reshape"),
        ("y = com.example.Relu(x)", r"computes node 'y' \(Relu\)"),
        ("y = Relu<alpha = 1.0>(x)", "Relu"),
        ("y = Elu<alpha = 1>(x)", "Elu"),
        ("y = Identity(W)", "its output comes from 'y', and not from its input"),
        ("y = Relu(z)", r"takes 'z', which nothing before it makes"),
        ("y = Relu(z) z = Relu(x)", r"takes 'z', which nothing before it makes"),
        ("y = Relu(y)", r"takes 'y', which nothing before it makes"),
        ("y = Relu(x) y = Tanh(x)", r"makes 'y', which is there already"),
        ("", "its output comes from 'y'"),
        ("h = Gemm(x, W) y = Gemm(h, U)", r"Dense\(3, 1\) expects .* received \(samples, 2\)"),
        ("y = Gemm(x, U)", r"Dense\(3, 1\) expects inputs .*: these are the data"),
    ],
)
def test_what_no_operation_computes_is_refused_by_the_name_of_its_node(
    nodes: str, message: str, tmp_path: Path
) -> None:
    constants = {
        "W": W,
        "B": B,
        "U": np.ones((3, 1)),
        "one": 1.0,
        "zero": 0.0,
        "columns": np.array([2, -1]),
        "rows": np.array([-1, 2]),
    }
    with pytest.raises(OnnxError, match=message) as raised:
        Model.from_onnx(saved(graph(nodes, **constants), tmp_path))
    assert str(raised.value).startswith(f"{tmp_path}/it.onnx: ")


def test_a_node_that_has_a_name_is_called_by_it(tmp_path: Path) -> None:
    model = graph("h = Relu(x) y = Sin(h)")
    model.graph.node[1].name = "the sine"
    with pytest.raises(OnnxError, match=r"node 'the sine' \(Sin\)"):
        Model.from_onnx(saved(model, tmp_path))


@pytest.mark.parametrize(
    ("nodes", "options"),
    [
        ("y = MatMul(x, W)", {"inputs": "float[N,5,2] x"}),
        ("y = BatchNormalization(x, B, B, B, B)", {"inputs": "float[N,2,3] x"}),
        ("y = Softmax<axis = 1>(x)", {"inputs": "float[N,5,2] x"}),
        ("y = Softmax<axis = 2>(x)", {"inputs": "float[N,5,2] x", "operator_set": 11}),
        ("y = Reshape(x, rows)", {"inputs": "float[N,A,B] x"}),
        ("y = Reshape(x, rows)", {"inputs": "float[N,2,2] x"}),
    ],
)
def test_operators_that_differ_for_more_axes_are_refused_there(
    nodes: str, options: dict[str, Any], tmp_path: Path
) -> None:
    model = graph(nodes, W=W, B=B, rows=np.array([-1, 2]), **options)
    with pytest.raises(OnnxError, match="no operation of this framework computes node"):
        Model.from_onnx(saved(model, tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "float[N,2] x, float[N,2] z"}, r"expected one input, found \['x', 'z'\]"),
        ({"inputs": ""}, "expected one input, found|takes 'x'"),
        ({"inputs": "float[N] x"}, "expected samples of one axis or more as its input 'x'"),
        ({"outputs": "float[N,2] y, float[N,2] x"}, r"found \['y', 'x'\]"),
        ({"outputs": "int64[N,2] y"}, "expected one output of floating-point numbers"),
        ({"operator_set": 6}, "expected an operator set from 7 to .* found 6"),
        ({"operator_set": 1000}, "expected an operator set from 7 to .* found 1000"),
    ],
)
def test_graphs_of_another_kind_are_refused(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(OnnxError, match=message):
        Model.from_onnx(saved(graph("y = Relu(x)", **options), tmp_path))


def test_reading_leaves_random_numbers_and_the_models_class_alone(tmp_path: Path) -> None:
    class OwnModel(Model):
        pass

    path = saved(graph("y = Gemm(x, W, B)", W=W, B=B), tmp_path)
    before = rng.generator().bit_generator.state
    assert type(OwnModel.from_onnx(path)) is OwnModel
    assert rng.generator().bit_generator.state == before


# Damaged and hostile files


def exported(tmp_path: Path) -> bytes:
    model = Model([Flatten(), Dense(2, 2), BatchNormalization(2), Swish(), Dense(2, 2), Softmax(2)])
    model.finalize()
    model.export_onnx(tmp_path / "whole.onnx", ["a", "b"], input_shape=(1, 2))
    return (tmp_path / "whole.onnx").read_bytes()


def attempt(content: bytes, tmp_path: Path) -> bool:
    """Whether a model is read; if not, then with no other error than the one there is."""
    (tmp_path / "damaged.onnx").write_bytes(content)
    try:
        Model.from_onnx(tmp_path / "damaged.onnx")
    except OnnxError:
        return False
    return True


def test_a_file_cut_off_anywhere_in_its_graph_is_refused(tmp_path: Path) -> None:
    content = exported(tmp_path)
    end = len(content) - len(onnx.load(tmp_path / "whole.onnx").metadata_props[0].value)
    for length in range(0, end - 100, 11):
        assert not attempt(content[:length], tmp_path), length
    for length in range(end - 100, len(content)):
        attempt(content[:length], tmp_path)


def test_flipped_bits_give_one_kind_of_error_or_another_network(tmp_path: Path) -> None:
    content = exported(tmp_path)
    outcomes = set()
    for position in range(0, 8 * len(content), 13):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        outcomes.add(attempt(bytes(damaged), tmp_path))
    assert outcomes == {True, False}


@settings(max_examples=20)
@given(data=st.data())
def test_scrambled_files_give_one_kind_of_error_or_another_network(
    data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("scrambled")
    content = exported(folder)
    chance = generator(data.draw)
    for _ in range(20):
        damaged = bytearray(content)
        for position in chance.integers(len(content), size=chance.integers(1, 30)):
            damaged[position] = chance.integers(256)
        start, length = chance.integers(len(content)), chance.integers(50)
        attempt(bytes(damaged), folder)
        attempt(bytes(damaged[:start] + damaged[start + length :]), folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04K\x01.", b"<html>", bytes(1000), b"PK\x03\x04" + bytes(50)], ids=repr
)
def test_what_is_no_onnx_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(OnnxError, match="the file is damaged, or no ONNX file"):
        Model.from_onnx(tmp_path / "it")


def test_a_file_too_large_for_the_format_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "it", "wb") as file:
        file.truncate(2**31)  # which takes no space on the disk
    with pytest.raises(OnnxError, match="an ONNX file has at most 2,147,483,647 bytes"):
        Model.from_onnx(tmp_path / "it")


def test_a_file_nested_without_end_is_refused(tmp_path: Path) -> None:
    def wrapped(field: int, content: bytes) -> bytes:
        length, digits = len(content), []
        while length >= 128:
            digits.append(length % 128 + 128)
            length //= 128
        return bytes([8 * field + 2, *digits, length]) + content

    content = b""
    for _ in range(1000):  # a graph in an attribute of a node of a graph
        content = wrapped(1, wrapped(5, wrapped(6, content)))
    (tmp_path / "it").write_bytes(wrapped(7, content))
    with pytest.raises(OnnxError, match="the file is damaged, or no ONNX file"):
        Model.from_onnx(tmp_path / "it")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Model.from_onnx(tmp_path / "nothing.onnx")


def tensor(name: str, shape: list[int], kind: int = FLOAT, **content: Any) -> Any:
    return onnx.TensorProto(name=name, dims=shape, data_type=kind, **content)


def resized(values: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.initializer[0].CopyFrom(values)

    return change


def text_that_is_none(model: Any) -> None:
    content = model.SerializeToString().replace(b"Gemm", b"G\xffmm")
    model.ParseFromString(content)


def shared_by_many(model: Any) -> None:
    """1,000 layers of 300×300 weights from one array of that size."""
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.ones((300, 300), dtype=np.float32), "W")
    )
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 300
    model.graph.node.pop()
    names = ["x", *(f"h{i}" for i in range(999)), "y"]
    for before, after in itertools.pairwise(names):
        model.graph.node.append(onnx.helper.make_node("Gemm", [before, "W"], [after]))


def too_many_nodes(model: Any) -> None:
    model.graph.node.extend([model.graph.node[0]] * 20_000)


def own_operator(model: Any) -> None:
    model.functions.append(
        onnx.helper.make_function("", "Gemm", ["a"], ["b"], [], [onnx.helper.make_opsetid("", 20)])
    )


HOSTILE = [
    (resized(tensor("W", [10**12, 2], raw_data=bytes(16))), r"shape \(1000000000000, 2\), but"),
    (resized(tensor("W", [10**12, 10**12], float_data=[1.0])), "the file has 1 numbers"),
    (resized(tensor("W", [2**62, 4], raw_data=bytes(0))), "the file has 0 numbers"),
    (resized(tensor("W", [0, 10**12], raw_data=b"")), "n_inputs must be at least 1"),
    (resized(tensor("W", [-2, -2], raw_data=bytes(16))), "the file has 4 numbers"),
    (resized(tensor("W", [1] * 100, raw_data=bytes(4))), "dimension|dims"),
    (resized(tensor("W", [2, 2], raw_data=bytes(15))), "the file has 3.75 numbers"),
    (resized(tensor("W", [2, 2], kind=STRING, string_data=[b"a"] * 4)), "Gemm"),
    (resized(tensor("W", [2, 2], kind=INT64, int64_data=[1] * 4)), "dtype must be"),
    (resized(tensor("W", [2, 2], kind=99, raw_data=bytes(16))), "Gemm"),
    (text_that_is_none, "is damaged"),
    (shared_by_many, "its 90,000 numbers are used for .* parameters"),
    (too_many_nodes, "expected at most 10,000 nodes, found 20,001"),
    (own_operator, "it defines an operator of its own, 'Gemm'"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_a_hostile_file_is_refused_and_takes_no_memory(
    change: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    model = graph("y = Gemm(x, W)", W=W)
    change(model)
    path = saved(model, tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(OnnxError, match=message):
            Model.from_onnx(path)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("name", ["W", "of no use"])
def test_numbers_in_another_file_are_not_read(there: bool, name: str, tmp_path: Path) -> None:
    if there:
        (tmp_path / "weights").write_bytes(bytes(16))
    model = graph("y = Gemm(x, W)", W=W, **{"of no use": W})
    for weights in model.graph.initializer:
        if weights.name == name:
            weights.ClearField("raw_data")
            weights.data_location = onnx.TensorProto.EXTERNAL
            weights.external_data.add(key="location", value="weights")
    with pytest.raises(
        OnnxError, match=f"the numbers of '{name}' are in another file.*external_data=False"
    ):
        Model.from_onnx(saved(model, tmp_path))
