"""Warnings that point at the user's line, not at a line of this library."""

import sys
import warnings

OURS = ("framework", "optimizers", "datasets", "contextlib", "numba")


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Show ``message`` as a warning of the line that called into this library."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
