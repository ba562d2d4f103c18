"""The errors of this framework that are not Python's own."""

from __future__ import annotations

from typing import Any


class BatchError(ValueError):
    """A batch that a training was given does not fit."""


class DivergenceError(FloatingPointError):
    """The loss or the parameters became NaN or infinite.

    Attributes:
        history: the ``History`` of the epochs that were completed before.
    """

    def __init__(self, message: str, history: Any) -> None:
        super().__init__(message)
        self.history = history


class OnnxError(ValueError):
    """A file is damaged, is no ONNX file, or has a network that cannot be built here."""


class SavedFileError(ValueError):
    """A file is damaged, is none of ours, or has a model or parameters that do not fit."""
