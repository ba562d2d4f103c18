"""Pictures of strangers: what is read, what is refused, and that refusing costs nothing."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.EpsImagePlugin
import PIL.Image
import pytest

from framework import Flatten, Model, Scale
from framework.__main__ import main
from tests.datasets.picture_files import COLOURED, GREY, content, written
from tests.strategies import Array

ROOT = Path(__file__).parents[3]


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(height: int, width: int, data: bytes) -> bytes:
    """A PNG of grey bytes, or what calls itself that: https://www.w3.org/TR/png-3."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def black(height: int, width: int) -> bytes:
    compressor = zlib.compressobj(1)
    rows = [compressor.compress(bytes(width + 1)) for _ in range(height)]
    return png(height, width, b"".join(rows) + compressor.flush())


# What is refused


def predict(path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of the error with which ``predict`` ends."""
    assert main(["predict", str(model), str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert str(path) in captured.err
    return captured.err


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The file of a model that takes 4×5 grey pixels."""
    it = Model([Scale(1 / 255), Flatten()])
    it.finalize()
    it.predict(GREY[np.newaxis])
    it.save(tmp_path / "it.safetensors")
    return tmp_path / "it.safetensors"


POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 5 4
%%EndComments
(FILE) (w) file (was here) writestring
showpage
%%EOF
"""


@pytest.mark.skipif(os.name == "nt", reason="the Ghostscript of this test is a shell script")
@pytest.mark.parametrize("name", ["f.jpg", "f.png", "f.eps", "f"])
def test_postscript_is_never_run_whatever_it_calls_itself(
    name: str, model: Path, tmp_path: Path
) -> None:
    trace, programs = tmp_path / "trace", tmp_path / "programs"
    programs.mkdir()
    ghostscript = programs / "gs"
    ghostscript.write_text(f"#!/bin/sh\necho run >> '{trace}'\n")
    ghostscript.chmod(0o700)
    path = written(tmp_path / name, POSTSCRIPT.replace(b"FILE", bytes(trace)))
    result = subprocess.run(
        [sys.executable, "-m", "framework", "predict", str(model), str(path)],
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert f"{path}: it is damaged, or no image in a known format (PNG, JPEG, BMP" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not trace.exists()


def test_the_reader_of_postscript_is_not_reached(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise AssertionError("reached")

    PIL.Image.init()  # all that Pillow can read is known to it
    monkeypatch.setattr(PIL.EpsImagePlugin.EpsImageFile, "__init__", fail)
    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(AssertionError, match="reached"):
        PIL.Image.open(written(tmp_path / "f.jpg", POSTSCRIPT))
    assert "no image in a known format" in predict(tmp_path / "f.jpg", model, capsys)


@pytest.mark.parametrize(
    "kind", ["ICO", "TGA", "PCX", "SGI", "JPEG2000", "ICNS", "DDS", "MSP", "XBM"]
)
def test_formats_that_nobody_asked_for_are_not_read(
    kind: str, model: Path, tmp_path: Path, capsys: Any
) -> None:
    image = PIL.Image.fromarray(np.where(GREY > 127, 255, 0).astype(np.uint8))
    image.convert("1" if kind in ("MSP", "XBM") else "RGB").save(tmp_path / "a.png", kind)
    assert "no image in a known format" in predict(tmp_path / "a.png", model, capsys)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
@pytest.mark.parametrize("pixels", [GREY, COLOURED], ids=["grey", "coloured"])
def test_a_file_that_ends_anywhere_is_an_error_that_names_it(
    kind: str, pixels: Array, model: Path, tmp_path: Path, capsys: Any
) -> None:
    whole = content(pixels, kind)
    path = written(tmp_path / "a", whole)
    assert main(["predict", str(model), str(path)]) == 0
    complete = capsys.readouterr().out
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        written(path, whole[:length])
        status = main(["predict", str(model), str(path)])
        captured = capsys.readouterr()
        if status == 0:  # nothing that shows was missing, but the mark of the end or the like
            assert captured.out == complete
            continue
        assert captured.err.count("\n") == 1
        assert str(path) in captured.err
        assert captured.out == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_a_file_with_any_byte_changed_is_read_or_an_error_that_names_it(
    kind: str, model: Path, tmp_path: Path, capsys: Any
) -> None:
    whole = content(COLOURED, kind)
    generator = np.random.default_rng(3)
    for _ in range(150):
        changed = bytearray(whole)
        changed[generator.integers(len(whole))] = generator.integers(256)
        path = written(tmp_path / "a", bytes(changed))
        status = main(["predict", str(model), str(path)])
        captured = capsys.readouterr()
        if status != 0:
            assert captured.err.count("\n") == 1
            assert str(path) in captured.err


def test_a_decoder_may_raise_anything(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(image: Any) -> None:
        raise ZeroDivisionError("division by zero")

    path = written(tmp_path / "a.png", content(GREY, "PNG"))
    monkeypatch.setattr(PIL.Image.Image, "load", fail)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    assert "ZeroDivisionError: division by zero" in predict(path, model, capsys)


# How large it may be

SIZES = {
    "20000×20000": png(20000, 20000, b""),
    "10000×10000": png(10000, 10000, b""),
    "2³¹ − 1 each": png(2**31 - 1, 2**31 - 1, b""),
    "PPM": b"P6 20000 20000 255\n",
    "PPM of 60 digits": b"P6 " + b"9" * 60 + b" 1 255\n",
    "BMP": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 30000, 30000, 1, 24, *[0] * 6),
    "GIF": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0),
}


@pytest.mark.parametrize("announced", SIZES.values(), ids=SIZES.keys())
def test_a_header_that_announces_too_much_is_refused(
    announced: bytes, model: Path, tmp_path: Path, capsys: Any
) -> None:
    predict(written(tmp_path / "a", announced), model, capsys)


def test_another_size_is_refused_from_the_header_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*arguments: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    for height, width in ((28, 28), (9000, 9000), (10000, 10000), (5, 4)):
        path = written(tmp_path / "a.png", png(height, width, b""))
        expected = f"{path} is {height}×{width} pixels, but the model takes samples of shape (4, 5)"
        assert expected in predict(path, model, capsys)


def test_a_model_that_tells_no_shape_has_no_picture_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    it = Model([Scale(1 / 255), Flatten()])
    it.finalize()
    it.save(tmp_path / "it.safetensors")
    monkeypatch.delattr(PIL.Image, "open")
    path = written(tmp_path / "a.png", content(GREY, "PNG"))
    assert main(["predict", str(tmp_path / "it.safetensors"), str(path)]) == 1
    assert "the shape of the model's samples is not known" in capsys.readouterr().err


MEASURED = """
import sys
from framework.__main__ import main
import PIL.Image

def kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))

PIL.Image.init()
before = kilobytes("VmHWM")
status = main(["predict", *sys.argv[1:]])
print(status, (kilobytes("VmHWM") - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc for its memory")
def test_a_small_file_of_many_pixels_takes_little_memory(model: Path, tmp_path: Path) -> None:
    # 81 million bytes when decoded, just below what Pillow itself warns of.
    path = written(tmp_path / "a.png", black(9000, 9000))
    assert path.stat().st_size < 500_000
    program = [sys.executable, "-c", MEASURED, str(model), str(path)]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "is 9000×9000 pixels, but the model takes samples of shape (4, 5)" in result.stderr
    status, megabytes = map(int, result.stdout.split())
    assert status == 1
    assert megabytes < 40
