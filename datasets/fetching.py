"""Where the files of a data set come from: a folder, the cache, or the network.

They are looked for in this order, and the first place that has them is used:

1. the folder given as ``directory=``, or the data set's folder in it;
2. the data set's folder (``mnist``, ``fashion-mnist``, ``cifar-10``) in the folder that the
   environment variable ``DINPUTS_DATA`` names;
3. the cache folder of the user's account, if the checksum is right;
4. a download into that cache folder, from the second mirror if the first one fails.

A directory that was given but has no such files is an error, and so is a place that has some
of the files but not all: nothing is fetched in silence that the user meant to be there.

The download is ``pooch``'s: into a temporary file, which takes its place in the cache in one
step after its checksum was found right. So an interrupted download leaves no broken file, and
two processes at once do not disturb each other. pooch is imported only when it is needed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets.published import Published, published
from datasets.reading import DataError

TIMEOUT = 30  # seconds without a single byte, after which a mirror is given up
CHUNK = 1 << 16

Directory = str | os.PathLike[str] | None


class DownloadError(OSError):
    """A file could not be fetched from any mirror. The message says where to put it by hand."""


def locate(data: Published, directory: Directory = None) -> list[Path]:
    """Return the paths of ``data.files``, in their order, downloading them if need be.

    Raises:
        FileNotFoundError: ``directory`` has none of the files, or a place has only some.
        DownloadError: they are nowhere, and cannot be fetched.
    """
    if directory is not None:
        for place in (Path(directory), Path(directory) / data.folder):
            if found := _files_in(place, data):
                return found
        names = "\n  ".join(" or ".join(data.accepted(file)) for file in data.files)
        raise FileNotFoundError(
            f"directory={str(directory)!r} has no files of {data.name}; expected there, or in "
            f"its folder {data.folder}:\n  {names}"
        )
    root = os.environ.get("DINPUTS_DATA")
    if root and (found := _files_in(Path(root) / data.folder, data)):
        return found
    return [_download(data, file) for file in data.files]


def remove(name: str) -> int:
    """Delete what was downloaded of a data set, print how much that freed, and return it.

    Files in folders of your own (``directory=``, ``DINPUTS_DATA``) are left alone.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".

    Returns:
        The number of bytes freed.

    Raises:
        ValueError: there is no data set of that name.
        OSError: a file cannot be deleted.
    """
    folder = cache_folder(published(name))
    freed = 0
    # All files, since a download that was killed leaves its temporary file.
    for file in folder.iterdir() if folder.is_dir() else ():
        freed += file.stat().st_size
        file.unlink()
    if folder.is_dir():
        folder.rmdir()
    print(f"{name}: {freed / 1e6:,.1f} MB freed in {folder}")
    return freed


def cache_folder(data: Published) -> Path:
    """Where downloads of ``data`` are kept."""
    import pooch

    return Path(pooch.os_cache("dinputs")) / data.folder


@contextmanager
def fetch_again(data: Published, file: str) -> Iterator[None]:
    """Add to a DataError about ``file`` how to fetch that again."""
    try:
        yield
    except DataError as error:
        raise DataError(
            f"{error}\nTo fetch it again, replace it by {data.mirrors[0]}{file}; or move its "
            f"folder away and load {data.name} without directory= or DINPUTS_DATA, which "
            "downloads it."
        ) from None


def _files_in(place: Path, data: Published) -> list[Path]:
    """The files of ``data`` in ``place``, or none; FileNotFoundError if only some are there."""
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
    """Return ``file`` in the cache, where it is put if it is not there undamaged."""
    import pooch

    folder = cache_folder(data)
    failures = []
    for mirror in data.mirrors:
        try:
            path = pooch.retrieve(
                mirror + file,
                known_hash=data.files[file],
                fname=file,
                path=folder,
                downloader=pooch.HTTPDownloader(
                    progressbar=True, chunk_size=CHUNK, timeout=TIMEOUT
                ),
            )
        except (OSError, ValueError) as error:  # noqa: PERF203
            # ValueError is pooch's for a wrong checksum.
            failures.append(f"{mirror}{file}: {error}")
        else:
            return Path(path)
    attempts = "\n  ".join(failures)
    raise DownloadError(
        f"{data.name} could not be downloaded:\n  {attempts}\n"
        f"To load it without a network, put {', '.join(data.files)} into a folder and give that "
        f"as directory=; or into the folder {data.folder} of the folder that the environment "
        f"variable DINPUTS_DATA names; or, gzipped as they are published, into {folder}."
    )
