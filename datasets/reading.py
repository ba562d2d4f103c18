"""Reading files that may be damaged: sizes that a file claims are not trusted."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import IO, cast

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
BLANKS = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + b" \t\r\n"  # the beginning of an HTML page


class DataError(ValueError):
    """A file is damaged: truncated, of another format, or inconsistent with another file.

    The message names the file, the expected and the found value.
    """


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a binary file, and decompress it if its contents are gzipped.

    Raises:
        OSError: it cannot be opened.
        DataError: within the block, for gzipped data that are damaged.
    """
    with open(path, "rb") as file:
        gzipped = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if not gzipped:
            yield file
            return
        try:
            with cast(IO[bytes], gzip.GzipFile(fileobj=file)) as unpacked:
                yield unpacked
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"{fspath(path)}: expected gzipped data to the end, but {_reason(error)}"
            ) from None


def read_up_to(stream: IO[bytes], size: int) -> bytearray:
    """Return the next ``size`` bytes, or fewer at the end of the stream.

    The memory used grows with the stream, not with ``size``, which a damaged file may claim.
    """
    data = bytearray()
    while chunk := stream.read(min(CHUNK, size - len(data))):
        data += chunk
    return data


class Limited:
    """A stream that raises an error after ``limit`` bytes, and keeps its first bytes.

    A few kilobytes of gzipped zeros unpack to gigabytes, so reading to the end needs a limit.

    Raises:
        DataError: by ``read``, if there is more.
    """

    def __init__(self, stream: IO[bytes], limit: int, name: str) -> None:
        self.stream, self.limit, self.name = stream, limit, name
        self.taken = 0
        self.start = b""

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size``."""
        data = self.stream.read(size)
        self.start = self.start or data[:8]
        self.taken += len(data)
        if self.taken > self.limit:
            raise DataError(f"{self.name}: expected at most {self.limit:,} bytes, found more")
        return data


def first_bytes(data: bytes | bytearray) -> str:
    """Describe the first bytes of a file, for an error message."""
    if not data:
        return "nothing: it is empty"
    start = bytes(data[:8])
    page = ", which looks like a web page" if start.lstrip(BLANKS)[:1] == b"<" else ""
    return f"{start!r}{page}"


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the file ends too early"
    return f"they are damaged ({error})"
