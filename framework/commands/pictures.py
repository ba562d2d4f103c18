"""Pictures from files that nobody vouches for: which formats are read, and of what size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from framework.operation import Array

# As Pillow calls them. It knows more, but some of those start other programs (EPS runs Ghostscript,
# and so whatever the file tells that to do), and for most nobody asks.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")


def read_picture(path: Path, check_size: Callable[[int, int], None]) -> Array:
    """Return the pixels of a picture as bytes, ``(height, width)`` or ``(height, width, 3)``.

    A file is of the format that its content says, whatever its name.

    Args:
        path: the file, in one of ``FORMATS``.
        check_size: is called with the height and the width that the file announces, before
            anything is decoded, and raises an error where nobody wants such a picture: a small
            file can hold more pixels than there is memory.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, no picture in one of the formats, partly transparent, or of
            more than 8 bits for a colour without telling which number is white. Pillow itself
            refuses what announces more than 179 million pixels.
    """
    from PIL import Image

    with _named(path):
        image = Image.open(path, formats=FORMATS)
    with image:
        check_size(image.height, image.width)
        numbers = image.mode[0] in "IF"
        if numbers and image.format != "PNG":
            raise ValueError(
                f"{path} has more than 8 bits for a colour, and does not tell which number is "
                "white: convert it to 8 bits, or to PNG"
            )
        with _named(path):
            if numbers:  # white is 2¹⁶ − 1 in PNG
                pixels = np.rint(np.asarray(image) / 257).astype(np.uint8)
            else:
                pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGBA"))
    check_size(*pixels.shape[:2])  # again, since Pillow before 11 turns a TIFF as it decodes it
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        if pixels[..., 3].min() < 255:
            raise ValueError(f"{path} has transparent parts: give it a ground first")
        pixels = pixels[..., :3]
    return pixels


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while Pillow reads a file into an error that names it."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of what is odd in a file, and of sizes, which are looked at here.
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # a damaged file can make a decoder raise anything
        if isinstance(error, OSError) and error.filename is not None:
            raise  # it says itself which file it could not open
        known = ", ".join(FORMATS)
        raise ValueError(
            f"{path} is damaged, or no image in a known format ({known}): "
            f"{type(error).__name__}: {error}"
        ) from None
