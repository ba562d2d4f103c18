"""Other packages that are called ``datasets`` or ``optimizers``."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from framework import Dense, Model

ROOT = Path(__file__).parents[1]
FOREIGN = "def load_dataset(name):\n    return name\n"


def run(*program: str, first: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python in ``folder``, where packages are looked for in ``first`` before ours."""
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", *program],
        cwd=folder,
        env={"PYTHONPATH": f"{first}:{ROOT}", "MPLBACKEND": "Agg", "HOME": str(folder)},
        capture_output=True,
        text=True,
    )


def package(folder: Path, name: str, content: str = FOREIGN) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(content)
    return folder


def distribution(site: Path, name: str, version: str, *files: str) -> None:
    """What pip notes about an installed distribution."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def error_of(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 1, result.stderr
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", [["spiral"], ["summary", "a.safetensors"], ["--help"]])
def test_a_folder_called_datasets_is_named_by_the_commands(
    command: list[str], tmp_path: Path
) -> None:
    package(tmp_path, "datasets")
    result = run("-m", "framework", *command, first=tmp_path, folder=tmp_path)
    assert result.stderr.count("\n") == 1
    assert error_of(result).startswith(
        "dinputs: error: framework needs the package datasets of dinputs, but "
        f"{tmp_path}/datasets/__init__.py is in the way: give it another name"
    )


def test_a_folder_without_code_is_named_too_where_ours_is_gone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    shutil.copytree(ROOT / "optimizers", tmp_path / "optimizers")
    (tmp_path / "datasets").mkdir()
    # As after another distribution was uninstalled, and took __init__.py with it.
    (tmp_path / "datasets" / "mnist.py").touch()
    script = "import sys; sys.path.remove(sys.argv[1]); import framework.commands"
    result = run("-c", script, str(ROOT), first=tmp_path, folder=tmp_path)
    assert f"{tmp_path}/datasets is in the way" in error_of(result)
    assert "pip install --force-reinstall dinputs" in error_of(result)


def test_framework_works_where_datasets_is_anothers(tmp_path: Path) -> None:
    package(tmp_path, "datasets")
    model = Model([Dense(2, 1)])
    model.finalize()
    model.save(tmp_path / "a.safetensors")
    script = (
        "import datasets, framework, numpy\n"
        "print(datasets.load_dataset('x'))\n"
        "print(framework.Model.load('a.safetensors').predict(numpy.ones((1, 2))).item())"
    )
    result = run("-c", script, first=tmp_path, folder=tmp_path)
    assert result.stderr == ""
    name, prediction = result.stdout.split()
    assert name == "x"
    assert float(prediction) == pytest.approx(model.predict(np.ones((1, 2))).item())


def test_another_distribution_in_the_way_is_named_with_its_file(tmp_path: Path) -> None:
    package(tmp_path / "site", "datasets")
    distribution(tmp_path / "site", "datasets", "4.0.0", "datasets/__init__.py")
    result = run("-m", "framework", "spiral", first=tmp_path / "site", folder=tmp_path)
    message = error_of(result)
    assert f"{tmp_path}/site/datasets/__init__.py is in the way: it belongs to datasets" in message
    assert "virtual environment of its own" in message


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    """A folder where both distributions were installed, ours at last."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "datasets", site / "datasets")
    (site / "datasets" / "arrow_dataset.py").write_text("")
    distribution(site, "dinputs", "0.1.0", "datasets/__init__.py", "datasets/mnist.py")
    distribution(site, "datasets", "4.0.0", "datasets/__init__.py", "datasets/arrow_dataset.py")
    return site


def test_a_mixture_of_two_in_which_the_other_came_last_is_named(
    mixture: Path, tmp_path: Path
) -> None:
    (mixture / "datasets" / "__init__.py").write_text(FOREIGN)
    message = error_of(run("-m", "framework", "spiral", first=mixture, folder=tmp_path))
    assert f"{mixture}/datasets/__init__.py is in the way: datasets and dinputs were i" in message
    assert "Uninstall both" in message


def test_a_mixture_of_two_in_which_ours_came_last_is_warned_of(
    mixture: Path, tmp_path: Path
) -> None:
    result = run("-c", "from datasets import spiral_data", first=mixture, folder=tmp_path)
    message = error_of(result)
    assert message.startswith(f"UserWarning: {mixture}/datasets is the folder of dinputs and of da")
    assert "whose arrow_dataset.py is in it" in message
    script = "import warnings; warnings.simplefilter('ignore'); import datasets; datasets.mnist"
    assert run("-c", script, first=mixture, folder=tmp_path).returncode == 0


def test_a_module_that_is_not_exported_yet_is_no_mixture(mixture: Path, tmp_path: Path) -> None:
    shutil.rmtree(mixture / "datasets-4.0.0.dist-info")
    result = run("-c", "import datasets", first=mixture, folder=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "statement", ["import framework", "from framework.layers import Dense", "import datasets"]
)
@pytest.mark.parametrize("kind", ["package", "module"])
def test_optimizers_of_another_are_named_wherever_they_are_needed(
    statement: str, kind: str, tmp_path: Path
) -> None:
    if kind == "package":
        place = package(tmp_path, "optimizers") / "optimizers" / "__init__.py"
    else:
        place = tmp_path / "optimizers.py"
        place.write_text("SGD = None\n")
    message = error_of(run("-c", statement, first=tmp_path, folder=tmp_path))
    needing = "datasets" if "datasets" in statement else "framework"
    assert message.startswith(
        f"ImportError: {needing} needs the package optimizers of dinputs, but {place} is in the way"
    )


def test_optimizers_mixed_with_those_of_another_are_warned_of(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(ROOT / "optimizers", site / "optimizers")
    (site / "optimizers" / "sophia.py").write_text("")
    distribution(site, "lions", "1.0", "optimizers/__init__.py", "optimizers/sophia.py")
    message = error_of(run("-c", "import framework", first=site, folder=tmp_path))
    assert message.startswith(f"UserWarning: {site}/optimizers is the folder of dinputs and of li")


@pytest.mark.parametrize("name", ["datasets", "optimizers"])
def test_every_module_of_ours_is_known_as_ours(name: str) -> None:
    # Otherwise a module of ours would be taken for another's.
    script = f"import sys, {name}; print(*(m for m in sys.modules if m.startswith('{name}.')))"
    result = run("-c", script, first=ROOT, folder=ROOT)
    files = {path.stem for path in (ROOT / name).glob("*.py")} - {"__init__"}
    assert set(result.stdout.split()) == {f"{name}.{file}" for file in files}
