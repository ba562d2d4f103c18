"""What is installed, and what importing it costs."""

import subprocess
import sys
from importlib import resources

import pytest

import datasets
import framework
import optimizers


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``statement``."""
    script = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return set(result.stdout.split())


@pytest.mark.parametrize("package", ["framework", "optimizers", "datasets"])
def test_importing_brings_nothing_but_numpy(package: str) -> None:
    modules = imported_by(f"import {package}")
    unwanted = {"matplotlib", "tqdm", "IPython", "ipywidgets", "sklearn", "torch", "numba", "scipy"}
    assert not modules & {*unwanted, "onnx", "google.protobuf"}


@pytest.mark.parametrize("package", ["optimizers", "datasets"])
def test_optimizers_and_datasets_need_nothing_from_framework(package: str) -> None:
    assert "framework" not in imported_by(f"import {package}")


@pytest.mark.parametrize("package", [framework, optimizers, datasets], ids=lambda p: p.__name__)
def test_public_names_exist_and_types_are_announced(package: object) -> None:
    for name in package.__all__:  # type: ignore[attr-defined]
        assert hasattr(package, name)
    assert resources.files(package).joinpath("py.typed").is_file()  # type: ignore[arg-type]
