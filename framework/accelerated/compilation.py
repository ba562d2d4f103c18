"""The compilation of a function: its code kept on disk, and Ctrl-C while it goes on."""

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

from framework.utils.warnings import warn_user

# Code with deeply nested parts needs more than a thread has on some systems.
STACK = 64 * 2**20
# A waiting main thread serves signals at once where locks can be interrupted, else this often.
SECONDS = 0.2


class CodeCache(FunctionCache):
    """Numba's cache of compiled code, whose failures cost time and nothing else.

    Code that is damaged is compiled anew, and where none can be written, it is used without.
    Raises RuntimeError, as numba does, if there is no folder for it.

    Attributes:
        problems: what has failed and nobody has been told yet.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        file = self._cache_file
        self._cache_file = _CheckedFile(
            file._cache_path, self._impl.filename_base, file._source_stamp
        )
        self.problems: list[str] = []
        self._reported: set[str] = set()

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the code that was kept, or None."""
        try:
            return super().load_overload(signature, target_context)
        except Exception as error:  # a damaged file can make pickle raise anything
            self._report("is damaged, and compiled anew", error)
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep ``code``."""
        try:
            super().save_overload(signature, code)
        except Exception as error:
            self._report(
                "cannot be kept there, so each process compiles anew (NUMBA_CACHE_DIR names "
                "another folder)",
                error,
            )

    def _report(self, problem: str, error: Exception) -> None:
        if problem not in self._reported:
            self._reported.add(problem)
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
    """Return a function like ``compile_code`` that Ctrl-C ends at once, in the main thread.

    A compiler cannot be stopped within its calls, so another thread runs it. After Ctrl-C that one
    goes on by itself, so that the code is there when it is asked for again.
    """

    def compile_in_thread(signature: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return compile_code(signature)
        found: list[Any] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                found.append(compile_code(signature))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="compilation", daemon=True)
        with _raising_interrupts():
            stack = threading.stack_size(STACK)
            try:
                thread.start()
            finally:
                threading.stack_size(stack)
            try:
                while thread.is_alive():
                    thread.join(SECONDS)
            except BaseException:
                _exit_without_destructors()
                raise
        if errors:
            raise errors[0]
        return found[0]

    return compile_in_thread


def _exit_without_destructors() -> None:
    """Let the process end, with the status that it has then, before C++ takes LLVM apart.

    A thread that is compiling to the last would crash. Python itself has come to its end by then.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "on_exit"):  # glibc's
            libc.on_exit(libc._exit, None)


@contextmanager
def _raising_interrupts() -> Iterator[None]:
    """Let signals raise KeyboardInterrupt that training would wait with for the end of its batch.

    A program's own handlers are left alone.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    waiting = {
        number: handler
        for number, handler in before.items()
        if str(getattr(handler, "__module__", "")).startswith("framework.")
    }
    for number in waiting:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in waiting.items():
            signal.signal(number, handler)


def told(compile_code: Callable[[Any], Any], cache: CodeCache) -> Callable[[Any], Any]:
    """Return a function like ``compile_code`` that then warns of the problems of ``cache``."""

    def compile_and_tell(signature: Any) -> Any:
        code = compile_code(signature)
        while cache.problems:
            warn_user(cache.problems.pop())
        return code

    return compile_and_tell
