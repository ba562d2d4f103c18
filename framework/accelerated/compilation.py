"""The compilation of a function: a cache of the code on disk, and Ctrl-C while it runs."""

import ctypes
import hashlib
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

from framework.utils.stacks import stack_for_compiler
from framework.utils.warnings import warn_user

MESSAGE = "compiling, once for this machine (about 12 s)"
NO_FOLDER = (
    "compiled code cannot be kept, since there is no folder for it that can be written to: each "
    "process compiles anew (NUMBA_CACHE_DIR names another folder)"
)
# Seconds. Where waiting for a thread cannot be interrupted, signals are handled this often.
WAIT = 0.2


# What is called before the first compilation, and what was said already in this process.
_say: list[Callable[[str], None]] = []
_said: set[str] = set()


@contextmanager
def telling(say: Callable[[str], None]) -> Iterator[None]:
    """Call ``say`` with ``MESSAGE`` if something has to be compiled; once in a process."""
    _say.append(say)
    try:
        yield
    finally:
        _say.pop()


def _tell() -> None:
    if _say and MESSAGE not in _said:
        _said.add(MESSAGE)
        _say[-1](MESSAGE)


class CodeCache(FunctionCache):
    """Numba's cache of compiled code on disk, which never makes a call fail.

    Damaged code is compiled anew. Code that cannot be written to disk is used from memory.
    Raises RuntimeError, as numba does, if there is no folder for the cache.

    Attributes:
        problems: messages of failures, each to be shown once as a warning.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        file = self._cache_file
        self._cache_file = _CheckedFile(
            file._cache_path, self._impl.filename_base, file._source_stamp
        )
        self.problems: list[str] = []

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the code that was saved, or None."""
        code = None
        try:
            code = super().load_overload(signature, target_context)
        except Exception as error:  # a damaged file can make pickle raise anything
            self._report("is damaged, and compiled anew", error)
            with suppress(OSError):
                self.flush()
        if code is None:
            _tell()
        return code

    def save_overload(self, signature: Any, code: Any) -> None:
        """Save ``code``."""
        try:
            super().save_overload(signature, code)
        except Exception as error:
            self._report(
                "cannot be saved there, so each process compiles anew (NUMBA_CACHE_DIR names "
                "another folder)",
                error,
            )

    def _report(self, problem: str, error: Exception) -> None:
        if problem not in _said:
            _said.add(problem)
            self.problems.append(
                f"compiled code in {self.cache_path} {problem}: {type(error).__name__}: {error}"
            )


class _CheckedFile(IndexDataCacheFile):
    """The files of a cache, with a checksum: damaged machine code would run all the same."""

    def _save_data(self, name: str, data: Any) -> None:
        dumped = self._dump(data)
        super()._save_data(name, (hashlib.sha256(dumped).digest(), dumped))

    def _load_data(self, name: str) -> Any:
        checksum, dumped = super()._load_data(name)
        if hashlib.sha256(dumped).digest() != checksum:
            raise ValueError("its checksum does not match its content")
        return pickle.loads(dumped)


def interruptible(compile_code: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``compile_code`` so that Ctrl-C in the main thread ends a call at once.

    The compiler itself cannot be interrupted, so it runs in another thread. After Ctrl-C that
    thread finishes, and the next call finds the code.
    """

    def compile_in_thread(signature: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return compile_code(signature)
        compiled: list[Any] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                compiled.append(compile_code(signature))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="compilation", daemon=True)
        with _raising_interrupts():
            with stack_for_compiler():
                thread.start()
            try:
                while thread.is_alive():
                    thread.join(WAIT)
            except BaseException:
                _exit_without_destructors()
                raise
        if errors:
            raise errors[0]
        return compiled[0]

    return compile_in_thread


def _exit_without_destructors() -> None:
    """Make the process exit without running C++ destructors, with its exit status.

    They would destroy LLVM under a thread that is still compiling, which would crash. Python has
    already cleaned up by then.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "on_exit"):  # glibc's
            libc.on_exit(libc._exit, None)


@contextmanager
def _raising_interrupts() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt at once, not after the batch.

    Only the handlers of a training are replaced; those of the program itself stay.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    replaced = {
        number: handler
        for number, handler in before.items()
        if str(getattr(handler, "__module__", "")).startswith("framework.")
    }
    for number in replaced:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def warning_of_no_folder(compile_code: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``compile_code`` after a warning that its code is not kept, once in a process."""

    def warn_and_compile(signature: Any) -> Any:
        if NO_FOLDER not in _said:
            _said.add(NO_FOLDER)
            warn_user(NO_FOLDER)
        _tell()
        return compile_code(signature)

    return warn_and_compile


def warning_of_problems(
    compile_code: Callable[[Any], Any], cache: CodeCache
) -> Callable[[Any], Any]:
    """Return ``compile_code`` followed by a warning for each problem of ``cache``."""

    def compile_and_warn(signature: Any) -> Any:
        code = compile_code(signature)
        while cache.problems:
            warn_user(cache.problems.pop())
        return code

    return compile_and_warn
