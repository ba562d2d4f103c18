"""Finding the files of a data set: in a folder, in the cache, or on the network.

They are searched for in this order, and the first place that has them is used:

1. the folder given as ``directory=``, or the data set's folder in it;
2. the data set's folder (``mnist``, ``fashion-mnist``, ``cifar-10``) in the folder that the
   environment variable ``DINPUTS_DATA`` names;
3. the user's cache folder, if the checksum is correct;
4. a download into that cache folder, from the second mirror if the first one fails.

It is an error if the given directory has no such files, if the folder ``DINPUTS_DATA`` does not
exist, or if a place has only some of the files: files that the user expects to be there are not
silently downloaded. "~" stands for the user's home in both.

``pooch`` downloads into a temporary folder in the cache, and the file is renamed into the cache
after its checksum was verified. So an interrupted download leaves no broken file, and two processes
can download at the same time. A server that sends more than the file has is hung up on. pooch is
imported only when it is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from datasets.published import Published, PublishedFile, published
from datasets.reading import DataError

TIMEOUT = 30  # seconds without data, after which the next mirror is tried
CHUNK = 1 << 16
TEMPORARY = ".download-"  # begins the name of a folder for one download, as tempfile completes it

Directory = str | os.PathLike[str] | None


class DownloadError(OSError):
    """A file could not be fetched from any mirror. The message says where to put it by hand."""


def locate(data: Published, directory: Directory = None) -> list[Path]:
    """Return the paths of ``data.files``, in their order, after a download if necessary.

    Raises:
        FileNotFoundError: ``directory`` has none of the files, ``DINPUTS_DATA`` is not a
            folder, or a place has only some of the files.
        DownloadError: they were not found and cannot be downloaded.
    """
    if directory is not None:
        given = Path(directory).expanduser()
        for place in (given, given / data.folder):
            if found := _files_in(place, data):
                return found
        names = "\n  ".join(" or ".join(data.accepted(file)) for file in data.files)
        raise FileNotFoundError(
            f"directory={str(directory)!r} has no files of {data.name}; expected there, or in "
            f"its folder {data.folder}:\n  {names}"
        )
    root = _root()
    if root and (found := _files_in(root / data.folder, data)):
        return found
    return [_download(data, file) for file in data.files]


def _root() -> Path | None:
    """Return the folder DINPUTS_DATA, if it is set."""
    value = os.environ.get("DINPUTS_DATA")
    if not value:
        return None
    root = Path(value).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(
            f"the environment variable DINPUTS_DATA names {value!r}, which is no folder"
        )
    return root


def remove(name: str) -> int:
    """Delete the downloaded files of a data set; print and return the number of bytes freed.

    Deleted are the files of the cache folder that are as they were published, what is left of
    downloads that were killed, and the folder if it is then empty. Do not call it while another
    process downloads the same data. Everything else is left alone: links, files of the same names
    with other contents, and files in folders of your own (``directory=``, ``DINPUTS_DATA``).

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".

    Returns:
        The number of bytes freed.

    Raises:
        TypeError, ValueError: ``name`` is not the name of a data set.
        OSError: a file cannot be deleted.
    """
    data = published(name)
    folder = cache_folder(data)
    freed = 0
    paths = {folder / file: expected for file, expected in data.files.items()}
    for path, expected in paths.items():
        if not _is_linked(path) and _is_published(path, expected):
            freed += _delete(path)
    for temporary in _temporary_folders(folder):
        with suppress(FileNotFoundError):  # another process may remove it, too
            freed += sum(_delete(file) for file in temporary.iterdir() if not file.is_dir())
        with suppress(OSError):  # it is gone, or has something else in it
            temporary.rmdir()
    with suppress(OSError):  # the folder is gone, or has something else in it
        folder.rmdir()
    print(f"{data.name}: {freed / 1e6:,.1f} MB freed in {folder}")
    return freed


def _is_published(path: Path, expected: PublishedFile) -> bool:
    """Whether ``path`` is a file with the content that was published."""
    import pooch

    try:
        right_size = path.is_file() and path.stat().st_size == expected.size
        return right_size and pooch.file_hash(path, alg="sha256") == expected.sha256
    except FileNotFoundError:  # another process may have removed it
        return False


def _is_linked(path: Path) -> bool:
    """Whether ``path`` or its folder is a link, as only a user makes them."""
    return path.is_symlink() or path.parent.is_symlink()


def _temporary_folders(folder: Path) -> list[Path]:
    """Return the folders of downloads that are running, or that were killed."""
    pattern = rf"{re.escape(TEMPORARY)}[a-z0-9_]{{8}}"
    paths = folder.iterdir() if folder.is_dir() else ()
    return [
        path
        for path in paths
        if re.fullmatch(pattern, path.name) and path.is_dir() and not _is_linked(path)
    ]


def _delete(file: Path) -> int:
    """Delete ``file`` and return its size; 0 if another process was first."""
    try:
        size = file.lstat().st_size
        file.unlink()
    except FileNotFoundError:
        return 0
    return size


def cache_folder(data: Published) -> Path:
    """Return the folder for downloads of ``data``."""
    import pooch

    return Path(pooch.os_cache("dinputs")) / data.folder


@contextmanager
def fetch_again(data: Published, file: str) -> Iterator[None]:
    """Add instructions for a new download to a DataError about ``file``."""
    try:
        yield
    except DataError as error:
        raise DataError(
            f"{error}\nTo fetch it again, replace it by {data.mirrors[0]}{file}; or move its "
            f"folder away and load {data.name} without directory= or DINPUTS_DATA, which "
            "downloads it."
        ) from None


def _files_in(place: Path, data: Published) -> list[Path]:
    """Return the files of ``data`` in ``place``, or []. FileNotFoundError if only some exist."""
    found = {}
    for file in data.files:
        paths = (place / name for name in data.accepted(file))
        path = next((path for path in paths if path.is_file()), None)
        if path is not None:
            found[file] = path
    missing = [file for file in data.files if file not in found]
    if found and missing:
        raise FileNotFoundError(
            f"{place} has some files of {data.name}, but not {', '.join(missing)} (gzipped or "
            f"not); to be had at {data.mirrors[0]}"
        )
    return list(found.values())


def _download(data: Published, file: str) -> Path:
    """Return the path of ``file`` in the cache, after a download if it is missing or damaged."""
    folder = cache_folder(data)
    target = folder / file
    if _is_published(target, data.files[file]):
        return target
    failures = []
    for mirror in data.mirrors:
        try:
            _retrieve(mirror + file, target, data.files[file])
        except (OSError, ValueError) as error:  # noqa: PERF203
            # ValueError is pooch's for a wrong checksum.
            failures.append(f"{mirror}{file}: {error}")
        else:
            return target
    attempts = "\n  ".join(failures)
    root = _root()
    looked = (
        f"DINPUTS_DATA is set, but {root / data.folder} has none of its files.\n" if root else ""
    )
    raise DownloadError(
        f"{data.name} could not be downloaded:\n  {attempts}\n{looked}"
        f"To load it without a network, put {', '.join(data.files)} into a folder and give that "
        f"as directory=; or into the folder {data.folder} of the folder that the environment "
        f"variable DINPUTS_DATA names; or, gzipped as they are published, into {folder}."
    )


def _retrieve(address: str, target: Path, expected: PublishedFile) -> None:
    """Download a file to ``target``. Raises OSError or ValueError if that fails."""
    import pooch

    def download(url: str, output_file: str, manager: Any) -> None:
        fetch = pooch.HTTPDownloader(
            progressbar=True,
            chunk_size=CHUNK,
            timeout=TIMEOUT,
            # Otherwise a server may declare a .gz as a compressed transfer of its contents,
            # which would be unpacked on arrival.
            headers={"Accept-Encoding": "identity"},
        )
        with open(output_file, "wb") as file:
            fetch(url, _AtMost(file, expected.size), manager)

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = tempfile.mkdtemp(prefix=TEMPORARY, dir=target.parent)
    try:
        path = pooch.retrieve(
            address,
            known_hash=expected.sha256,
            fname=target.name,
            path=temporary,
            downloader=download,
        )
        os.replace(path, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _AtMost:
    """A file that raises OSError before more than ``size`` bytes are written to it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.size, self.written = file, size, 0

    def write(self, data: bytes) -> None:
        self.written += len(data)
        if self.written > self.size:
            raise OSError(f"the server sends more than the {self.size:,} bytes of the file")
        self.file.write(data)

    def flush(self) -> None:
        self.file.flush()
