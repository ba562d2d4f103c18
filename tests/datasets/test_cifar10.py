import gzip
import importlib
import io
import os
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DataError, cifar10, class_names
from datasets.cifar10 import read_cifar10
from tests.datasets.files import MEMBERS, archive, cifar_members, records, write

NAME = "cifar-10-binary.tar.gz"
SAMPLE = "cifar-10-binary-sample.tar.gz"

# The package has a function of the module's name.
cifar10_module = importlib.import_module("datasets.cifar10")


@pytest.mark.parametrize("name", [NAME, "cifar-10-binary.tar", SAMPLE])
def test_images_have_their_colours_last_and_come_in_the_order_of_the_batches(
    name: str, tmp_path: Path
) -> None:
    # As in the published archive, the files are in no particular order.
    members = dict(reversed(cifar_members(per_batch=2).items()))
    packed = archive(members)
    if name.endswith(".gz"):
        packed = gzip.compress(packed)
    (X_train, y_train), (X_test, y_test) = cifar10(directory=write(tmp_path, {name: packed}))
    assert X_train.shape == (10, 32, 32, 3)
    assert X_test.shape == (2, 32, 32, 3)
    assert X_train.dtype == np.uint8
    assert y_train.dtype == np.int64
    rows = np.concatenate([records(2, seed) for seed in range(6)])
    X, y = np.concatenate([X_train, X_test]), np.concatenate([y_train, y_test])
    np.testing.assert_array_equal(y, rows[:, 0])
    for image, row in zip(X, rows, strict=True):
        for channel in range(3):
            plane = row[1 + 1024 * channel : 1 + 1024 * (channel + 1)]
            np.testing.assert_array_equal(image[:, :, channel].ravel(), plane)


def test_the_complete_archive_is_preferred_to_a_sample(tmp_path: Path) -> None:
    contents = {NAME: archive(cifar_members(3)), SAMPLE: archive(cifar_members(1))}
    assert len(cifar10(directory=write(tmp_path, contents))[0][1]) == 15


def test_options_apply_to_training_and_test_images(tmp_path: Path) -> None:
    folder = write(tmp_path, {SAMPLE: archive(cifar_members())})
    (X_train, _), (X_test, _) = cifar10(directory=folder)
    (A, _), (B, _) = cifar10(directory=folder, flatten=True, scale=(0, 1))
    for converted, images in ((A, X_train), (B, X_test)):
        expected = images.reshape(len(images), 3072) / np.float32(255)
        np.testing.assert_allclose(converted, expected, rtol=1e-6)
        assert converted.dtype == np.float32


def test_loading_holds_the_bytes_and_the_result_and_no_more(tmp_path: Path) -> None:
    folder = write(tmp_path, {SAMPLE: archive(cifar_members(per_batch=400))})
    tracemalloc.start()
    try:
        (X_train, _), (X_test, _) = cifar10(directory=folder, scale=(-1, 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    pixels = X_train.size + X_test.size
    # The bytes, of which a growing array reserves some more, and four bytes for each.
    assert peak < (1.2 + 4) * pixels + 1e6


def packed_member(name: str, **attributes: Any) -> bytes:
    """An archive of one member, whose header says what it is told to."""
    member = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(member, attribute, value)
    return member.tobuf(tarfile.GNU_FORMAT)


GOOD = cifar_members(per_batch=2)
TWO = records(2, 1).tobytes()
ONCE = "expected data_batch_1.bin once, as a plain file"
OVER_NINE = bytes([10]) + TWO[1:]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "expected a tar archive"),
        (b"<!DOCTYPE html><html></html>", "begins with b'<!DOCTYP', which looks like a web page"),
        (b"<!DOCTYPE html>" * 1000, "begins with b'<!DOCTYP', which looks like a web page"),
        (bytes(10_240), "expected data_batch_1.bin, data_batch_2.bin"),
        (archive(GOOD)[:4_000], "unexpected end of data"),
        (archive({}), "found no data_batch_1.bin, data_batch_2.bin"),
        (archive({**GOOD, "data_batch_2.bin": TWO[:-1]}), "data_batch_2.bin: expected records of "
            "3,073 bytes each, found 6,145 bytes"),
        (archive({**GOOD, "test_batch.bin": b""}), "test_batch.bin: expected records"),
        (archive({**GOOD, "test_batch.bin": OVER_NINE}), "test_batch.bin: expected labels from 0 "
            "to 9, but number 0 is 10"),
        (archive({n: d for n, d in GOOD.items() if n != MEMBERS[3]}), "found no data_batch_4.bin"),
        (archive({**GOOD, "again/data_batch_1.bin": TWO}), ONCE),
        (packed_member("a/data_batch_1.bin", size=2**40), "files of at most 30,730,000 bytes, but "
            "a/data_batch_1.bin is said to have 1,099,511,627,776"),
        (packed_member("a/other", size=2**62), "a/other is said to have"),
        (packed_member("data_batch_1.bin", type=tarfile.SYMTYPE, linkname="/etc/passwd"), ONCE),
        (packed_member("data_batch_1.bin", type=tarfile.DIRTYPE), ONCE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_damaged_archive_is_named_with_what_was_expected_and_how_to_fetch_it_again(
    pack: Any, contents: bytes, message: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, {NAME: pack(contents)})
    with pytest.raises(DataError) as raised:
        cifar10(directory=folder)
    text = str(raised.value)
    assert text.startswith(f"{folder / NAME}: ")
    assert "expected" in text
    assert message in text
    assert text.splitlines()[-1].startswith("To fetch it again, replace it by https://www.cs.tor")


@pytest.mark.parametrize("damage", ["truncated", "one bit"])
def test_damaged_gzip_is_found(damage: str, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(archive(GOOD), compresslevel=0))
    if damage == "truncated":
        del packed[-5:]
    else:
        packed[5000] ^= 1  # a pixel
    path = write(tmp_path, {NAME: bytes(packed)}) / NAME
    with pytest.raises(DataError, match="expected gzipped data to the end"):
        read_cifar10(path)


def test_members_outside_the_folder_are_not_written_anywhere(tmp_path: Path) -> None:
    path = write(tmp_path / "in", {NAME: archive(GOOD, folder="../../../outside/")}) / NAME
    before = sorted(tmp_path.rglob("*"))
    assert len(read_cifar10(path)) == 6
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sparse_member_that_claims_what_is_not_there_takes_no_memory(tmp_path: Path) -> None:
    sparse = packed_member("data_batch_1.bin", type=tarfile.GNUTYPE_SPARSE, size=512)
    block = bytearray(sparse)
    block[386:398] = b"%011o\0" % 0  # one piece, at 0 …
    block[398:410] = b"%011o\0" % 512  # … of 512 bytes …
    block[483:495] = b"%011o\0" % 30_730_000  # … of a file said to be so long
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = write(tmp_path, {NAME: bytes(block) + bytes(512)}) / NAME
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=ONCE):
            read_cifar10(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6


@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_an_extended_header_of_megabytes_is_not_read_into_memory(
    kind: bytes, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(packed_member("long", type=kind, size=2**25))
        for _ in range(32):
            packed.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="headers of at most 65,536 bytes, but long is said to"):
            read_cifar10(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6


def test_names_too_long_for_a_plain_header_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, {NAME: archive(GOOD, folder="a-long-folder/" * 20)}) / NAME
    assert len(read_cifar10(path)) == 6


@pytest.mark.parametrize("where", ["between the members", "after the end"])
def test_an_archive_that_goes_on_and_on_is_refused(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = archive(GOOD)
    monkeypatch.setattr(cifar10_module, "LARGEST_ARCHIVE", len(contents))
    other = archive({f"other-{number}": bytes(5000) for number in range(9)}).rstrip(b"\0")
    padded = other + bytes(-len(other) % 512)
    more = padded + contents if where == "between the members" else contents + bytes(10_000)
    path = write(tmp_path, {NAME: gzip.compress(contents)}) / NAME
    assert len(read_cifar10(path)) == 6
    path.write_bytes(gzip.compress(more))
    with pytest.raises(DataError, match=f"{NAME}: expected at most {len(contents):,} bytes, found"):
        read_cifar10(path)


def test_too_little_memory_is_not_called_a_damaged_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_left(stream: object, size: int) -> bytearray:
        raise MemoryError

    monkeypatch.setattr(cifar10_module, "read_up_to", nothing_left)
    with pytest.raises(MemoryError):
        read_cifar10(write(tmp_path, {NAME: archive(GOOD)}) / NAME)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "archive"


TINY = archive(cifar_members(per_batch=1))
HEADERS = [start for start in range(0, len(TINY), 512) if TINY[start + 257 :][:5] == b"ustar"]


@given(
    edits=st.lists(
        st.tuples(
            st.sampled_from(HEADERS),
            # A member's name; its size; its type; anything in its header or its contents.
            st.integers(0, 30) | st.integers(124, 136) | st.just(156) | st.integers(0, 3800),
            st.sampled_from(b"0123456789LKSxgVD\x80\xff\0").map(lambda byte: bytes([byte]))
            | st.binary(min_size=1, max_size=12),
        ),
        min_size=1,
        max_size=4,
    ),
    right_checksums=st.booleans(),
    gzipped=st.booleans(),
    length=st.none() | st.integers(0, len(TINY)),
)
@settings(max_examples=200)
def test_an_archive_that_was_changed_anywhere_is_images_or_a_data_error(
    edits: list[tuple[int, int, bytes]],
    right_checksums: bool,
    gzipped: bool,
    length: int | None,
    scratch: Path,
) -> None:
    contents = bytearray(TINY)
    for header, offset, replacement in edits:
        contents[header + offset : header + offset + len(replacement)] = replacement
    if right_checksums:
        for header in HEADERS:
            contents[header + 148 : header + 156] = b" " * 8
            total = sum(contents[header : header + 512])
            contents[header + 148 : header + 156] = b"%06o\0 " % total
    del contents[length:]
    scratch.write_bytes(gzip.compress(contents, 1) if gzipped else contents)
    try:
        batches = read_cifar10(scratch)
    except DataError as error:
        assert str(scratch) in str(error)
    else:
        assert all(images.shape[1:] == (32, 32, 3) for images, _ in batches)
        assert all(labels.max() < 10 for _, labels in batches)


@given(contents=st.binary(max_size=2000))
def test_any_bytes_are_a_data_error(contents: bytes, scratch: Path) -> None:
    scratch.write_bytes(contents)
    with pytest.raises(DataError, match="expected"):
        read_cifar10(scratch)


@pytest.mark.data("cifar-10")
def test_the_real_archive_has_every_class_and_its_own_names() -> None:
    (X_train, y_train), (X_test, y_test) = cifar10()
    assert X_train.shape[1:] == X_test.shape[1:] == (32, 32, 3)
    assert set(y_train) == set(y_test) == set(range(10))
    folder = Path(os.environ["DINPUTS_DATA"]) / "cifar-10"
    path = next(path for path in (folder / NAME, folder / SAMPLE) if path.exists())
    with tarfile.open(path) as tar:
        (names,) = [member for member in tar if member.name.endswith("batches.meta.txt")]
        contents = tar.extractfile(names)
        assert contents is not None
        assert contents.read().decode().split() == class_names("cifar10")
        first = next(member for member in tar.getmembers() if member.name.endswith("_1.bin"))
        start = io.BytesIO(tar.extractfile(first).read(3073)).read()  # type: ignore[union-attr]
    # The red, green and blue values of the first image's first pixel.
    assert X_train[0, 0, 0].tolist() == [start[1], start[1 + 1024], start[1 + 2048]]
    assert y_train[0] == start[0]
