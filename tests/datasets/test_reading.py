import codecs
import gzip
import io
import tracemalloc
from pathlib import Path

import pytest

from datasets import DataError
from datasets.reading import first_bytes, opened, read_up_to


@pytest.mark.parametrize("name", ["plain", "plain.gz", "zipped", "zipped.gz"])
def test_the_contents_and_not_the_name_tell_whether_a_file_is_gzipped(
    name: str, tmp_path: Path
) -> None:
    contents = bytes(range(256)) * 10
    packed = gzip.compress(contents) if name.startswith("zipped") else contents
    path = tmp_path / name
    path.write_bytes(packed)
    with opened(path) as stream:
        assert stream.read() == contents


@pytest.mark.parametrize("length", [0, 1])
def test_a_file_too_short_for_a_magic_number_is_read_as_it_is(length: int, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"\x1f"[:length])
    with opened(path) as stream:
        assert stream.read() == b"\x1f"[:length]


def flip(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


PACKED = gzip.compress(b"some text, and more of it" * 20)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (PACKED[:-12], "the file ends too early"),
        (PACKED[:5], "the file ends too early"),
        (flip(PACKED, 2), "Unknown compression method"),
        (flip(PACKED, 20), "they are damaged"),
        (flip(PACKED, len(PACKED) - 6), "CRC check failed"),
        (PACKED + b"and something else", "Not a gzipped file"),
    ],
)
def test_damaged_gzip_is_an_error_that_names_the_file(
    packed: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.gz"
    path.write_bytes(packed)
    with pytest.raises(DataError, match=reason) as raised, opened(path) as stream:
        stream.read()
    assert str(path) in str(raised.value)


def test_a_file_that_is_not_there_is_the_usual_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), opened(tmp_path / "nothing"):
        pass


def test_no_more_memory_is_taken_than_the_stream_has() -> None:
    tracemalloc.start()
    try:
        data = read_up_to(io.BufferedReader(io.BytesIO(b"abc")), 2**50)  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert data == b"abc"
    assert peak < 5e6


def test_no_more_is_read_than_was_asked_for() -> None:
    stream = io.BytesIO(bytes(3_000_000))
    assert len(read_up_to(stream, 2_500_000)) == 2_500_000
    assert len(stream.read()) == 500_000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "nothing: it is empty"),
        (b"\x00\x00\x08\x03abcdefgh", "b'\\x00\\x00\\x08\\x03abcd'"),
        (b"<!DOCTYPE html>", "b'<!DOCTYP', which looks like a web page"),
        (b"\n  <html>", "b'\\n  <html', which looks like a web page"),
        (codecs.BOM_UTF8 + b"<html>", "b'\\xef\\xbb\\xbf<html', which looks like a web page"),
        ("\ufeff<a".encode("utf-16-le"), "b'\\xff\\xfe<\\x00a\\x00', which looks like a web page"),
    ],
)
def test_a_wrong_start_is_described(data: bytes, text: str) -> None:
    assert first_bytes(data) == text
