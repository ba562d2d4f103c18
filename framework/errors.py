"""The errors of this framework that are not Python's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


class FileError(ValueError):
    """A file is damaged, of another format, or has something in it that does not fit."""


class OnnxError(FileError):
    """A file is damaged, is no ONNX file, or has a network that cannot be built here."""


class SavedFileError(FileError):
    """A file is damaged, is none of ours, or has a model or parameters that do not fit."""


@contextmanager
def file_errors(
    path: str | os.PathLike[str], error_class: type[FileError] = FileError, problem: str = ""
) -> Iterator[None]:
    """Turn every error that the content of a file can cause into one that names ``path``.

    That is every Exception but the operating system's, which are raised as they are: a file of a
    stranger can make a parser, a decoder or a user's own class raise anything. The reading of a
    file stands in such a block, and nothing else does.

    Args:
        path: the file.
        error_class: the error that is raised.
        problem: begins the message. Without it, a ValueError is taken to say it itself.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        message = str(error)
        if problem or not isinstance(error, ValueError) or isinstance(error, UnicodeError):
            # Written for programmers; that of a KeyError is only the key.
            reason = problem or "its content is not valid"
            message = f"{reason} ({type(error).__name__}: {error})"
        raise error_class(f"{os.fspath(path)}: {message}") from error
