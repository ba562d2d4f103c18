"""The classes that a package exports. Every list of operations is derived from them."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any


def snake_case(name: str) -> str:
    """Return the name of a class in the form that arguments take.

    >>> [snake_case(name) for name in ("LeakyReLU", "ReLU", "BatchNormalization", "AdamW")]
    ['leaky_relu', 'relu', 'batch_normalization', 'adamw']
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name).lower()


def exported(package: ModuleType, *bases: type) -> dict[str, type[Any]]:
    """Return the classes in ``package.__all__`` by their snake_case names, sorted.

    Only classes derived from one of ``bases`` are returned, and none of ``bases`` itself.
    """
    found = {name: getattr(package, name) for name in sorted(package.__all__, key=str.lower)}
    return {
        snake_case(name): cls
        for name, cls in found.items()
        if isinstance(cls, type) and issubclass(cls, bases) and cls not in bases
    }
