"""Small ONNX graphs for tests, and what onnxruntime answers for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.strategies import Array

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing can be read")


def answers(path: Path, X: Array) -> Array:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    running = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = running.run(None, {running.get_inputs()[0].name: X})
    (numbers,) = [array for array in outputs if getattr(array, "dtype", None) == X.dtype]
    return np.asarray(numbers)


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


W = np.array([[1.0, 2.0], [3.0, 4.0]])
B = np.array([5.0, 6.0])
