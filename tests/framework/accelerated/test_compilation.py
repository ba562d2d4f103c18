"""Compiled code on disk, and Ctrl-C while it is compiled."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is not installed")

ROOT = Path(__file__).parents[3]
PATIENCE = 300  # seconds: the compiler takes its time on a busy machine

FUNCTION = """
from framework.accelerated.jit import cached_jit

@cached_jit
def double(x):
    return 2 * x
"""
# Prints the results, and how many functions were compiled and how many were read.
PROGRAM = """
import warnings
import function
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(function.double(3.0), function.double(4))
cache = function.double.stats
print(sum(cache.cache_misses.values()), sum(cache.cache_hits.values()))
print(*(f"{warning.filename}: {warning.message}" for warning in caught), sep="\\n")
"""
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # no file can be larger
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, int, list[str]]]:
    """Runs ``PROGRAM`` in a process: how many compilations, how many from disk, warnings."""
    (tmp_path / "function.py").write_text(FUNCTION)

    def run(before: str = "") -> tuple[int, int, list[str]]:
        result = subprocess.run(
            [sys.executable, "-c", before + PROGRAM],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": f"{tmp_path}:{ROOT}",
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert result.returncode == 0, result.stderr
        values, counts, *warnings = result.stdout.splitlines()
        assert values == "6.0 8"
        compiled, read = map(int, counts.split())
        return compiled, read, [warning for warning in warnings if warning]

    return run


def files(tmp_path: Path, suffix: str) -> list[Path]:
    return sorted((tmp_path / "cache").rglob(f"*.{suffix}"))


def test_compiled_code_is_read_by_the_next_process(run: Callable[..., object]) -> None:
    assert run() == (2, 0, [])
    assert run() == (0, 2, [])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "something else": lambda content: b"\x80\x04K\x05.",  # the pickle of a number
    "changed in the middle": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 1])
        + content[len(content) // 2 + 1 :]
    ),
}


# An index that looks as if numba had written it, but of another release, or for other code.
MAY_BE_MISSED = [("nbi", DAMAGES["something else"]), ("nbi", DAMAGES["changed in the middle"])]


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_code_is_compiled_anew_and_that_is_said_once(
    damage: Callable[[bytes], bytes],
    suffix: str,
    run: Callable[..., tuple[int, int, list[str]]],
    tmp_path: Path,
) -> None:
    run()
    for file in files(tmp_path, suffix):
        file.write_bytes(damage(file.read_bytes()))
    compiled, read, warnings = run()
    assert compiled + read == 2
    if (suffix, damage) in MAY_BE_MISSED:
        assert len(warnings) <= 1
    else:
        (warning,) = warnings
        assert warning.startswith("<string>: compiled code in ")
        assert "is damaged, and compiled anew: " in warning
        assert compiled == 2
    assert run() == (0, 2, [])


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_without_room_on_the_disk_it_is_compiled_and_used(
    run: Callable[..., tuple[int, int, list[str]]], tmp_path: Path
) -> None:
    compiled, read, (warning,) = run(LIMITED)
    assert (compiled, read) == (2, 0)
    assert f"compiled code in {tmp_path}/cache" in warning
    assert "cannot be saved there, so each process compiles anew (NUMBA_CACHE_DIR names" in warning
    assert "OSError" in warning
    assert files(tmp_path, "nbc") == []
    assert run() == (2, 0, [])


TOLD = """
from framework.accelerated.compilation import telling
said = []
with telling(said.append):
    import function
    function.double(3.0), function.double(4)
print(*said, sep="\\n")
"""
NOT_KEPT = """
import warnings
import framework.accelerated.jit as jit

def none(function):
    raise RuntimeError("no locator available")

jit.CodeCache = none
double, triple = jit.cached_jit(lambda x: 2 * x), jit.cached_jit(lambda x: 3 * x)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(double(3.0), double(4), triple(1))
print(*(warning.message for warning in caught), sep="\\n")
"""


def lines_of(program: str, tmp_path: Path) -> list[str]:
    (tmp_path / "function.py").write_text(FUNCTION)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_that_something_is_compiled_is_told_once_and_on_one_machine_once(tmp_path: Path) -> None:
    assert lines_of(TOLD, tmp_path) == ["compiling, once for this machine (about 12 s)"]
    assert lines_of(TOLD, tmp_path) == [""]


def test_without_a_folder_the_variable_that_names_another_is_told_once(tmp_path: Path) -> None:
    values, warning = lines_of(NOT_KEPT, tmp_path)
    assert values == "6.0 8 3"
    assert "NUMBA_CACHE_DIR names another folder" in warning


INTERRUPTED = """
import os, signal, sys, threading
import numpy as np
from numba.core import event
from framework import CategoricalCrossentropy, Dense, Model, Softmax
from optimizers import SGD

class Interrupt(event.Listener):
    '''Presses Ctrl-C once, when the compiler begins.'''
    pressed = False

    def on_start(self, started):
        if not self.pressed and threading.current_thread().name == "compilation":
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)

    def on_end(self, ended):
        pass

signal.signal(signal.SIGINT, signal.default_int_handler)
event.register(sys.argv[1], Interrupt())
model = Model([Dense(2, 2), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
model.finalize(accelerated=True)
weights = model.parameters.weights.copy()
try:
    model.train(np.eye(2), [0, 1], progress=False)
except KeyboardInterrupt:
    compiling = [thread for thread in threading.enumerate() if thread.name == "compilation"]
    print(len(compiling), model.optimizer.iterations, (model.parameters.weights == weights).all())
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    sys.exit(42)
"""


@pytest.mark.parametrize("moment", ["numba:compile", "numba:llvm_lock"])
def test_ctrl_c_does_not_wait_for_the_compiler(moment: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 42, result.stderr
    # The compiler had not come to its end, and nothing was trained.
    assert result.stdout.split() == ["1", "0", "True", "True"]


def test_an_error_of_the_compiler_is_raised_where_the_function_is_called() -> None:
    from numba.core.errors import TypingError

    from framework.accelerated.jit import cached_jit

    def wrong(x):  # type: ignore[no-untyped-def]
        return x.nothing

    with pytest.raises(TypingError, match="nothing"):
        cached_jit(wrong)(3.0)
