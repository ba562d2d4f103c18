"""Atomic writes: a reader finds the old file or the new one, never a part of it."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from pathlib import Path


def check_target(path: str | os.PathLike[str]) -> Path:
    """Return ``path``, links resolved, if a file can be written there; call it before long work.

    Raises:
        FileNotFoundError: its folder does not exist.
        IsADirectoryError: it is a folder.
        FileExistsError: it is a pipe or a device, which a file would replace.
        PermissionError: its folder cannot be written to.
        OSError: its name is too long; the temporary file needs a few characters more.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise FileNotFoundError(f"the folder {place.parent} does not exist: make it first")
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder: give the name of a file")
    if place.exists() and not place.is_file():
        raise FileExistsError(f"{place} is no ordinary file: give the name of one")
    try:
        os.lstat(_beside(place))
    except OSError as error:  # usually that there is no such file yet
        if error.errno == errno.ENAMETOOLONG:
            message = f"{error.strerror}, with the characters added for the temporary file"
            raise OSError(error.errno, message, str(place)) from None
    if not os.access(place.parent, os.W_OK):
        raise PermissionError(f"the folder {place.parent} cannot be written to")
    return place


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to a temporary file beside ``path``, and rename it to ``path``.

    The new file has the permissions of the file that it replaces.

    Raises the errors of ``check_target``, and OSError if the content cannot be written. An old
    file is then unchanged.
    """
    place = check_target(path)
    beside = _beside(place)
    try:
        with beside.open("xb") as file:
            if place.exists():
                shutil.copymode(place, beside)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def give_second_name(path: str | os.PathLike[str], name: str | os.PathLike[str]) -> None:
    """Make ``name``, in the same folder, a second name of the file ``path``.

    An old file ``name`` is replaced. It is a hard link, which takes no space, or a copy where the
    file system has no links. Raises OSError if neither is possible; an old file is then unchanged.
    """
    place = check_target(path)
    beside = _beside(place)
    try:
        try:
            os.link(place, beside)
        except OSError:
            shutil.copy(place, beside)
        beside.replace(name)
    finally:
        # If both were the same file already, renaming did nothing.
        beside.unlink(missing_ok=True)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Delete the temporary files beside ``path`` of processes that were killed.

    No process may be writing to ``path`` at the time. Raises OSError if a file cannot be deleted.
    """
    place = check_target(path)
    for name in os.listdir(place.parent):
        if re.fullmatch(rf"\.{re.escape(place.name)}\.[0-9a-f]{{16}}", name):
            (place.parent / name).unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.{secrets.token_hex(8)}")
