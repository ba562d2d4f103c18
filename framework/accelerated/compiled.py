"""The decorator of every compiled function of this folder."""

from collections.abc import Callable
from typing import Any

import numba

# Sums may be reordered and products contracted, so that they fill a vector register. NaN and
# infinity keep their meaning: training looks for them.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"arcp", "contract", "nsz", "reassoc"},
}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile ``function`` when it is first called, and keep the result on disk.

    It is kept beside the source, or where that is read-only, in numba's own cache folder of the
    user (``NUMBA_CACHE_DIR`` names another). Where nothing can be written, every process
    compiles anew.
    """
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder to write to
        return numba.njit(**_OPTIONS)(function)
