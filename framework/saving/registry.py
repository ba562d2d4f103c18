"""The classes that a saved file may name, under the names by which users import them.

A file names a class by its public name, such as ``framework.Dense``. Names are looked up here and
nowhere else, so a file cannot make anything be imported. A package above this one registers its
own classes when it is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import framework.accuracies as accuracies
import framework.activations as activations
import framework.initializers as initializers
import framework.layers as layers
import framework.losses as losses
import optimizers
import optimizers.schedules as schedules
from framework.containers import Residual, Sequential

# Their classes are constructor arguments. Those of other packages are parts of a model:
# operations, losses, optimizers and accuracies.
ARGUMENT_PACKAGES = ("framework.initializers", "optimizers.schedules")

_classes: dict[str, type] = {}
_names: dict[type, str] = {}


def register(package: str, namespace: Mapping[str, Any]) -> None:
    """Let files name the public classes in ``namespace`` as ``package.ClassName``.

    Classes that ``namespace`` has imported from outside ``package`` are left out.
    """
    for name, value in namespace.items():
        is_own = isinstance(value, type) and f"{value.__module__}.".startswith(f"{package}.")
        if is_own and not name.startswith("_"):
            _classes[f"{package}.{name}"] = value
            _names[value] = f"{package}.{name}"


def public_name(cls: type) -> str | None:
    """Return the name of ``cls`` in files, or None if it is not registered."""
    return _names.get(cls)


def find_class(name: str, *, is_argument: bool) -> type | None:
    """Return the class of this name, or None if there is none of the wanted kind.

    With ``is_argument`` that is an initializer or a schedule, without it a part of a model.
    """
    return _classes.get(name) if is_argument_name(name) == is_argument else None


def is_argument_name(name: Any) -> bool:
    """Whether ``name`` is that of an initializer or a schedule."""
    return isinstance(name, str) and name.rpartition(".")[0] in ARGUMENT_PACKAGES


for package in (layers, activations, losses, accuracies):
    register("framework", vars(package))
register("framework", {"Residual": Residual, "Sequential": Sequential})
register("framework.initializers", vars(initializers))
register("optimizers", vars(optimizers))
register("optimizers.schedules", vars(schedules))
