"""Checks that ``optimizers`` and ``datasets`` are those of this distribution."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

DISTRIBUTION = "dinputs"


def check_ours(name: str) -> None:
    """Raise ImportError, naming the file in the way, if the package ``name`` is another's.

    Hugging Face has a package ``datasets`` too, and it is a usual name of a folder.
    """
    package = importlib.import_module(name)
    if getattr(package, "__distribution__", None) != DISTRIBUTION:
        raise ImportError(
            f"framework needs the package {name} of {DISTRIBUTION}, but {_place(package)} is in "
            f"the way: {_explanation(_place(package))}",
            name=name,
        )


def _place(package: ModuleType) -> str:
    # A folder without __init__.py has no file.
    return getattr(package, "__file__", None) or next(iter(package.__path__))


def _explanation(place: str) -> str:
    owners = _distributions_in(Path(place).parent)
    others = ", ".join(sorted(owners - {DISTRIBUTION}))
    if not others:
        return (
            f"give it another name, run Python elsewhere, or, if {DISTRIBUTION} was installed "
            f"there, pip install --force-reinstall {DISTRIBUTION}"
        )
    if DISTRIBUTION in owners:
        return (
            f"{others} and {DISTRIBUTION} were installed into one folder, where each overwrites "
            "the other's files. Uninstall both, and install each into a virtual environment of "
            "its own"
        )
    return f"it belongs to {others}. Install {DISTRIBUTION} into a virtual environment of its own"


def _distributions_in(folder: Path) -> set[str]:
    """Return the names of the distributions that have installed modules into ``folder``.

    One that was installed as editable has none: its modules are elsewhere.
    """
    from importlib import metadata  # takes its time, and is needed only here

    return {
        distribution.name
        for distribution in metadata.distributions()
        for file in distribution.files or ()
        if file.parent.name == folder.name and distribution.locate_file(file.parent) == folder
    }
