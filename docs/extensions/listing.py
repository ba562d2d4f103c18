"""The public names: which pages of the API there are, and what each lists.

Everything is derived from what the packages export, so that a new class has its page without a
word said here.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import framework
from framework.utils.exports import exported

# Modules with public names, and what they are called in the API. Those of ``framework`` itself are
# divided by the packages that they come from.
MODULES = {
    "framework": "framework",
    "framework.initializers": "Initializers",
    "framework.metrics": "Metrics",
    "framework.augmentation": "Augmentation",
    "framework.plots": "Pictures",
    "framework.estimators": "scikit-learn estimators",
    "framework.exercises": "Exercises",
    "framework.pytorch": "PyTorch",
    "framework.playground": "Playground",
    "framework.nnfs_book": "The book's names",
    "optimizers": "Optimizers",
    "optimizers.schedules": "Schedules",
    "datasets": "Data sets",
}
SECTIONS = {
    "framework.model": "Model",
    "framework.containers": "Containers",
    "framework.layers": "Layers",
    "framework.activations": "Activations",
    "framework.losses": "Losses",
    "framework.accuracies": "Accuracies",
    "framework.training": "Training",
    "framework.inspection": "Inspection",
    "framework.operation": "Foundations",
}
# Of so many small classes that one page for all is more use than one for each.
TOGETHER = ("framework.nnfs_book", "framework.initializers", "optimizers.schedules")


@dataclass
class Section:
    """Public names that belong together.

    Attributes:
        module: where they are imported from.
        title: of the page that lists them.
        folder: of their pages, below ``api``.
        summary: what the package says of itself, in a sentence or two.
        names: in the order in which they are shown.
        together: whether all of them stand on the page that lists them.
    """

    module: str
    title: str
    folder: str
    summary: str
    names: list[str] = field(default_factory=list)
    together: bool = False

    def classes(self) -> list[str]:
        """The names that have a page of their own."""
        if self.together:
            return []
        return [name for name in self.names if inspect.isclass(self.get(name))]

    def others(self) -> list[str]:
        """The names that stand on the page that lists all."""
        return [name for name in self.names if name not in self.classes()]

    def get(self, name: str) -> Any:
        """Return what a name stands for."""
        return getattr(importlib.import_module(self.module), name)


def sections() -> list[Section]:
    """Return all sections of the API that are there in this installation."""
    found: list[Section] = []
    for name, title in MODULES.items():
        try:
            module = importlib.import_module(name)
        except ImportError:  # an optional dependency, or a room that is not there
            continue
        if name == "framework":
            found += _of_framework(module)
            continue
        folder = name.rpartition(".")[2]
        section = Section(name, title, folder, _summary(module), public_names(module))
        section.together = name in TOGETHER
        found.append(section)
    return found


def public_names(module: ModuleType) -> list[str]:
    """Return the public names of a module: what it exports or, without that, what it defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if name[0] != "_" and getattr(value, "__module__", "") == module.__name__
        ]
    return [name for name in names if not inspect.ismodule(getattr(module, name))]


def activations() -> dict[str, Any]:
    """Return an operation of each exported activation, by the name of its class."""
    classes = exported(framework.activations, framework.activations.Activation).values()
    return {cls.__name__: cls.for_features(2) for cls in classes}


def _of_framework(module: ModuleType) -> list[Section]:
    """Divide the names of ``framework`` by the packages that they come from."""
    found = {
        name: Section("framework", title, title.lower(), _summary(importlib.import_module(name)))
        for name, title in SECTIONS.items()
    }
    rest = found["framework.operation"]
    for name in public_names(module):
        home = getattr(getattr(module, name), "__module__", "")
        sections = [s for package, s in found.items() if _inside(home, package)]
        (sections[0] if sections else rest).names.append(name)
    return list(found.values())


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _summary(module: ModuleType) -> str:
    """Return the first paragraph of the docstring of a module."""
    return (inspect.getdoc(module) or "").split("\n\n")[0]


def pages() -> Iterator[tuple[Section, str]]:
    """Yield every public name with its section."""
    for section in sections():
        for name in section.names:
            yield section, name
