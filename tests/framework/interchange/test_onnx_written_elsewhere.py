"""300 files of PyTorch, Keras and scikit-learn: read right, or refused by the node at fault."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from framework import Model, OnnxError
from tests.strategies import Array

PROGRAMS = ("onnx", "onnxscript", "torch", "keras", "skl2onnx")
MISSING = [name for name in PROGRAMS if importlib.util.find_spec(name) is None]
if MISSING:
    pytest.skip(f"{MISSING[0]} is not installed: no files of it", allow_module_level=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("written")
    # In a process of its own, since Keras is told its backend before it is imported.
    script = "tests.framework.interchange.written_elsewhere"
    subprocess.run([sys.executable, "-m", script, str(folder)], check=True, timeout=1000)
    return sorted(folder.glob("*.onnx"))


def read(path: Path) -> tuple[Model, Array, Array]:
    """The model, what it computes, and what the other program does."""
    data = np.load(path.with_suffix(".npz"))
    model = Model.from_onnx(path)
    turned = model.input_shape != data["X"].shape[1:]
    found = model.predict(np.moveaxis(data["X"], 1, -1) if turned else data["X"])
    return model, found.reshape(data["y"].shape), data["y"]


def is_to_be_read(files: list[Path], to_be_read: bool) -> Iterator[tuple[Path, str]]:
    for path in files:
        operator = str(np.load(path.with_suffix(".npz"))["refused"])
        if to_be_read == (not operator):
            yield path, operator


@pytest.mark.long
def test_every_network_of_layers_that_are_here_is_read_right(files: list[Path]) -> None:
    assert len(files) >= 300
    for path, _ in is_to_be_read(files, True):
        model, found, expected = read(path)
        np.testing.assert_allclose(
            found, expected, rtol=2e-4, atol=2e-5, err_msg=f"{path.name}: {model}"
        )


@pytest.mark.long
def test_every_other_network_is_refused_by_the_node_at_fault(files: list[Path]) -> None:
    refused = list(is_to_be_read(files, False))
    assert len(refused) >= 16
    for path, operator in refused:
        with pytest.raises(OnnxError, match=rf"node '.*' \({operator}\)"):
            Model.from_onnx(path)
