"""Whether another distribution was installed into the folder of this one's packages."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

DISTRIBUTION = "dinputs"


def warn_of_mixture(package: str, folder: str) -> None:
    """Warn if another distribution has put modules into ``folder``, where ``package`` is.

    ``pip`` installs one over the other in silence, and each overwrites files of the other. Called
    at the end of the package's ``__init__``, which imports all modules of its own.
    """
    files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    unknown = [file for file in files if file.endswith(".py") and not _is_own(package, file)]
    if not unknown:
        return
    from importlib import metadata  # slow, and hence only where there is something to explain

    owners = metadata.packages_distributions().get(package, [])
    others = ", ".join(sorted(set(owners) - {DISTRIBUTION}))
    if others:
        warnings.warn(
            f"{folder} is the folder of {DISTRIBUTION} and of {others}, whose {unknown[0]} is in "
            "it: each has overwritten files of the other. Uninstall both, and install each into a "
            "virtual environment of its own",
            stacklevel=3,
        )


def _is_own(package: str, file: str) -> bool:
    return file == "__init__.py" or f"{package}.{Path(file).stem}" in sys.modules
