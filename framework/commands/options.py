"""Options and checks that several commands share."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from framework import Model
from framework.checks import check_fraction, check_non_negative, check_positive
from framework.data.table_text import SEPARATORS
from framework.utils.files import check_target

TABS = {"\t": "tab"}


def add_option(group: Any, flag: str, default: Any, text: str, **options: Any) -> None:
    """Add an option whose help ends with its default."""
    shown = " ".join(map(str, default)) if isinstance(default, list) else default
    group.add_argument(flag, default=default, help=f"{text} ({shown})", **options)


def add_save(parser: Any) -> None:
    """Add the option ``--save``."""
    parser.add_argument(
        "--save",
        metavar="FILE",
        help="save the trained model there (safetensors), for predict, export and summary",
    )


def add_separator(parser: Any) -> None:
    """Add the option ``--separator``: see ``separator_of``."""
    parser.add_argument(
        "--separator",
        choices=[*(TABS.get(one, one) for one in SEPARATORS)],
        help="what stands between two values of a table (without it, it is found out)",
    )


def separator_of(options: argparse.Namespace) -> str | None:
    """Return the separator that the option names, or None."""
    return next((one for one in SEPARATORS if TABS.get(one, one) == options.separator), None)


def add_accelerated(group: Any) -> None:
    """Add the option ``--accelerated``: None if it is not given."""
    group.add_argument(
        "--accelerated",
        action=argparse.BooleanOptionalAction,
        help="train by compiled code, or in plain NumPy (compiled where numba is installed)",
    )


def finalize(model: Model, accelerated: bool | None) -> None:
    """Finalize ``model``, with compiled code if ``accelerated``; None uses it where it can."""
    if accelerated is not None:
        model.finalize(accelerated=accelerated)
        return
    with warnings.catch_warnings():
        # Nobody has asked for it.
        warnings.filterwarnings("ignore", message="accelerated=True changes nothing")
        model.finalize(accelerated=find_spec("numba") is not None)


def check_outputs(options: argparse.Namespace) -> None:
    """Check that the files ``--output`` and ``--save`` can be written, before any work is done."""
    from matplotlib.figure import Figure

    output = Path(options.output)
    known = Figure().canvas.get_supported_filetypes()
    if output.suffix[1:].lower() not in known:
        raise ValueError(
            f"--output must end with one of .{', .'.join(known)}, received {options.output!r}"
        )
    target = output if output.exists() else output.absolute().parent
    if output.is_dir() or not os.access(target, os.W_OK):
        raise OSError(f"--output: {options.output!r} cannot be written")
    if options.save is not None:
        check_target(options.save)


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Return a function for ``type=`` that reads a whole number in a range."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {minimum} or more")
        if maximum is not None and int(text) > maximum:
            raise argparse.ArgumentTypeError(f"{text!r} is more than {maximum}")
        return int(text)

    return read


def number(check: Callable[[str, Any], float]) -> Callable[[str], float]:
    """Return a function for ``type=`` that reads a number and checks it by ``check``."""

    def read(text: str) -> float:
        try:
            return check("it", float(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


count = whole_number(1)
# Validation data are drawn with seed + 1, and NumPy's seeds end at 2³² - 1.
seed = whole_number(0, 2**32 - 2)
positive = number(check_positive)
non_negative = number(check_non_negative)
fraction = number(check_fraction)
