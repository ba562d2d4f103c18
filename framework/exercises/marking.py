"""Marks a file in a process of its own, which a time limit ends.

A learner's code may do anything by accident: loop without end, print without end, take all memory,
end the program. None of this reaches whoever marks it. It is no protection against malice: code of
strangers belongs into a container.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from framework.exercises.catalogue import ORDER, get
from framework.exercises.exercise import Exercise
from framework.exercises.report import Check, Report

# Seconds that the process may take beside the answer: to start, to import, to write.
AROUND = 60
TIME_LIMIT = 10.0
WORKER = (sys.executable, "-m", "framework.exercises.worker")
PACKAGES = Path(__file__).parents[2]


def mark(
    path: str | os.PathLike[str], exercise: str | None = None, *, time_limit: float = TIME_LIMIT
) -> tuple[Report, str]:
    """Mark the answer in a file; return the report, and what the answer printed.

    Args:
        path: a file of Python, as ``python -m framework exercises start`` writes it.
        exercise: the name of the exercise, or the path of a file of your own. Without it, the
            first line that begins with "# Exercise:" says it, or the name of the file.
        time_limit: the seconds that the answer and its tests may take.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there is no such exercise, or the name of the file is that of another than
            its first line says.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    wanted = exercise or exercise_of(path)
    if exercise is None and path.stem in ORDER and wanted != path.stem:
        raise ValueError(
            f"{path.name} is named like one exercise, and says that it answers another, {wanted}: "
            f"say which it is, --exercise {path.stem} or --exercise {wanted}"
        )
    if wanted.endswith(".md"):
        wanted = str(Path(wanted).resolve())
    found = get(wanted)
    with tempfile.TemporaryDirectory() as folder:
        result, trace = Path(folder) / "result.json", Path(folder) / "trace.txt"
        process = subprocess.Popen(
            [*WORKER, wanted, str(path), str(result), str(trace), str(time_limit)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(time_limit + AROUND)
        finally:
            _end(process)
        if result.is_file():
            content = json.loads(result.read_text(encoding="utf-8"))
            checks = tuple(Check(**check) for check in content["checks"])
            return Report(found.name, checks), content["printed"]
        text = trace.read_text(encoding="utf-8", errors="replace") if trace.is_file() else ""
        return _not_finished(found, path, text, process.returncode, time_limit), ""


def exercise_of(path: Path) -> str:
    """Return the name of the exercise that a file answers."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    named = re.search(r"^# Exercise: *(\S+)", text, flags=re.MULTILINE)
    return named[1] if named else path.stem


def _environment() -> dict[str, str]:
    """The process finds this library wherever this one found it, and uses one thread."""
    folders = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }


def _end(process: subprocess.Popen[Any]) -> None:
    """End the process, and those that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # all have ended
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _not_finished(
    exercise: Exercise, path: Path, trace: str, status: int | None, time_limit: float
) -> Report:
    if "Timeout" not in trace:
        return exercise.failed(
            f"the process ended with status {status} before it was marked",
            "does the answer end it, by os._exit for instance, or take all of the memory?",
        )
    frames = re.findall(r'File "(.*)", line (\d+) in (\S+)', trace)
    own = [frame for frame in frames if frame[0] == str(path)]
    where = ""
    if own:
        _, line, function = own[0]
        inside = "" if function == "<module>" else f" in {function}"
        where = f", it was at line {line}{inside}"
    return exercise.failed(
        f"not finished after {time_limit:g} seconds{where}",
        "does a loop never end? Does what its condition looks at change in the loop?",
    )
