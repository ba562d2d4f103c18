"""Exported networks, run by onnxruntime, answer as ``predict`` does."""

import copy
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import mnist
from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Model,
    Normalization,
    OnnxError,
    Operation,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
)
from framework.interchange.onnx_patterns import EXPORT
from optimizers import Adam
from tests.every import ACTIVATIONS, WITHOUT_GRADIENT, operations_for, suitable, takes
from tests.strategies import Array, batches, generator, images

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be exported")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: no comparison")

DTYPES = st.sampled_from(["float32", "float64"])


def exportable(operations: Iterable[Any]) -> list[Any]:
    return [operation for operation in operations if type(operation) in EXPORT]


def every_operation(features: int) -> list[Any]:
    return [*operations_for(features), *copy.deepcopy(WITHOUT_GRADIENT)]


def keeps(operation: Any, features: int) -> bool:
    """Whether ``operation`` takes rows and leaves as many features in the last axis."""
    rows = (features,)
    return takes(operation, rows) and operation.output_shape(rows)[-1:] == rows


def finalized(*operations: Any, dtype: str | None = None) -> Model:
    model = Model(operations, dtype=dtype)
    model.finalize()
    return model


def randomized(model: Model, random: np.random.Generator) -> Model:
    """Give every array other values than the initial ones."""
    arrays = [[random.normal(size=a.shape) for a in some] for some in model.get_parameters()]
    model.set_parameters(arrays)
    for layer in model.layers:
        if isinstance(layer, BatchNormalization):
            layer.running_variance = 0.1 + np.abs(layer.running_variance)
        if isinstance(layer, Normalization):
            layer.deviation = 0.1 + np.abs(layer.deviation)
    return model


def session(path: Path) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def answers(path: Path, X: Array) -> Array:
    """Return what onnxruntime computes from a file that onnx's checker has accepted."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    running = session(path)
    dtype = {"tensor(float)": "float32", "tensor(double)": "float64"}[running.get_inputs()[0].type]
    (outputs,) = running.run(["output"], {"input": X.astype(dtype)})
    assert outputs.dtype == dtype
    return outputs


def assert_same(model: Model, X: Array, folder: Path) -> None:
    expected = model.predict(X)
    model.export_onnx(folder / "model.onnx")
    outputs = answers(folder / "model.onnx", X)
    assert outputs.dtype == expected.dtype
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("onnx")


@settings(max_examples=10)
@given(inputs=batches(), dtype=DTYPES, data=st.data())
def test_every_operation_on_rows(inputs: Array, dtype: str, data: Any, folder: Path) -> None:
    for operation in exportable(every_operation(inputs.shape[1])):
        model = randomized(finalized(operation, dtype=dtype), generator(data.draw))
        assert_same(model, suitable(operation, inputs), folder)


@settings(max_examples=10)
@given(inputs=images(), dtype=DTYPES, data=st.data())
def test_every_operation_on_images(inputs: Array, dtype: str, data: Any, folder: Path) -> None:
    channels, values = inputs.shape[-1], inputs[0].size
    operations = exportable(op for op in every_operation(channels) if takes(op, inputs.shape[1:]))
    assert operations
    network = [BatchNormalization(channels), ReLU(), Flatten(), Dense(values, 2), Softmax()]
    for layers in [*([operation] for operation in operations), network]:
        model = randomized(finalized(*layers, dtype=dtype), generator(data.draw))
        assert_same(model, inputs, folder)


def test_a_dense_layer_over_the_last_of_many_axes_is_read_back(folder: Path) -> None:
    X = np.random.default_rng(0).normal(size=(3, 5, 4))
    model = finalized(Dense(4, 6), ReLU(), Flatten(), Dense(30, 2))
    assert_same(model, X, folder)
    loaded = Model.from_onnx(folder / "model.onnx")
    assert [type(layer) for layer in loaded.layers] == [Dense, ReLU, Flatten, Dense]
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "operation", [op for op in every_operation(2) if type(op) not in EXPORT] or [None], ids=repr
)
def test_an_operation_without_a_pattern_is_refused_by_name(operation: Any, tmp_path: Path) -> None:
    if operation is None:
        pytest.skip("every exported operation has a pattern")
    with pytest.raises(TypeError, match=f"{type(operation).__name__}.* has no ONNX pattern"):
        finalized(operation).export_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", exportable([*ACTIVATIONS, *WITHOUT_GRADIENT]), ids=repr)
def test_huge_inputs(activation: Operation, dtype: str, tmp_path: Path) -> None:
    inputs = np.array([[-1e4, -90.0, -20.0, -0.0, 0.0, 1e-6, 20.0, 90.0, 1e4]])
    assert_same(finalized(copy.copy(activation), dtype=dtype), inputs, tmp_path)


@st.composite
def networks(draw: st.DrawFn, features: int = 4) -> Model:
    """Dense layers with anything between them, and arrays as training might leave them."""
    random = generator(draw)
    operations: list[Operation] = []
    for size in draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)):
        operations.append(Dense(features, size))
        between = [op for op in exportable(every_operation(size)) if keeps(op, size)]
        operations += draw(st.lists(st.sampled_from(between), max_size=3, unique_by=id))
        features = size
    return randomized(finalized(*operations, dtype=draw(DTYPES)), random)


@given(model=networks(), data=st.data())
def test_whole_networks_there_and_back(model: Model, data: Any, folder: Path) -> None:
    random = generator(data.draw)
    assert_same(model, random.normal(size=(3, 4)), folder)
    again = Model.from_onnx(folder / "model.onnx")
    X = random.normal(size=(7, 4))
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-5)
    assert again.dtype == model.dtype
    # Nothing is left of what changes no row. Momentum and epsilon are not in the file, since a
    # batch normalization has its statistics folded in; neither is a size of -1.
    expected = [
        layer for layer in model.layers if not isinstance(layer, (Dropout, Linear, Flatten))
    ]
    found = [layer for layer in again.layers if not isinstance(layer, (Linear, Flatten))]
    for one, other in zip(found, expected, strict=True):
        assert type(one) is type(other)
        assert isinstance(one, (BatchNormalization, Reshape)) or repr(one) == repr(other)


def test_a_sequential_inside_a_model_is_replaced_by_its_operations(tmp_path: Path) -> None:
    model = finalized(Sequential([Dense(4, 3), ReLU()]), Model([Dense(3, 2), Softmax()]))
    assert_same(model, np.random.default_rng(0).normal(size=(5, 4)), tmp_path)
    again = Model.from_onnx(tmp_path / "model.onnx")
    assert repr(again) == "Model([Dense(4, 3), ReLU(), Dense(3, 2), Softmax()])"


def test_any_number_of_samples_can_be_given_under_the_names_input_and_output(
    tmp_path: Path,
) -> None:
    model = finalized(Dense(4, 3), Softmax())
    model.export_onnx(tmp_path / "model.onnx")
    running = session(tmp_path / "model.onnx")
    (given_in,), (given_out,) = running.get_inputs(), running.get_outputs()
    assert (given_in.name, given_in.shape) == ("input", ["batch", 4])
    assert (given_out.name, given_out.shape) == ("output", ["batch", 3])
    for samples in (1, 2, 1000):
        X = np.random.default_rng(samples).normal(size=(samples, 4)).astype(np.float32)
        (outputs,) = running.run(None, {"input": X})
        np.testing.assert_allclose(outputs, model.predict(X), rtol=1e-5, atol=1e-6)


def test_class_names_are_in_the_metadata(tmp_path: Path) -> None:
    names = ["zèbre", 'a "quoted" one', "漢"]
    model = finalized(Dense(4, 3), Softmax())
    model.export_onnx(tmp_path / "model.onnx", names)
    metadata = session(tmp_path / "model.onnx").get_modelmeta()
    assert json.loads(metadata.custom_metadata_map["class_names"]) == names
    assert metadata.producer_name == "dinputs"
    assert model.class_names == names
    assert Model.from_onnx(tmp_path / "model.onnx").class_names == names
    finalized(Dense(4, 3), Softmax()).export_onnx(tmp_path / "model.onnx")
    assert session(tmp_path / "model.onnx").get_modelmeta().custom_metadata_map == {}
    assert Model.from_onnx(tmp_path / "model.onnx").class_names is None


def test_class_names_that_the_model_has_are_exported(tmp_path: Path) -> None:
    model = finalized(Dense(4, 3), Softmax())
    model.class_names = ["a", "b", "c"]
    model.export_onnx(tmp_path / "model.onnx")
    assert Model.from_onnx(tmp_path / "model.onnx").class_names == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["no JSON", "5", "[1, 2]", '["only one"]', "[" * 100_000])
def test_class_names_in_a_damaged_file_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    finalized(Dense(4, 2), Softmax()).export_onnx(path, ["a", "b"])
    proto = onnx.load(path)
    proto.metadata_props[0].value = text
    onnx.save(proto, path)
    with pytest.raises(OnnxError, match="class_names"):
        Model.from_onnx(path)
    proto.producer_name = "another program"
    onnx.save(proto, path)
    assert Model.from_onnx(path).class_names is None


def test_a_single_output_has_two_classes(tmp_path: Path) -> None:
    finalized(Dense(4, 1), Sigmoid()).export_onnx(tmp_path / "model.onnx", ["no", "yes"])
    assert Model.from_onnx(tmp_path / "model.onnx").class_names == ["no", "yes"]


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["a", "b"], ValueError, "class_names must be 3 names, received 2"),
        ("abc", TypeError, "class_names must be a list of names, received 'abc'"),
        ([1, 2, 3], TypeError, "class_names must be a list of names"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(
    names: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        finalized(Dense(4, 3)).export_onnx(tmp_path / "model.onnx", names)
    assert not os.listdir(tmp_path)


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def test_dropout_is_left_out_and_batch_normalization_is_arithmetic(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    finalized(Dense(4, 3), Dropout(0.5), BatchNormalization(3), Dropout(0.5)).export_onnx(path)
    assert operators(path) == ["Gemm", "Sub", "Mul", "Add"]
    finalized(Dropout(0.5)).export_onnx(path)
    assert operators(path) == ["Identity"]


def test_a_large_mean_costs_batch_normalization_no_digits(tmp_path: Path) -> None:
    layer = BatchNormalization(3)
    X = np.random.default_rng(0).normal(1e4, 1, size=(50, 3)).astype(np.float32)
    layer.running_mean, layer.running_variance = X.mean(axis=0)[None], X.var(axis=0)[None]
    assert_same(finalized(layer), X, tmp_path)


@pytest.mark.parametrize(
    "loss", [SoftmaxCategoricalCrossentropy(), SigmoidBinaryCrossentropy()], ids=repr
)
def test_the_activation_of_a_fused_loss_is_exported(loss: Any, tmp_path: Path) -> None:
    model = Model([Dense(4, 3)])
    model.set(loss=loss)
    model.finalize()
    assert_same(model, np.random.default_rng(0).normal(size=(5, 4)), tmp_path)
    assert len(operators(tmp_path / "model.onnx")) == 2


def input_shape(path: Path) -> list[Any]:
    shape: list[Any] = session(path).get_inputs()[0].shape
    return shape


def test_the_shape_of_samples_is_the_one_asked_for_or_last_seen_or_a_row(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model = finalized(Flatten(), Dense(6, 2))
    model.export_onnx(path)
    assert input_shape(path) == ["batch", 6]
    model.predict(np.zeros((1, 2, 3)))
    model.export_onnx(path)
    assert input_shape(path) == ["batch", 2, 3]
    assert Model.from_onnx(path).input_shape == (2, 3)
    model.export_onnx(path, input_shape=(3, 2, 1))
    assert input_shape(path) == ["batch", 3, 2, 1]
    with pytest.raises(ValueError, match=r"Dense\(6, 2\) expects inputs of shape \(samples, 6\)"):
        model.export_onnx(path, input_shape=(28, 28))
    with pytest.raises(ValueError, match="input_shape must be the shape of one sample"):
        model.export_onnx(path, input_shape=())
    with pytest.raises(ValueError, match="each number of input_shape must be at least 1"):
        model.export_onnx(path, input_shape=(0,))
    finalized(ReLU()).export_onnx(path)
    assert input_shape(path) == ["batch", "features"]


class Doubled(Dense):
    def forward(self, inputs: Any, training: bool = True) -> Array:
        self.output = 2 * super().forward(inputs, training)
        return self.output


class Leaky(LeakyReLU):
    def __init__(self) -> None:
        super().__init__(0.25)


def test_an_operation_of_your_own_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    class Square:
        def forward(self, inputs: Array) -> None:
            self.output = inputs**2

        def backward(self, dvalues: Array) -> None: ...

    for operation in (Square(), Doubled(2, 3)):
        with pytest.raises(TypeError, match=f"{type(operation).__name__}.* has no ONNX pattern"):
            finalized(Dense(4, 2), operation).export_onnx(tmp_path / "model.onnx")
    assert not os.listdir(tmp_path)


def test_a_class_that_computes_as_its_base_is_exported_as_that(tmp_path: Path) -> None:
    model = finalized(Dense(4, 3), Leaky(), type("Layer", (Dense,), {})(3, 2))
    assert_same(model, np.random.default_rng(0).normal(size=(5, 4)), tmp_path)


def test_a_model_has_to_be_finalized_first(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="call finalize"):
        Model([Dense(2, 3)]).export_onnx(tmp_path / "model.onnx")


def test_a_folder_that_does_not_exist_is_named_and_an_old_file_survives_a_failure(
    tmp_path: Path,
) -> None:
    model = finalized(Dense(2, 3))
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        model.export_onnx(tmp_path / "nowhere" / "model.onnx")
    model.export_onnx(tmp_path / "model.onnx")
    before = (tmp_path / "model.onnx").read_bytes()
    with pytest.raises(ValueError, match="class_names"):
        model.export_onnx(tmp_path / "model.onnx", ["only one"])
    assert (tmp_path / "model.onnx").read_bytes() == before
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_without_onnx_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for use in (finalized(Dense(2, 3)).export_onnx, Model.from_onnx):
        with pytest.raises(ImportError, match=r"this needs onnx: pip install 'dinputs\[onnx\]'"):
            use(tmp_path / "model.onnx")


@pytest.mark.data("mnist")
def test_a_trained_mnist_network_answers_the_same_on_every_test_image(tmp_path: Path) -> None:
    (X, y), (X_test, y_test) = mnist(scale=(0, 1))
    model = Model(
        [
            Flatten(),
            Dense(784, 64),
            BatchNormalization(64),
            ReLU(),
            Dropout(0.1),
            Dense(64, 10),
            Softmax(),
        ]
    )
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.002), accuracy=CategoricalAccuracy())
    model.finalize()
    model.train(X, y, batch_size=128, progress=False)
    model.export_onnx(tmp_path / "mnist.onnx", [str(digit) for digit in range(10)])
    outputs = answers(tmp_path / "mnist.onnx", X_test)
    np.testing.assert_allclose(outputs, model.predict(X_test), atol=1e-5)
    assert (outputs.argmax(axis=1) == y_test).mean() > 0.95
    again = Model.from_onnx(tmp_path / "mnist.onnx")
    np.testing.assert_allclose(again.predict(X_test), model.predict(X_test), atol=1e-5)
