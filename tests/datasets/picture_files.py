"""Picture files for tests: of any kind, stored in any orientation."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from tests.strategies import Array

GREY = np.random.default_rng(1).integers(0, 256, size=(4, 5), dtype=np.uint8)
COLOURED = np.random.default_rng(2).integers(0, 256, size=(4, 5, 3), dtype=np.uint8)

ORIENTATION = 0x0112
# What the first row and the first column of the stored picture are when it is shown: EXIF 2.3,
# tag "Orientation". Each function stores what is to be shown.
STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda shown: shown,  # top, left
    2: lambda shown: shown[:, ::-1],  # top, right
    3: lambda shown: shown[::-1, ::-1],  # bottom, right
    4: lambda shown: shown[::-1],  # bottom, left
    5: lambda shown: shown.T,  # left, top
    6: lambda shown: shown[:, ::-1].T,  # right, top
    7: lambda shown: shown[::-1, ::-1].T,  # right, bottom
    8: lambda shown: shown[::-1].T,  # left, bottom
}


def content(pixels: Array, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def written(path: Path, written_content: bytes) -> Path:
    path.write_bytes(written_content)
    return path


def photograph(path: Path, shown: Array, orientation: int, kind: str = "PNG") -> Path:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED[orientation](shown))
    options = {"lossless": True} if kind == "WEBP" else {}
    PIL.Image.fromarray(stored).save(path, kind, exif=exif, **options)
    return path
