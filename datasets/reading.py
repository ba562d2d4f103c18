"""Reading files that may be damaged: nothing in them is believed before it has been read."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import IO, cast

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
BLANKS = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + b" \t\r\n"  # what a page may begin with


class DataError(ValueError):
    """A file is not what it should be: truncated, of another format, or at odds with another.

    The message names the file, what was expected, and what was found.
    """


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file of bytes, unpacking it on the way if it is gzipped, whatever its name says.

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
    """Return the next ``size`` bytes, or as many as there are.

    Memory grows with what the stream has, not with ``size``, which a damaged file may claim.
    """
    data = bytearray()
    while chunk := stream.read(min(CHUNK, size - len(data))):
        data += chunk
    return data


class Limited:
    """A stream that refuses to go on after ``limit`` bytes, and remembers how it began.

    A few kilobytes of gzipped zeros unpack to gigabytes; whoever reads to the end needs an end.

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
    """Describe how a file begins that begins wrongly."""
    if not data:
        return "nothing: it is empty"
    start = bytes(data[:8])
    page = ", which looks like a web page" if start.lstrip(BLANKS)[:1] == b"<" else ""
    return f"{start!r}{page}"


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the file ends too early"
    return f"they are damaged ({error})"
