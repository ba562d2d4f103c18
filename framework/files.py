"""Writing a file so that whoever opens it finds the old one or the new one, never half of one."""

import os
import secrets
from pathlib import Path


def check_target(path: str | os.PathLike[str]) -> Path:
    """Return ``path``, links resolved, if a file can be put there; to be asked before the work.

    Raises:
        FileNotFoundError: its folder does not exist.
        IsADirectoryError: it is a folder itself.
        PermissionError: its folder cannot be written to.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise FileNotFoundError(f"the folder {place.parent} does not exist: make it first")
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder: give the name of a file")
    if not os.access(place.parent, os.W_OK):
        raise PermissionError(f"the folder {place.parent} cannot be written to")
    return place


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``path``, beside it first, and then in its place by renaming.

    Raises what ``check_target`` raises, and OSError if the content cannot be written. What was at
    ``path`` is still there then.
    """
    place = check_target(path)
    beside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
