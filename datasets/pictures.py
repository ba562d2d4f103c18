"""Reads pictures from untrusted files: a few formats, of a limited size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from datasets.reading import DataError
from optimizers.arrays import Array

# Pillow's names. It knows more formats, but some of them start other programs (EPS runs
# Ghostscript, and with it any program in the file), and most are rare.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")

# Pictures of more pixels are not resized: decoded, they take up to 8 bytes a pixel. A camera's
# JPEG can have more, since it can be decoded at an eighth of its size.
MOST_PIXELS = 1 << 26

ORIENTATION = 0x0112  # the tag of EXIF
ON_ITS_SIDE = (5, 6, 7, 8)  # the orientations that swap height and width

# The weights of red, green and blue in the brightness of a pixel: ITU-R BT.601.
BRIGHTNESS = (0.299, 0.587, 0.114)

GREY = ("1", "L", "LA", "I", "F")  # Pillow's modes without colours


def read_picture(
    path: str | PathLike[str],
    check_size: Callable[[int, int], None] | None = None,
    size: tuple[int, int] | None = None,
    *,
    transparent: bool = False,
) -> Array:
    """Return the pixels of a picture as bytes, ``(height, width)`` or ``(height, width, 3)``.

    They are turned as the picture is shown: a camera that is held on its side stores the picture
    lying, with its orientation in the EXIF data. The format is that of the content, and not that
    of the file's name. Of an animation it is the first picture.

    Args:
        path: the file, in one of ``FORMATS``.
        check_size: is called with the announced height and width, as shown, before anything is
            decoded, and raises an error for an unwanted size: a small file can hold more pixels
            than there is memory.
        size: the height and the width to which the picture is brought. It is scaled by one
            factor, so that it just covers this size, and the middle is cut out.
            ``check_size`` is then called with the result.
        transparent: whether the result is ``(height, width, 4)``, with the opacity of each pixel.

    Raises:
        OSError: the file cannot be opened.
        DataError: it is damaged, no picture in one of the formats, partly transparent without
            ``transparent``, has too many pixels to be resized, or more than 8 bits for a colour
            without telling which number is white. Pillow itself refuses more than 179 million
            announced pixels.
    """
    from PIL import Image, ImageOps

    check_size = check_size or _any_size
    with _opened(path) as image:
        # Of a TIFF, Pillow announces the size as it is shown.
        with _named(path):
            on_its_side = "exif" in image.info and _orientation(image) in ON_ITS_SIDE
        if size is None:
            check_size(*((image.width, image.height) if on_its_side else _size(image)))
        else:
            if image.info.get("progressive"):  # of which the whole is held, however it is decoded
                _check_pixels(path, image)
            with _named(path):
                _draft(image, size[::-1] if on_its_side else size)
            _check_pixels(path, image)
        if image.mode[0] in "IF" and image.format != "PNG":
            raise DataError(
                f"{fspath(path)} has more than 8 bits for a colour, and does not tell which number "
                "is white: convert it to 8 bits, or to PNG"
            )
        with _named(path):
            shown: Any = _in_8_bits(ImageOps.exif_transpose(image))
        if transparent:
            shown = shown.convert("RGBA")
        elif shown.mode in ("LA", "RGBA"):
            if shown.getchannel("A").getextrema()[0] < 255:
                raise DataError(f"{fspath(path)} has transparent parts: give it a ground first")
            shown = shown.convert(shown.mode.removesuffix("A"))
        if size is not None:
            shown = ImageOps.fit(shown, size[::-1], Image.Resampling.BILINEAR)
    # Again, since Pillow before 11 turns a TIFF as it decodes it.
    check_size(*_size(shown))
    return np.asarray(shown)


def is_grey(path: str | PathLike[str]) -> bool:
    """Whether ``read_picture`` would return ``(height, width)``, by the header of the file alone.

    Raises OSError and DataError as that.
    """
    with _opened(path) as image:
        return image.mode.split(";")[0] in GREY


def is_picture(path: str | PathLike[str]) -> bool:
    """Whether a file is a picture, by its header alone. Raises OSError if it cannot be opened."""
    try:
        with _opened(path):
            return True
    except DataError:
        return False


def as_channels(pixels: Array, channels: int) -> Array:
    """Return a picture of ``read_picture``, grey or coloured, as ``(height, width, channels)``.

    For one channel, colours become their brightness. With three channels, those of a grey picture
    are the same. Four channels are returned as they are.
    """
    if channels == 1:
        grey = pixels if pixels.ndim == 2 else np.rint(pixels @ BRIGHTNESS).astype(np.uint8)
        return grey[..., np.newaxis]
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)


@contextmanager
def _opened(path: str | PathLike[str]) -> Iterator[Any]:
    """Open a picture of which nothing is decoded yet."""
    from PIL import Image

    # An open file: of one that it opens itself, Pillow maps the pixels of a plain TIFF, and gets
    # those of one on its side wrong.
    named = Path(path)
    if named.exists() and not (named.is_file() or named.is_dir()):
        raise DataError(f"{fspath(path)}: expected a file, found a pipe, a socket or a device")
    with named.open("rb") as file:
        with _named(path):
            image = Image.open(file, formats=FORMATS)
        yield image


def _any_size(height: int, width: int) -> None:
    """Every size will do."""


def _size(image: Any) -> tuple[int, int]:
    return image.height, image.width


def _orientation(image: Any) -> int:
    return int(image.getexif().get(ORIENTATION, 1))


def _draft(image: Any, size: tuple[int, int]) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth of its size if that suffices.

    At least twice ``size`` is left, so that nothing of the picture's sharpness is lost.
    """
    height, width = size
    factor = max(height / image.height, width / image.width)
    image.draft(None, (round(2 * factor * image.width), round(2 * factor * image.height)))


def _check_pixels(path: str | PathLike[str], image: Any) -> None:
    """Raise DataError if ``image`` is decoded to more pixels than are resized."""
    height, width = _size(image)
    if height * width > MOST_PIXELS:
        raise DataError(
            f"{fspath(path)} is {height}×{width} pixels: expected at most {MOST_PIXELS:,} in all, "
            "make it smaller first"
        )


def _in_8_bits(image: Any) -> Any:
    """Return ``image`` as grey, RGB, or one of these with opacity, 8 bits for a colour."""
    from PIL import Image

    if image.mode[0] in "IF":  # a PNG of 16 bits, whose white is 2¹⁶ − 1
        return Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if "transparency" in image.info or image.mode not in ("1", "L", "LA", "RGB"):
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


@contextmanager
def _named(path: str | PathLike[str]) -> Iterator[None]:
    """Turn any error of Pillow while it reads a file into a DataError that names the file."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of oddities in a file, and of sizes, which are checked here.
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # the content of a file can make a decoder raise anything
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(
            f"{fspath(path)}: it is damaged, or no image in a known format ({', '.join(FORMATS)}) "
            f"({type(error).__name__}: {error})"
        ) from error
