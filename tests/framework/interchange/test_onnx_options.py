"""Operator sets, outputs, precision: what can be chosen when a file is written or read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    GELU,
    BatchNormalization,
    Dense,
    Flatten,
    LayerNormalization,
    Mish,
    Model,
    OnnxError,
    ReLU,
    Softmax,
)
from tests.framework.interchange.graphs import B, W, answers, graph, saved

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be exported")


def finalized(*operations: Any, dtype: str = "float32") -> Model:
    model = Model(operations, dtype=dtype)
    model.finalize()
    return model


# Writing


@pytest.mark.parametrize(
    "operations",
    [
        [Dense(4, 3), ReLU(), Dense(3, 2), Softmax()],
        [Dense(4, 3), GELU(), LayerNormalization(3), Mish(), BatchNormalization(3)],
    ],
)
def test_the_lowest_operator_set_is_written_by_default(
    operations: list[Any], tmp_path: Path
) -> None:
    model = finalized(*operations)
    model.export_onnx(tmp_path / "it.onnx")
    proto = onnx.load(tmp_path / "it.onnx")
    assert (proto.opset_import[0].version, proto.ir_version) == (13, 7)


@pytest.mark.parametrize(
    ("opset", "operators"),
    [
        (13, {"Erf", "ReduceMean", "Softplus"}),
        (17, {"Erf", "LayerNormalization", "Softplus"}),
        (18, {"Erf", "LayerNormalization", "Mish"}),
        (20, {"Gelu", "LayerNormalization", "Mish"}),
    ],
)
def test_a_newer_operator_set_has_shorter_forms(
    opset: int, operators: set[str], tmp_path: Path
) -> None:
    model = finalized(GELU("none"), LayerNormalization(3), Mish())
    path = tmp_path / "it.onnx"
    model.export_onnx(path, opset=opset, input_shape=(3,))
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.opset_import[0].version == opset
    written = {node.op_type for node in proto.graph.node}
    telling = {"Erf", "Gelu", "ReduceMean", "LayerNormalization", "Softplus", "Mish"}
    assert written & telling == operators
    X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(answers(path, X), model.predict(X), rtol=1e-5, atol=1e-6)
    assert repr(Model.from_onnx(path)) == repr(model)


def test_an_operator_set_that_there_is_not_is_refused(tmp_path: Path) -> None:
    for opset in (12, 1000):
        with pytest.raises(ValueError, match=f"opset must be from 13 to .*, received {opset}"):
            finalized(Dense(2, 2)).export_onnx(tmp_path / "it.onnx", opset=opset)
    with pytest.raises(TypeError, match="opset must be a whole number"):
        finalized(Dense(2, 2)).export_onnx(tmp_path / "it.onnx", opset=13.5)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("approximate", ["tanh", "none"])
def test_a_gelu_in_float64_has_15_digits(approximate: Any, tmp_path: Path) -> None:
    model = finalized(GELU(approximate), dtype="float64")
    path = tmp_path / "it.onnx"
    model.export_onnx(path, input_shape=(1,))
    # 1 + tanh(u) loses digits where tanh(u) is close to -1, here as there; 1 - erf does not.
    lowest = -37.0 if approximate == "none" else -1.0
    X = np.linspace(lowest, 38, 40_001)[:, np.newaxis]
    np.testing.assert_allclose(answers(path, X), model.predict(X), rtol=3e-15)
    assert repr(Model.from_onnx(path)) == repr(model)


def test_the_exact_gelu_is_that_of_the_mathematical_library(tmp_path: Path) -> None:
    import math

    finalized(GELU("none"), dtype="float64").export_onnx(tmp_path / "it.onnx", input_shape=(1,))
    X = np.linspace(-30, 10, 4_001)[:, np.newaxis]
    expected = [[0.5 * x * math.erfc(-x / math.sqrt(2))] for x in X[:, 0]]
    np.testing.assert_allclose(answers(tmp_path / "it.onnx", X), expected, rtol=1e-12)


# Reading


def test_one_of_several_outputs_is_chosen_by_its_name(tmp_path: Path) -> None:
    model = graph(
        "h = Gemm(x, W, B) y = Relu(h) z = Tanh(h)",
        outputs="float[N,2] y, float[N,2] z",
        W=W,
        B=B,
    )
    path = saved(model, tmp_path)
    with pytest.raises(OnnxError, match=r"found \['y', 'z'\]: choose one with output='…'"):
        Model.from_onnx(path)
    assert repr(Model.from_onnx(path, output="y")) == "Model([Dense(2, 2), ReLU()])"
    assert repr(Model.from_onnx(path, output="z")) == "Model([Dense(2, 2), Tanh()])"
    with pytest.raises(OnnxError, match=r"no output 'W': its outputs are \['y', 'z'\]"):
        Model.from_onnx(path, output="W")


def test_a_network_is_read_up_to_the_value_that_a_refusal_names(tmp_path: Path) -> None:
    path = saved(graph("h = Gemm(x, W) i = Relu(h) y = Sin(i)", W=W), tmp_path)
    with pytest.raises(OnnxError, match="output='i' reads the network before it"):
        Model.from_onnx(path)
    model = Model.from_onnx(path, output="i")
    X = np.array([[1.0, -2.0]])
    np.testing.assert_allclose(model.predict(X), np.maximum(X @ W, 0))


@pytest.mark.parametrize(
    "nodes",
    [
        "p = Softmax(h) y = ArgMax<axis = 1>(p)",
        "p = Softmax(h) y = ArgMax<axis = -1, keepdims = 0>(p)",
        "p = Softmax(h) a = ArgMax<axis = 1>(p) b = Cast<to = 6>(a) y = Cast<to = 7>(b)",
        "p = Softmax(h) a = ArgMax<axis = 1>(p) "
        "b = ai.onnx.ml.ArrayFeatureExtractor(labels, a) y = Reshape(b, flat)",
    ],
)
def test_a_network_that_ends_with_classes_gives_what_they_are_made_of(
    nodes: str, tmp_path: Path
) -> None:
    model = graph(
        f"h = Gemm(x, W) {nodes}",
        outputs="int64[N] y",
        W=W,
        labels=np.array([7, 8]),
        flat=np.array([-1]),
    )
    read = Model.from_onnx(saved(model, tmp_path))
    assert repr(read) == "Model([Dense(2, 2, use_bias=False), Softmax()])"
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [3.0, 0.0]])
    np.testing.assert_array_equal(read.predict_classes(X), (X @ W).argmax(axis=1))


@pytest.mark.parametrize("transform", ["SOFTMAX", "LOGISTIC", "NONE"])
@pytest.mark.parametrize("both", [True, False])
def test_linear_classifiers(transform: str, both: bool, tmp_path: Path) -> None:
    weights = "-1.0, 2.0, 1.0, -2.0" if both else "1.0, -2.0"
    biases = "-0.5, 0.5" if both else "0.5"
    model = graph(
        f"label, y = ai.onnx.ml.LinearClassifier<classlabels_ints = [0, 1], coefficients = "
        f'[{weights}], intercepts = [{biases}], post_transform = "{transform}">(x)',
        outputs="int64[N] label, float[N,2] y",
    )
    path = saved(model, tmp_path)
    X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0]], dtype=np.float32)
    if transform == "SOFTMAX" and not both:
        with pytest.raises(OnnxError, match=r"\(LinearClassifier\): a softmax of a single score"):
            Model.from_onnx(path)
        return
    np.testing.assert_allclose(Model.from_onnx(path).predict(X), answers(path, X), rtol=1e-5)


@pytest.mark.parametrize("data_type", ["float16", "bfloat16"])
def test_weights_of_half_precision_become_float32(data_type: str, tmp_path: Path) -> None:
    types = onnx.TensorProto
    proto = graph("h = Cast<to = 1>(V) y = MatMul(x, h)")
    kind = types.FLOAT16 if data_type == "float16" else types.BFLOAT16
    proto.graph.initializer.append(onnx.helper.make_tensor("V", kind, [2, 2], W.reshape(-1)))
    model = Model.from_onnx(saved(proto, tmp_path))
    assert model.dtype == "float32"
    np.testing.assert_array_equal(model.predict(np.eye(2)), W)


def test_a_network_in_float16_is_computed_in_float32(tmp_path: Path) -> None:
    model = graph(
        "y = Gemm(x, V, C)",
        inputs="float16[N,2] x",
        outputs="float16[N,2] y",
        V=W.astype(np.float16),
        C=B.astype(np.float16),
    )
    read = Model.from_onnx(saved(model, tmp_path))
    assert read.dtype == "float32"
    np.testing.assert_array_equal(read.predict(np.eye(2)), W + B)


def test_data_in_bytes_are_scaled_in_the_model(tmp_path: Path) -> None:
    model = graph(
        "h = Cast<to = 1>(x) i = Div(h, most) y = Gemm(i, W)",
        inputs="uint8[N,2] x",
        W=W,
        most=255.0,
    )
    read = Model.from_onnx(saved(model, tmp_path))
    X = np.array([[0, 255], [51, 0]], dtype=np.uint8)
    np.testing.assert_allclose(read.predict(X), X / 255 @ W, rtol=1e-6)


def test_integers_that_cut_digits_off_are_no_identity(tmp_path: Path) -> None:
    model = graph("h = Cast<to = 7>(x) i = Cast<to = 1>(h) y = Relu(i)")
    with pytest.raises(OnnxError, match=r"computes node 'i' \(Cast\)"):
        Model.from_onnx(saved(model, tmp_path))


def test_a_dropout_that_is_training_is_refused(tmp_path: Path) -> None:
    model = graph("h = Dropout(x, half, yes) y = Relu(h)", half=0.5, yes=np.array(True))
    with pytest.raises(OnnxError, match=r"computes node 'h' \(Dropout\)"):
        Model.from_onnx(saved(model, tmp_path))


def test_a_file_that_computes_endless_constants_is_refused(tmp_path: Path) -> None:
    """Each of 40 nodes doubles an array: 2**40 numbers from two."""
    doubled = " ".join(f"c{i + 1} = Concat<axis = 0>(c{i}, c{i})" for i in range(40))
    path = saved(graph(f"{doubled} y = Add(x, c40)", c0=np.ones(2)), tmp_path)
    with pytest.raises(OnnxError, match="it.onnx: "):
        Model.from_onnx(path)
    filled = graph("c = ConstantOfShape(s) y = Add(x, c)", s=np.array([10**6, 10**6]))
    with pytest.raises(OnnxError, match="it.onnx: "):
        Model.from_onnx(saved(filled, tmp_path))


def test_a_flattened_image_of_any_size_can_be_declared(tmp_path: Path) -> None:
    model = finalized(Flatten(), Dense(6, 2))
    model.export_onnx(tmp_path / "it.onnx", input_shape=(2, 3))
    assert Model.from_onnx(tmp_path / "it.onnx").input_shape == (2, 3)
