"""The graphs that are read, and those that are refused by the name of a node."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    ELU,
    GELU,
    SELU,
    BatchNormalization,
    Dense,
    LeakyReLU,
    LogSoftmax,
    Mish,
    Model,
    Normalization,
    OnnxError,
    PReLU,
    ReLU,
    Residual,
    Scale,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)
from framework.utils import rng
from optimizers.optimizer import parameter_names
from tests.framework.interchange.graphs import B, W, answers, graph, saved

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be read")

CUBE_BY_POW = "cube = Pow(x, three)"
CUBE_BY_MUL = "square = Mul(x, x) cube = Mul(x, square)"
TANH = "p = Mul(cube, cubic) q = Add(x, p) r = Mul(q, scale) t = Tanh(r)"


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
        ("y = Selu(x)", [SELU()]),
        ("y = Mish(x)", [Mish()]),
        ("s = Softplus(x) t = Tanh(s) y = Mul(t, x)", [Mish()]),
        ("y = PRelu(x, B)", [PReLU(2)]),
        ("y = PRelu(x, B1)", [PReLU()]),
        ("y = PRelu(x, half)", [PReLU()]),
        ('y = Gelu<approximate = "tanh">(x)', [GELU()]),
        ("y = Gelu(x)", [GELU(approximate="none")]),
        ("y = Softmax<axis = 1>(x)", [Softmax()]),
        ("c = Greater(x, twenty) s = Softplus(x) y = Where(c, x, s)", [Softplus()]),
        (f"{CUBE_BY_MUL} {TANH} h = Add(one, t) i = Mul(x, h) y = Mul(half, i)", [GELU()]),
        (f"{CUBE_BY_POW} {TANH} h = Add(t, one) i = Mul(half, h) y = Mul(x, i)", [GELU()]),
        ("h = Sub(x, B) i = Mul(B, h) y = Add(B, i)", [BatchNormalization(2)]),
        ("y = BatchNormalization<epsilon = 0.1>(x, B, B, B, B)", [BatchNormalization(2)]),
        ("h = Cast<to = 1>(x) y = Elu(h)", [ELU()]),
        ("h = Cast<to = 1>(x) i = Identity(h) j = MatMul(i, W) y = Cast<to = 1>(j)", [Dense(2, 2)]),
        ("h = MatMul(x, W) i = Cast<to = 1>(h) j = Identity(i) y = Add(j, B)", [Dense(2, 2)]),
        ("h, mask = Dropout(x) y = Elu(h)", [ELU()]),
        ("y = Gemm<alpha = 2.0, beta = 0.5>(x, W, B)", [Dense(2, 2)]),
        ('y = Gemm<transB = 1>(x, W, "")', [Dense(2, 2)]),
        ("y = Mul(x, half)", [Scale(0.5)]),
        ("y = Div(x, B1)", [Scale(0.4)]),
        ("h = Sub(x, half) y = Div(h, B1)", [Scale(0.4, offset=-0.2)]),
        ("h = Mul(x, half) y = Add(h, three)", [Scale(0.5, offset=3.0)]),
        ("h = Sub(x, B) y = Div(h, B)", [Normalization(2)]),
        ("h = Sub(x, B) y = Mul(h, B)", [Normalization(2)]),
        ("y = Add(x, B)", [Normalization(2)]),
        ("y = Sub(x, B)", [Normalization(2)]),
        ("y = Mul(B, x)", [Normalization(2)]),
        ("h = Mul(x, B) y = Add(h, B)", [Normalization(2)]),
        ("h = Mul(x, negative) y = Add(h, B)", [BatchNormalization(2)]),
        ("y = Neg(x)", [Scale(-1.0)]),
        ("y = Sub(one, x)", [Scale(-1.0, offset=1.0)]),
        ("y = LogSoftmax(x)", [LogSoftmax()]),
        ("y = Clip(x, zero)", [ReLU()]),
        ("y = Max(x, zero)", [ReLU()]),
        ("y = Min(x, one)", [Scale(-1.0, offset=1.0), ReLU(), Scale(-1.0, offset=1.0)]),
        (
            "h = Div(x, root) e = Erf(h) f = Add(e, one) i = Mul(x, f) y = Mul(i, half)",
            [GELU("none")],
        ),
        ("h = Tanh(x) y = Add(x, h)", [Residual([Tanh()])]),
        ("y = Add(x, x)", [Scale(2.0)]),
        (
            "s = Shape(x) n = Gather(s, first) m = Unsqueeze(n, axis) "
            "t = Concat<axis = 0>(m, open) h = Reshape(x, t) y = Elu(h)",
            [ELU()],
        ),
        (
            "y = ai.onnx.ml.Scaler<offset = [1.0, 2.0], scale = [0.5, 4.0]>(x)",
            [Normalization(2)],
        ),
        (
            "y = ai.onnx.ml.LinearRegressor<coefficients = [1.0, 2.0, 3.0, 4.0], "
            "intercepts = [5.0, 6.0], targets = 2>(x)",
            [Dense(2, 2)],
        ),
        ("h = Reshape(x, rows) y = Elu(h)", [ELU()]),
        ("h = Flatten(x) y = Elu(h)", [ELU()]),
        ("h = Sigmoid(x) y = Identity(h)", [Sigmoid()]),
    ],
)
def test_patterns_of_other_exporters_are_read(
    nodes: str, layers: list[Any], tmp_path: Path
) -> None:
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
        "negative": [-1.0, 2.0],
        "root": np.sqrt(2),
        "first": np.array(0),
        "axis": np.array([0]),
        "open": np.array([-1]),
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
        ("y = Conv(x, W)", r"node 'y' \(Conv\): expected weights of 3 or 4 axes"),
        (
            "h = Relu(x) y = Sin(h)",
            r"no operation of this framework computes node 'y' \(Sin\); output='h' reads the",
        ),
        ("h, y = Relu(x)", "Relu"),
        ("y = Gemm<transA = 1>(x, W)", "Gemm"),
        ("y = Gemm(x, x)", "Gemm"),
        ("y = Gemm(x, B)", r"\(Gemm\): expected a matrix of weights, received shape \(2,\)"),
        ("y = MatMul(W, x)", "MatMul"),
        ("h = MatMul(x, W) y = Mul(h, x)", "Mul"),
        ("h = MatMul(x, W) y = Add(h, W)", "Add"),
        ("y = Add(x, U)", r"\(Add\): numbers of shape \(3, 1\) for samples of shape \(2,\)"),
        ("y = Div(x, zero)", r"\(Div\): it divides by 0"),
        ("y = Clip(x, far)", r"\(Clip\): limits 1000.0 and None"),
        ("y = Mul(x, x)", "Mul"),
        ("y = Softmax<axis = 0>(x)", "Softmax"),
        ("y = Flatten<axis = 0>(x)", "Flatten"),
        ("y = Selu<alpha = 1.0>(x)", r"computes node 'y' \(Selu\)"),
        ("y = PRelu(x, W)", r"\(PRelu\): slopes of shape \(2, 2\)"),
        ("y = PRelu(x, x)", r"computes node 'y' \(PRelu\)"),
        ("y = LeakyRelu<alpha = -1.0>(x)", r"\(LeakyRelu\): alpha must be 0 or greater"),
        ("h = Div(x, zero) y = Softmax(h)", r"node 'h' \(Div\): it divides by 0"),
        ("c = GreaterOrEqual(x, one) y = Where(c, one, zero)", "Where"),
        ("h = Sub(x, B) i = Mul(h, W) y = Add(i, B)", r"\(Mul\): numbers of shape \(2, 2\)"),
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
        ("h = Gemm(x, W) y = Gemm(h, U)", r"'y' \(Gemm\): its numbers are for 3 values.* are 2"),
        ("y = Gemm(x, U)", r"'y' \(Gemm\): its numbers are for 3 values, where there are 2"),
    ],
)
def test_a_node_that_no_operation_computes_is_refused_by_name(
    nodes: str, message: str, tmp_path: Path
) -> None:
    constants = {
        "W": W,
        "B": B,
        "U": np.ones((3, 1)),
        "far": 1000.0,
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
        ("y = Reshape(x, rows)", {"inputs": "float[N,A,B] x"}),
        ("y = Reshape(x, rows)", {"inputs": "float[N,2,2] x"}),
        ("y = Transpose<perm = [1, 0]>(x)", {}),
        ("y = Squeeze(x, axes)", {"inputs": "float[1,2] x"}),
        ("y = Softmax<axis = 0>(x)", {}),
    ],
)
def test_nodes_that_mix_samples_are_refused(
    nodes: str, options: dict[str, Any], tmp_path: Path
) -> None:
    model = graph(nodes, rows=np.array([-1, 2]), axes=np.array([0]), **options)
    with pytest.raises(OnnxError, match=r"node 'y' \(\w+\): .*(samples|axis)"):
        Model.from_onnx(saved(model, tmp_path))


@pytest.mark.parametrize("operator_set", [11, 13])
@pytest.mark.parametrize("axis", [1, 2])
def test_a_softmax_along_any_axes_of_a_sample(axis: int, operator_set: int, tmp_path: Path) -> None:
    model = graph(
        f"y = Softmax<axis = {axis}>(x)",
        inputs="float[N,3,2] x",
        outputs="float[N,3,2] y",
        operator_set=operator_set,
    )
    X = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    path = saved(model, tmp_path)
    read = Model.from_onnx(path)
    # Before operator set 13, it was along all axes from the given one on. Along the first of
    # several axes, it is along channels, which we have last.
    turned = read.input_shape == (2, 3)
    assert turned == (axis == 1 and operator_set == 13)
    found = read.predict(np.moveaxis(X, 1, -1) if turned else X)
    found = np.moveaxis(found, -1, 1) if turned else found.reshape(X.shape)
    np.testing.assert_allclose(found, answers(path, X), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "float[N,2] x, float[N,2] z"}, r"expected one input, found \['x', 'z'\]"),
        ({"inputs": ""}, "expected one input, found|takes 'x'"),
        ({"inputs": "float[N] x"}, "expected samples of one axis or more as its input 'x'"),
        ({"outputs": "float[N,2] y, float[N,2] x"}, r"found \['y', 'x'\]: choose one with output="),
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
