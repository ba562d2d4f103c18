"""Optional packages."""

from __future__ import annotations

import importlib
from typing import Any


def required(package: str, install: str) -> Any:
    """Import ``package``, or raise ImportError that says to ``pip install`` ``install``."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise ImportError(f"this needs {package}: pip install {install}") from error
