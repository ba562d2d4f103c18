"""What the options of several commands have in common."""

import argparse
import os
from pathlib import Path
from typing import Any


def add_option(group: Any, flag: str, default: Any, text: str, **options: Any) -> None:
    """Add an option whose help ends with its default."""
    shown = " ".join(map(str, default)) if isinstance(default, list) else default
    group.add_argument(flag, default=default, help=f"{text} ({shown})", **options)


def writable(path: str) -> Path:
    """Return ``path`` if a picture can be written there, before any work is done for it."""
    from matplotlib.figure import Figure

    output = Path(path)
    known = Figure().canvas.get_supported_filetypes()
    if output.suffix[1:].lower() not in known:
        raise ValueError(f"--output must end with one of .{', .'.join(known)}, received {path!r}")
    target = output if output.exists() else output.absolute().parent
    if output.is_dir() or not os.access(target, os.W_OK):
        raise OSError(f"--output: {path!r} cannot be written")
    return output


def count(text: str) -> int:
    return _whole_number(text, 1)


def from_zero(text: str) -> int:
    return _whole_number(text, 0)


def _whole_number(text: str, minimum: int) -> int:
    if not text.isdecimal() or int(text) < minimum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {minimum} or more")
    return int(text)
