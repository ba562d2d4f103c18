"""What is installed, and what importing it costs."""

import configparser
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import datasets
import framework
import optimizers
from framework import exercises, plots

TOP = Path(__file__).parent.parent
PACKAGES = [framework, plots, exercises, optimizers, datasets]


def imported_by(statement: str) -> set[str]:
    """The packages, beside Python's own, that ``statement`` loads in a fresh interpreter."""
    script = (
        f"import sys; before = set(sys.modules); {statement}; "
        "print(*(n for n, m in sys.modules.items() if n not in before and hasattr(m, '__file__')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    loaded = {module.split(".")[0] for module in result.stdout.split()}
    return loaded - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("framework", {"framework", "optimizers", "numpy"}),
        ("optimizers", {"optimizers", "numpy"}),
        ("datasets", {"datasets", "optimizers", "numpy", "nnfs"}),
    ],
)
def test_importing_brings_numpy_and_nothing_optional(package: str, expected: set[str]) -> None:
    assert imported_by(f"import {package}") == expected


def test_estimators_without_scikit_learn_say_what_to_install() -> None:
    # None in sys.modules makes every import of it fail, installed or not.
    script = "import sys; sys.modules['sklearn'] = None; import framework.estimators"
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert result.returncode == 1
    message = result.stderr.splitlines()[-1]
    assert message.startswith("ImportError: framework.estimators needs scikit-learn")
    assert 'pip install "dinputs[sklearn]"' in message


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_public_names_exist_and_types_are_announced(package: object) -> None:
    for name in package.__all__:  # type: ignore[attr-defined]
        assert hasattr(package, name)
    top = package.__name__.partition(".")[0]  # type: ignore[attr-defined]
    assert resources.files(top).joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    "package", [framework, plots, optimizers, datasets], ids=lambda p: p.__name__
)
def test_listing_a_package_shows_its_public_names_only(package: Any) -> None:
    assert dir(package) == sorted(package.__all__)


def public_functions() -> Iterator[tuple[str, Any]]:
    """Yield the functions, classes and public methods of the packages with their names."""
    for package in PACKAGES:
        for name in package.__all__:
            found = getattr(package, name)
            if callable(found):
                yield f"{package.__name__}.{name}", found
            for method in dir(found) if isinstance(found, type) else ():
                kind = inspect.getattr_static(found, method)
                routine = inspect.isroutine(kind) or isinstance(kind, (classmethod, staticmethod))
                # To inspect, a cached property is a routine; but it cannot be called.
                if (
                    routine
                    and callable(getattr(found, method))
                    and (method[0] != "_" or method == "__init__")
                ):
                    yield f"{package.__name__}.{name}.{method}", getattr(found, method)


def test_signatures_show_the_names_of_types_and_not_what_they_stand_for() -> None:
    shown = {}
    for name, function in public_functions():
        with suppress(ValueError):  # C code has no signature
            shown[name] = str(inspect.signature(function))
    assert "ArrayLike" in shown["framework.Dense.forward"]
    assert "ArrayLike" in shown["framework.check_gradients"]
    assert "Transform | None" in shown["framework.Model.train"]
    assert "ValidationData | None" in shown["framework.Model.train"]
    expansions = re.compile(r"_SupportsArray|_NestedSequence|numpy\.ndarray|Callable\[\[numpy")
    assert [name for name, text in shown.items() if expansions.search(text)] == []


def test_the_version_is_that_of_the_package_and_has_its_changes_described() -> None:
    configuration = configparser.ConfigParser()
    configuration.read(TOP / "setup.cfg", encoding="utf-8")
    assert configuration["metadata"]["version"] == "attr: framework.__version__"
    assert f"\n## {framework.__version__} " in (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    with suppress(metadata.PackageNotFoundError):  # a clone that is not installed
        assert metadata.version("dinputs") == framework.__version__
