"""CIFAR-10: 60,000 small colour photographs of ten classes."""

from __future__ import annotations

import tarfile
from os import PathLike, fspath
from pathlib import PurePosixPath
from typing import IO, Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from datasets.fetching import Directory, fetch_again, locate
from datasets.images import Conversion, Data, Scale, check_labels
from datasets.published import CIFAR10
from datasets.reading import CHUNK, DataError, Limited, first_bytes, opened, read_up_to

CHANNELS, HEIGHT, WIDTH = 3, 32, 32
RECORD = 1 + CHANNELS * HEIGHT * WIDTH
TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
LARGEST_MEMBER = 10_000 * RECORD
LARGEST_HEADER = 1 << 16  # of extended headers, which hold long names and times
LARGEST_ARCHIVE = 6 * LARGEST_MEMBER + (1 << 20)  # with its headers and two small files

Batches = list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]


def cifar10(
    *,
    directory: Directory = None,
    flatten: bool = False,
    scale: Scale | None = None,
    dtype: DTypeLike | None = None,
) -> tuple[Data, Data]:
    """Return CIFAR-10: 50,000 photographs for training and 10,000 for testing.

    They are read from the binary archive, or from a sample: an archive of the same files with
    fewer records. Nothing is unpacked to disk.

    Args:
        directory: the folder with the archive ``cifar-10-binary.tar.gz`` or
            ``cifar-10-binary-sample.tar.gz``, gzipped or not. Without it the archive is
            searched for in the folder ``DINPUTS_DATA`` (an environment variable) and in the
            cache, and otherwise downloaded: see ``datasets.fetching``.
        flatten: whether each image becomes one row of 3,072 numbers, the three colours of a
            pixel side by side.
        scale: the range that 0…255 is mapped to, such as ``(0, 1)`` or ``(-1, 1)``; None does
            not scale.
        dtype: of the images. None takes float32 if they are scaled, otherwise uint8.

    Returns:
        ``(X_train, y_train), (X_test, y_test)``: images ``(samples, 32, 32, 3)`` and labels
        ``(samples,)``, integers from 0 to 9; ``class_names("cifar10")`` returns their names.

    Raises:
        TypeError, ValueError: an argument out of its range.
        DataError: the archive is damaged; the message names it and says how to fetch it again.
        FileNotFoundError: ``directory`` has no such archive, or ``DINPUTS_DATA`` is not a folder.
        DownloadError: the archive was not found and cannot be downloaded; the message says where
            to put it by hand.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    convert = Conversion(flatten, scale, dtype)
    (path,) = locate(CIFAR10, directory)
    (file,) = CIFAR10.files
    with fetch_again(CIFAR10, file):
        batches = read_cifar10(path)
    return _join(batches[: len(TRAINING)], convert), _join(batches[len(TRAINING) :], convert)


def read_cifar10(path: str | PathLike[str]) -> Batches:
    """Return the images and labels of each of the six files in a CIFAR-10 binary archive.

    A file is a row of records of 3,073 bytes: the label, then the red, the green and the blue
    values of the image, row by row. The archive is read once from start to end, members are
    recognized by the last part of their names, and nothing is written.

    Args:
        path: the archive, gzipped or not.

    Returns:
        Images ``(records, 32, 32, 3)`` and labels ``(records,)``, uint8, for each of
        data_batch_1.bin to data_batch_5.bin and test_batch.bin.

    Raises:
        DataError: the archive is damaged or has other contents, or it or a member is larger
            than the complete archive or its members.
        OSError: it cannot be opened.
    """
    name = fspath(path)
    with opened(path) as unpacked:
        stream = Limited(unpacked, LARGEST_ARCHIVE, name)
        try:
            members = _members(stream, name)
        except _TooLarge as error:
            raise DataError(f"{name}: {error}") from None
        except (DataError, EOFError, OSError, MemoryError):
            raise
        except Exception as error:  # tarfile raises errors of many kinds for a damaged header
            raise DataError(
                f"{name}: expected a tar archive, but {error}; it begins with "
                f"{first_bytes(stream.start)}"
            ) from None
        while stream.read(CHUNK):  # to the end, where gzip has its checksum
            pass
    missing = [file for file in TRAINING + TEST if file not in members]
    if missing:
        raise DataError(
            f"{name}: expected {', '.join(TRAINING + TEST)} in the archive, found no "
            f"{', '.join(missing)}"
        )
    return [_records(members[file], f"{name}: {file}") for file in TRAINING + TEST]


class _TooLarge(Exception):
    """A member of the archive claims to be larger than any member of the complete archive."""


class _Header(tarfile.TarInfo):
    """A header whose size is checked before tarfile reads it into memory."""

    @classmethod
    def frombuf(cls, *arguments: Any, **named: Any) -> Any:
        header = super().frombuf(*arguments, **named)
        _check_size(header)
        return header


def _check_size(header: tarfile.TarInfo) -> None:
    limit, kind = (
        (LARGEST_MEMBER, "files") if header.isreg() else (LARGEST_HEADER, "extended headers")
    )
    if header.size > limit:
        raise _TooLarge(
            f"expected {kind} of at most {limit:,} bytes, but {header.name} is said to have "
            f"{header.size:,}"
        )


def _members(stream: Limited, name: str) -> dict[str, bytearray]:
    members: dict[str, bytearray] = {}
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_Header) as archive:
        for member in archive:
            # Checked again, since an extended header may change the size of the file.
            _check_size(member)
            file = PurePosixPath(member.name).name
            if file not in TRAINING + TEST:
                continue
            contents = archive.extractfile(member) if _is_plain(member) else None
            if contents is None or file in members:
                raise DataError(f"{name}: expected {file} once, as a plain file")
            members[file] = read_up_to(contents, member.size)
    return members


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.isreg() and not member.issparse()


def _records(data: bytearray, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if not data or len(data) % RECORD:
        raise DataError(
            f"{name}: expected records of {RECORD:,} bytes each, found {len(data):,} bytes"
        )
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD)
    labels = records[:, 0]
    check_labels(labels, name, len(CIFAR10.classes))
    planes = records[:, 1:].reshape(-1, CHANNELS, HEIGHT, WIDTH)
    return planes.transpose(0, 2, 3, 1), labels


def _join(batches: Batches, convert: Conversion) -> Data:
    images, labels = zip(*batches, strict=True)
    return convert(images), np.concatenate(labels, dtype=np.int64)
