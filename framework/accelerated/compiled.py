"""The decorators of the compiled functions of this folder."""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numba
from llvmlite.binding import ffi
from numba.core.compiler_lock import global_compiler_lock

from framework.utils.forks import hold_while_forking

# Sums may be reordered and products contracted, so that they fill a vector register. NaN and
# infinity keep their meaning: training looks for them.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"arcp", "contract", "nsz", "reassoc"},
}

# What a child is forked from has no function half compiled. So a fork can wait for a while where
# none of them is on disk yet. Without numba's lock, LLVM still frees what it compiled.
hold_while_forking(lambda: [global_compiler_lock, getattr(ffi.lib, "_lock", nullcontext())])


def compiled(function: Callable[..., Any]) -> Any:
    """Compile ``function`` as a part of what calls it."""
    # Always within it: a copy beside it, rounded otherwise, would be called in the process that
    # compiles, and not in those that read the compiled code from disk.
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def entry(function: Callable[..., Any]) -> Any:
    """Compile ``function`` when it is first called from Python, and keep the result on disk.

    It is kept beside the source, or where that is read-only, in numba's cache folder of the user
    (``NUMBA_CACHE_DIR`` names another). Where nothing can be written, each process compiles anew.

    Numba compiles again when the file of the function changes, but not when a file with something
    that it calls does. So one of its arguments must be of a type that has ``version()`` in it.
    """
    try:
        return numba.njit(cache=True, nogil=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder to write to
        return numba.njit(nogil=True, **_OPTIONS)(function)


def version() -> str:
    """Return a name that is another one whenever a file of this folder has changed."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return "version_" + digest.hexdigest()[:16]
