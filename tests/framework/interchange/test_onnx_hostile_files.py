"""Damaged and hostile ONNX files give one type of error, and take no memory."""

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
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Model,
    Normalization,
    OnnxError,
    ReLU,
    Residual,
    Softmax,
    Swish,
)
from tests.framework.interchange.graphs import W, graph, saved
from tests.strategies import generator

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be read")

FLOAT, DOUBLE, INT64, STRING = 1, 11, 7, 8


def exported(tmp_path: Path) -> bytes:
    model = Model([Flatten(), Dense(2, 2), BatchNormalization(2), Swish(), Dense(2, 2), Softmax(2)])
    model.finalize()
    model.export_onnx(tmp_path / "whole.onnx", ["a", "b"], input_shape=(1, 2))
    return (tmp_path / "whole.onnx").read_bytes()


def attempt(content: bytes, tmp_path: Path) -> bool:
    """Return whether a model is read. Any error but OnnxError fails the test."""
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


def test_flipped_bits_give_one_type_of_error_or_another_network(tmp_path: Path) -> None:
    content = exported(tmp_path)
    outcomes = set()
    for position in range(0, 8 * len(content), 13):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        outcomes.add(attempt(bytes(damaged), tmp_path))
    assert outcomes == {True, False}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flipped_bits_in_a_network_for_images_too(dtype: str, tmp_path: Path) -> None:
    operations = [
        *(Normalization(2, mean=0, deviation=1), Conv2D(2, 3, 3, padding=1), BatchNormalization(3)),
        *(Residual([Conv2D(3, 3, 1), ReLU()]), AveragePooling2D(2, padding=1), Flatten()),
        Dense(27, 2),
    ]
    model = Model(operations, dtype=dtype)
    model.finalize()
    model.export_onnx(tmp_path / "whole.onnx", input_shape=(4, 4, 2))
    content = (tmp_path / "whole.onnx").read_bytes()
    outcomes = set()
    for position in range(0, 8 * len(content), 101):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that became huge
            outcomes.add(attempt(bytes(damaged), tmp_path))
    assert outcomes == {True, False}


def test_numbers_that_are_broadcast_to_more_take_no_memory(tmp_path: Path) -> None:
    size = 100_000
    model = graph(
        "h = Mul(x, column) y = Add(h, row)",
        inputs=f"float[N,{size},{size}] x",
        column=np.ones((size, 1)),
        row=np.ones(size),
    )
    path = saved(model, tmp_path)
    tracemalloc.start()
    try:
        read = Model.from_onnx(path)  # one after the other, not as 10,000,000,000 numbers
        widths = [getattr(layer, "n_features", None) for layer in read.layers]
        assert [width for width in widths if width is not None] == [size, size]
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=20)
@given(data=st.data())
def test_scrambled_files_give_one_type_of_error_or_another_network(
    data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("scrambled")
    content = exported(folder)
    random = generator(data.draw)
    for _ in range(20):
        damaged = bytearray(content)
        for position in random.integers(len(content), size=random.integers(1, 30)):
            damaged[position] = random.integers(256)
        start, length = random.integers(len(content)), random.integers(50)
        attempt(bytes(damaged), folder)
        attempt(bytes(damaged[:start] + damaged[start + length :]), folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04K\x01.", b"<html>", bytes(1000), b"PK\x03\x04" + bytes(50)], ids=repr
)
def test_a_file_of_another_format_is_refused(content: bytes, tmp_path: Path) -> None:
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
    (shared_by_many, "the numbers in the file are used for .* parameters"),
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


@pytest.mark.parametrize("target", [[0.0, np.inf], [0.0, np.nan], [-1e30, 2.0]])
def test_a_reshape_to_no_whole_numbers_gives_the_one_type_of_error(
    target: list[float], tmp_path: Path
) -> None:
    model = graph("y = Reshape(x, to)", to=target)
    with pytest.raises(OnnxError, match="it.onnx: "):
        Model.from_onnx(saved(model, tmp_path))


def test_whatever_reading_a_graph_raises_becomes_the_one_type_of_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "it.onnx"
    path.write_bytes(exported(tmp_path))
    for error in (OverflowError("too large"), ZeroDivisionError("zero"), OSError("a library's")):

        def fail(*arguments: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("framework.interchange.onnx_import.Graph", fail)
        with pytest.raises(OnnxError, match=f"^{path}: .*{error}"):
            Model.from_onnx(path)
