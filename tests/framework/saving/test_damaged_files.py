"""Damaged files, and files of other programs, are refused with one type of error."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from framework import (
    Model,
    SavedFileError,
)
from tests.framework.saving.helpers import (
    assert_equal,
    attempt,
    classifier,
)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    model = classifier()
    model.save(tmp_path / "whole", class_names=["a", "b", "c"])
    return (tmp_path / "whole").read_bytes()


def test_a_file_that_is_cut_off_is_refused(content: bytes, tmp_path: Path) -> None:
    for length in [*range(0, len(content), 64), len(content) - 1]:
        assert not attempt(content[:length], tmp_path / "cut"), length
    assert attempt(content, tmp_path / "cut")


def test_a_flipped_bit_anywhere_is_noticed(content: bytes, tmp_path: Path) -> None:
    for position in range(0, 8 * len(content), 23):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        if attempt(bytes(damaged), tmp_path / "damaged"):
            # Only the name of a tensor's dtype or the spaces after the header have such bits.
            assert_equal(Model.load(tmp_path / "damaged"), Model.load(tmp_path / "whole"))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04K\x01.", b"<html>", bytes(1000), b"PK\x03\x04" + bytes(50)], ids=repr
)
def test_a_file_of_another_format_is_refused(content: bytes, tmp_path: Path) -> None:
    assert not attempt(content, tmp_path / "it")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_called_one_and_not_read(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(pickle.dumps(classifier(), protocol))
    for read in (Model.load, classifier().load_parameters):
        with pytest.raises(SavedFileError, match="no safetensors file; it looks like a pickle"):
            read(tmp_path / "it")


@pytest.mark.parametrize("header_bytes", [0x280, 0x480])
def test_a_damaged_file_that_begins_as_a_pickle_does_is_not_called_one(
    header_bytes: int, tmp_path: Path
) -> None:
    (tmp_path / "it").write_bytes(struct.pack("<Q", header_bytes) + b'{"weights": ')
    with pytest.raises(SavedFileError, match="it is no safetensors file, or a damaged one"):
        Model.load(tmp_path / "it")


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    save_file({"weights": np.ones(3)}, tmp_path / "it", {"format": "pt"})
    with pytest.raises(SavedFileError, match="not one that dinputs has written"):
        Model.load(tmp_path / "it")
    save_file({}, tmp_path / "it", {"dinputs": "no JSON"})
    with pytest.raises(SavedFileError, match="its metadata are not JSON"):
        Model.load(tmp_path / "it")


def header(entries: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


ONE = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10**12) + b"{}",
        header(b"[" * 1_000_000),
        header({"__metadata__": {"dinputs": "[" * 1_000_000}}),
        header({"__metadata__": {"dinputs": "9" * 10_000}}),
        header({"__metadata__": {"dinputs": '{"version": 1e999}'}}),
        header({"__metadata__": {"dinputs": "null"}}),
        header({"__metadata__": {"dinputs": '{"version": true}'}}),
        header({"__metadata__": {"dinputs": {"version": 1}}}),
        header(f'{{"a":{ONE},"a":{ONE}}}'.encode(), bytes(4)),
        header(b'{"__metadata__":{"dinputs":"{}","dinputs":"{}"}}'),
        header({"a": {"dtype": "F32", "shape": [0, 10**12], "data_offsets": [0, 0]}}),
        header({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 0]}}),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_hostile_header_is_refused(content: bytes, tmp_path: Path) -> None:
    assert not attempt(content, tmp_path / "it")


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3"])
def test_numbers_of_a_type_that_numpy_lacks_are_refused(dtype: str, tmp_path: Path) -> None:
    size = 2 if dtype == "BF16" else 1
    entry = {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}
    metadata = {"dinputs": '{"version": 1}'}
    assert not attempt(header({"__metadata__": metadata, "a": entry}, bytes(size)), tmp_path / "it")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    for path, error in ((tmp_path / "no", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(error):
            Model.load(path)
        with pytest.raises(error):
            classifier().load_parameters(path)
