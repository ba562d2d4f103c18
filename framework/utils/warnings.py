"""Warnings that point at the user's line, not at a line of this library."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

OURS = ("framework", "optimizers", "datasets", "contextlib", "numba")


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Show ``message`` as a warning of the line that called into this library."""
    level, frame = 1, sys._getframe()
    user = users_frame()
    while frame is not user and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def users_frame() -> FrameType:
    """Return the frame that called into this library, or the outermost if there is no other."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in OURS:
        frame = frame.f_back
    return frame


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
