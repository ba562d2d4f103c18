"""The bytes of a saved file: a safetensors file with JSON metadata and a checksum.

    tensors               the arrays, by name
    metadata["dinputs"]   JSON: {"version": 1, "checksum": "…", …}, and the content

The format holds numbers and text, and never code. Version 1 is read for good. A newer version is
refused by its number.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np

from framework.errors import SavedFileError, file_errors
from optimizers.arrays import Array

FilePath: TypeAlias = str | os.PathLike[str]

VERSION = 1
METADATA_KEY = "dinputs"


def encode(contents: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return the bytes of a file with ``contents``, which must be valid JSON, and ``arrays``."""
    from safetensors.numpy import save

    # The library writes the memory as it is, and ignores strides and byte order.
    arrays = {
        name: np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    contents = {"version": VERSION, **contents}
    text = json.dumps({"checksum": checksum(contents, arrays), **contents})
    # A single metadata entry: the library writes several in random order, and the same model
    # should give the same file.
    return save(dict(arrays), {METADATA_KEY: text})


def read(path: FilePath) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the contents and the arrays of the file ``path``.

    Raises OSError if it cannot be read, and errors of other types if it is damaged or not a file
    of this format: use it inside ``saved_file_errors``.
    """
    from safetensors import SafetensorError, safe_open

    # The error of open() says more clearly than the library's why a file cannot be opened.
    with open(path, "rb") as opened:
        beginning = opened.read(9)
    try:
        opened_file = safe_open(path, framework="numpy")
    except SafetensorError as error:
        problem = "it is no safetensors file, or a damaged one"
        if _looks_like_a_pickle(beginning):
            problem = "it is no safetensors file; it looks like a pickle, which is never read"
        raise ValueError(f"{problem}: {error}") from None
    with opened_file as file:
        contents = _parse((file.metadata() or {}).get(METADATA_KEY))
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    stored_checksum = contents.pop("checksum", None)
    if stored_checksum != checksum(contents, arrays):
        raise ValueError("it is damaged: its checksum does not match its content")
    return contents, arrays


def checksum(contents: Any, arrays: Mapping[str, Array]) -> str:
    """Return a checksum of ``contents``, which must be valid JSON, and of ``arrays``."""
    names = sorted(arrays)
    table = [(name, arrays[name].dtype.name, arrays[name].shape) for name in names]
    digest = hashlib.sha256(json.dumps([contents, table]).encode())
    for name in names:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def saved_file_errors(path: FilePath) -> AbstractContextManager[None]:
    """Turn every error of a file's content into a ``SavedFileError``: see ``file_errors``."""
    return file_errors(path, SavedFileError)


def _parse(text: str | None) -> dict[str, Any]:
    """Return the JSON metadata. Raises ValueError if it is missing or not of this version."""
    if text is None:
        raise ValueError("it is a safetensors file, but not one that dinputs has written")
    try:
        contents = json.loads(text)
    except ValueError as error:
        raise ValueError(f"its metadata are not JSON: {error}") from None
    if not isinstance(contents, dict) or not isinstance(contents.get("version"), int):
        raise ValueError("its metadata have no version of the format")
    if contents["version"] != VERSION:
        raise ValueError(
            f"it has version {contents['version']} of the format, and this release of "
            f"dinputs reads version {VERSION}"
        )
    return contents


def _looks_like_a_pickle(beginning: bytes) -> bool:
    # A safetensors file may begin with the same two bytes, but then its JSON follows at byte 8.
    protocol, json_begins = beginning[1:2], beginning[8:9] == b"{"
    return beginning[:1] == b"\x80" and b"\x02" <= protocol <= b"\x05" and not json_begins
