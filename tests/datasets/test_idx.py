import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasets import DataError
from datasets.idx import read_idx
from tests.datasets.files import idx, random_images

IMAGES, LABELS = random_images(5)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("items", "shape"), [(IMAGES, (28, 28)), (LABELS, ())])
def test_items_come_back_as_they_were_written(
    pack: object, items: np.ndarray, shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "items"
    path.write_bytes(pack(idx(items)))  # type: ignore[operator]
    read = read_idx(path, shape)
    np.testing.assert_array_equal(read, items)
    assert read.dtype == np.uint8
    assert read.flags.writeable


def header(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (
            b"",
            "magic number 2051 (b'\\x00\\x00\\x08\\x03') at the start, found nothing: it is empty",
        ),
        (b"<!DOCTYPE html><html>", "found b'<!DOCTYP', which looks like a web page"),
        (idx(LABELS), "magic number 2051"),
        (header(0x00000D03, 5, 28, 28), "an IDX file of unsigned bytes with 3 axes"),
        (header(2051, 5), "a header of 16 bytes, found 8"),
        (header(2051, 5, 28, 27) + bytes(5 * 28 * 27), "says 5 of shape (28, 27)"),
        (
            header(2051, 0, 28, 28),
            "one item or more, each of shape (28, 28), but the header says 0",
        ),
        (
            idx(IMAGES)[:-1],
            "expected 3,920 bytes after the header, 5 items of shape (28, 28), found 3,919",
        ),
        (
            idx(IMAGES) + b"\0",
            "expected 3,920 bytes after the header, 5 items of shape (28, 28), found more",
        ),
        (
            header(2051, 2**32 - 1, 28, 28),
            "at most 60,000 items, but the header says 4,294,967,295",
        ),
        (header(2051, 60_000, 28, 28), "60,000 items of shape (28, 28), found 0"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_damaged_file_is_an_error_that_names_it_and_what_was_expected(
    pack: object, contents: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "images"
    path.write_bytes(pack(contents))  # type: ignore[operator]
    with pytest.raises(DataError) as raised:
        read_idx(path, (28, 28))
    assert str(raised.value).startswith(f"{path}: expected ")
    assert message in str(raised.value)


def test_labels_expect_their_own_magic_number(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx(IMAGES))
    with pytest.raises(DataError, match="with 1 axis, so the magic number 2049"):
        read_idx(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_claims_terabytes_takes_no_memory(pack: object, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(pack(header(2051, 2**32 - 1, 28, 28) + bytes(100)))  # type: ignore[operator]
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path, (28, 28))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_of_a_compressed_bomb_only_the_header_is_read(tmp_path: Path) -> None:
    zeros = bytes(1 << 20)
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(header(2049, 2**32 - 1))
        for _ in range(64):
            packed.write(zeros)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="at most 60,000 items"):
            read_idx(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_the_most_items_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx(LABELS))
    assert len(read_idx(path, max_items=5)) == 5
    with pytest.raises(DataError, match="expected at most 4 items, but the header says 5"):
        read_idx(path, max_items=4)


def test_a_folder_is_not_taken_for_damaged_data(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        read_idx(tmp_path)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


@given(contents=st.binary(max_size=300), gzipped=st.booleans())
@example(contents=b"", gzipped=True)
def test_any_bytes_are_items_or_a_data_error(contents: bytes, gzipped: bool, scratch: Path) -> None:
    scratch.write_bytes(gzip.compress(contents) if gzipped else contents)
    try:
        labels = read_idx(scratch)
    except DataError as error:
        assert str(scratch) in str(error)
    else:
        assert idx(labels) == contents


@given(
    gzipped=st.booleans(),
    edits=st.lists(
        st.tuples(st.integers(0, 40) | st.integers(0, 4000), st.binary(max_size=4)),
        min_size=1,
        max_size=4,
    ),
    length=st.integers(0, 4000),
)
def test_a_file_that_was_changed_anywhere_is_items_or_a_data_error(
    gzipped: bool, edits: list[tuple[int, bytes]], length: int, scratch: Path
) -> None:
    contents = bytearray(gzip.compress(idx(IMAGES), mtime=0) if gzipped else idx(IMAGES))
    for position, replacement in edits:
        contents[position : position + len(replacement)] = replacement
    scratch.write_bytes(contents[:length] if length % 3 == 0 else contents)
    try:
        assert read_idx(scratch, (28, 28)).shape[1:] == (28, 28)
    except DataError as error:
        assert str(scratch) in str(error)
