"""The decorators of the compiled functions of this folder."""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numba
from llvmlite.binding import ffi
from numba.core.compiler_lock import global_compiler_lock

from framework.accelerated.compilation import (
    CodeCache,
    interruptible,
    warning_of_no_folder,
    warning_of_problems,
)
from framework.utils.forks import hold_while_forking

# Sums may be reordered and products contracted, so that they fill a vector register. NaN and
# infinity keep their meaning: training looks for them.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"arcp", "contract", "nsz", "reassoc"},
}

# A child is never forked while a function is half compiled, so a fork may have to wait while the
# cache on disk is empty. LLVM frees compiled code outside numba's lock, under its own.
hold_while_forking(lambda: [global_compiler_lock, getattr(ffi.lib, "_lock", nullcontext())])

# Nothing that Python or C could call is needed of a part of compiled code.
_INSIDE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
PART: dict[str, Any] = {"forceinline": True, **_INSIDE}


def jit(function: Callable[..., Any]) -> Any:
    """Compile ``function`` as a part of its caller."""
    # Always inlined: a separate copy, rounded in another way, would be called in the process that
    # compiles, and not in those that read the compiled code from disk.
    return numba.njit(**PART, **_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Put ``function`` into its caller before it is compiled.

    For those that call many others: what is compiled by itself is optimized by itself, together
    with all that it calls, and then again within its caller.
    """
    return numba.njit(inline="always", **_OPTIONS)(function)


def called(function: Callable[..., Any]) -> Any:
    """Compile ``function`` once, and not again wherever it is called.

    For large ones that leave the compiler no choice of how sums are rounded.
    """
    return numba.njit(**_INSIDE, **_OPTIONS)(function)


def cached_jit(function: Callable[..., Any], **options: Any) -> Any:
    """Compile ``function`` when it is first called from Python, and keep the result on disk.

    It is kept beside the source, or where that is read-only, in numba's cache folder of the user
    (``NUMBA_CACHE_DIR`` names another). Where nothing can be written, each process compiles anew.
    Ctrl-C ends the call while it is compiled.

    Numba compiles again when the file of the function changes, but not when the file of a function
    called by it does. So one of its arguments must be of a type that has ``version()`` in it.
    """
    options |= {"nogil": True, "no_cfunc_wrapper": True, **_OPTIONS}
    compiled = numba.njit(**options)(function)
    compiled.compile = interruptible(compiled.compile)
    try:
        compiled._cache = CodeCache(function)
        compiled.compile = warning_of_problems(compiled.compile, compiled._cache)
    except RuntimeError:  # no folder to write to
        compiled.compile = warning_of_no_folder(compiled.compile)
    return compiled


def entry(function: Callable[..., Any]) -> Any:
    """Compile ``function`` as ``cached_jit`` does, for those that call it by its address alone."""
    return cached_jit(function, no_cpython_wrapper=True)


def version() -> str:
    """Return a name that is another one whenever a file of this folder has changed."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for source in sorted(folder.rglob("*.py")):
        digest.update(str(source.relative_to(folder)).encode() + source.read_bytes())
    return "version_" + digest.hexdigest()[:16]
