"""Pictures of any kind: what is read, as it is shown, and of the size that was asked for."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from datasets import DataError
from datasets.pictures import FORMATS, as_channels, is_grey, is_picture, read_picture
from tests.datasets.picture_files import COLOURED, GREY, STORED, content, photograph, written
from tests.strategies import Array

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP"])
@pytest.mark.parametrize("pixels", [GREY, COLOURED], ids=["grey", "coloured"])
def test_formats_without_loss_give_the_pixels(kind: str, pixels: Array, tmp_path: Path) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    path = written(tmp_path / "any name", content(pixels, kind, **options))
    read = read_picture(path)
    assert read.dtype == np.uint8
    if read.ndim > pixels.ndim:  # GIF and WebP know no grey
        assert kind in ("GIF", "WEBP")
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    np.testing.assert_array_equal(read, pixels)


def test_jpeg_is_read_for_what_it_shows(tmp_path: Path) -> None:
    # A plain grey is what JPEG keeps exactly: nothing but the mean of each block.
    path = written(tmp_path / "a.png", content(np.full((16, 24), 100, np.uint8), "JPEG"))
    np.testing.assert_array_equal(read_picture(path), np.full((16, 24), 100))


def test_every_format_is_tried_here() -> None:
    assert sorted(FORMATS) == ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"]


def test_png_of_16_bits_is_rounded_to_8(tmp_path: Path) -> None:
    deep = np.array([[0, 128, 129, 257, 65535 - 129, 65535 - 128, 65535]], np.uint16)
    path = written(tmp_path / "a.png", content(deep, "PNG"))
    # 65535 is 255 · 257, so the halves lie between 128 and 129.
    np.testing.assert_array_equal(read_picture(path), [[0, 0, 1, 1, 254, 255, 255]])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_one_bit_and_palettes_give_the_colours_that_they_stand_for(
    kind: str, tmp_path: Path
) -> None:
    image = PIL.Image.fromarray(np.where(GREY > 127, 255, 0).astype(np.uint8))
    for mode in ("1", "P"):
        image.convert(mode).save(tmp_path / "a", kind)
        read = read_picture(tmp_path / "a")
        brightness = read if read.ndim == 2 else read[..., 0]
        np.testing.assert_array_equal(brightness, np.where(GREY > 127, 255, 0))


MODES = {
    # What Pillow calls it: whether it is grey, and how it is seen.
    "L": (True, GREY),
    "1": (True, np.where(GREY > 127, 255, 0)),
    "LA": (True, GREY),
    "I;16": (True, GREY),
    "P": (False, COLOURED),
    "RGB": (False, COLOURED),
    "RGBA": (False, COLOURED),
    "CMYK": (False, COLOURED),
}


@pytest.mark.parametrize("mode", MODES)
def test_whether_a_picture_is_grey_is_known_from_its_header(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey, pixels = MODES[mode]
    if mode == "I;16":
        image = PIL.Image.fromarray(pixels.astype(np.uint16) * 257)
    elif mode == "P":  # 20 pixels have no more colours than there are places
        image = PIL.Image.fromarray(pixels).quantize(256, dither=PIL.Image.Dither.NONE)
    else:
        image = PIL.Image.fromarray(pixels.astype(np.uint8)).convert(mode)
    image.save(tmp_path / "a", "TIFF" if mode == "CMYK" else "PNG")
    read = read_picture(tmp_path / "a")
    np.testing.assert_allclose(read.astype(int), pixels, atol=1)
    monkeypatch.delattr("PIL.ImageFile.ImageFile.load")
    assert is_grey(tmp_path / "a") == grey
    assert is_picture(tmp_path / "a")


OPACITY = np.where(GREY > 127, 255, 100).astype(np.uint8)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L", "RGB"])
def test_transparent_parts_are_refused_or_the_fourth_channel(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    if "A" in mode:
        colours = np.repeat(GREY[..., np.newaxis], 3, axis=2)
        pixels = np.dstack([colours, OPACITY])
        PIL.Image.fromarray(pixels).convert(mode).save(path)
    else:  # one colour stands for what is seen through
        image = PIL.Image.fromarray(np.where(GREY > 127, 255, 0).astype(np.uint8)).convert(mode)
        image.save(path, transparency=(255, 255, 255) if mode == "RGB" else 255)
        white = np.where(GREY > 127, 255, 0)
        pixels = np.dstack([white, white, white, 255 - white])
    with pytest.raises(DataError) as raised:
        read_picture(path)
    assert str(raised.value) == f"{path} has transparent parts: give it a ground first"
    read = read_picture(path, transparent=True)
    assert read.shape == (4, 5, 4)
    np.testing.assert_array_equal(read[..., 3], pixels[..., 3])
    opaque = pixels[..., 3] > 0
    np.testing.assert_array_equal(read[opaque], pixels[opaque])


@pytest.mark.parametrize("pixels", [GREY, COLOURED], ids=["grey", "coloured"])
def test_what_is_not_transparent_is_opaque(pixels: Array, tmp_path: Path) -> None:
    read = read_picture(written(tmp_path / "a", content(pixels, "PNG")), transparent=True)
    np.testing.assert_array_equal(read[..., 3], 255)
    np.testing.assert_array_equal(read[..., :3], as_channels(pixels, 3))


def test_colours_become_their_brightness_and_grey_becomes_three_equal_colours() -> None:
    red_green_blue = np.diag([255, 255, 255]).reshape(1, 3, 3).astype(np.uint8)
    # ITU-R BT.601: 0.299, 0.587 and 0.114 of 255.
    np.testing.assert_array_equal(as_channels(red_green_blue, 1), [[[76], [150], [29]]])
    np.testing.assert_array_equal(as_channels(GREY, 1), GREY[..., np.newaxis])
    np.testing.assert_array_equal(as_channels(GREY, 3), np.dstack([GREY] * 3))
    np.testing.assert_array_equal(as_channels(COLOURED, 3), COLOURED)


@pytest.mark.parametrize("junk", [b"", b"no picture", b"%!PS-Adobe-3.0", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_named(junk: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", junk)
    assert not is_picture(path)
    for read in (read_picture, is_grey):
        with pytest.raises(DataError) as raised:
            read(path)
        assert str(raised.value).startswith(
            f"{path}: it is damaged, or no image in a known format (PNG, JPEG, BMP, GIF, TIFF, "
        )


def test_a_file_that_is_not_there_is_an_error_of_the_operating_system(tmp_path: Path) -> None:
    for read in (read_picture, is_grey, is_picture):
        with pytest.raises(FileNotFoundError, match="nothing"):
            read(tmp_path / "nothing.png")


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_picture_is_read_as_it_is_shown(kind: str, orientation: int, tmp_path: Path) -> None:
    sizes = []
    path = photograph(tmp_path / "a", GREY, orientation, kind)
    read = read_picture(path, lambda *size: sizes.append(size))
    np.testing.assert_array_equal(read if read.ndim == 2 else read[..., 0], GREY)
    assert set(sizes) == {(4, 5)}


@pytest.mark.parametrize("orientation", STORED)
def test_a_jpeg_is_read_as_it_is_shown(orientation: int, tmp_path: Path) -> None:
    # Blocks of 8×8 of one grey are what JPEG keeps exactly.
    shown = np.kron(np.array([[40, 200, 90], [160, 10, 240]]), np.ones((8, 8))).astype(np.uint8)
    path = photograph(tmp_path / "a.jpg", shown, orientation, "JPEG")
    np.testing.assert_allclose(read_picture(path).astype(int), shown, atol=1)


def test_a_png_of_16_bits_is_turned_too(tmp_path: Path) -> None:
    path = photograph(tmp_path / "a.png", GREY.astype(np.uint16) * 257, 6)
    np.testing.assert_array_equal(read_picture(path), GREY)


@pytest.mark.parametrize(
    ("shown", "size", "expected"),
    [
        # 6×12 covers 2×2 when divided by 3; the middle 6 of 12 columns are cut out.
        (np.kron([[9, 10, 20, 9], [9, 30, 40, 9]], np.ones((3, 3))), (2, 2), [[10, 20], [30, 40]]),
        (np.kron([[9], [9], [50], [9], [9]], np.ones((4, 4))), (1, 1), [[50]]),
        (np.full((2, 3), 70), (5, 6), np.full((5, 6), 70)),  # a smaller one
    ],
)
def test_a_resized_picture_is_scaled_by_one_factor_and_cut_to_its_middle(
    shown: Array, size: tuple[int, int], expected: Any, tmp_path: Path
) -> None:
    # With the sharp edges of these blocks, the neighbours weigh in with up to a quarter.
    path = tmp_path / "a.png"
    PIL.Image.fromarray(np.asarray(shown).astype(np.uint8)).save(path)
    read = read_picture(path, size=size).astype(int)
    assert read.shape == size
    spread = np.ptp(np.asarray(shown))
    np.testing.assert_allclose(read, expected, atol=spread / 4)


def test_a_resized_picture_keeps_its_colours(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (40, 30), (200, 100, 50)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_picture(tmp_path / "a.png", size=(3, 3)), np.full((3, 3, 3), [200, 100, 50])
    )


def test_pictures_are_opened_in_one_place() -> None:
    places = [
        path.relative_to(ROOT).as_posix()
        for folder in ("framework", "datasets", "optimizers", "notebooks", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".ipynb")
        and re.search(r"\b(Image\.open|imread)\b", path.read_text(encoding="utf-8"))
    ]
    assert places == ["datasets/pictures.py"]
