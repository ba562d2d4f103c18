"""The process in which an answer is marked: see ``marking``."""

from __future__ import annotations

import faulthandler
import io
import json
import os
import sys
import types
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from framework.exercises.calls import Raised, call, described
from framework.exercises.catalogue import get
from framework.exercises.report import Report

MEMORY = 4 * 2**30
# Characters of what an answer prints.
PRINTED = 2000


class Head(io.TextIOBase):
    """A text stream that keeps the beginning of what is written, however much it is."""

    def __init__(self) -> None:
        self.text, self.cut = "", False

    def write(self, text: str) -> int:
        room = PRINTED - len(self.text)
        self.text += text[:room]
        self.cut = self.cut or len(text) > room
        return len(text)

    def __str__(self) -> str:
        return self.text + ("\n…" if self.cut else "")


def main(arguments: Sequence[str]) -> None:
    """Mark an answer: the exercise, the file, where the result and a trace go, and the seconds."""
    name, path, result, trace, time_limit = arguments
    exercise = get(name)
    # Whatever is imported and computed beside the answer takes none of its time.
    exercise.max_points  # noqa: B018
    _limit_memory()
    printed = Head()
    with open(trace, "w", encoding="utf-8") as file:
        faulthandler.dump_traceback_later(float(time_limit), exit=True, file=file)
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                report = exercise.report(call(_names, Path(path)))
            except Raised as error:
                report = exercise.failed(*error.failure)
            except (
                BaseException
            ) as error:  # KeyboardInterrupt, which only the answer can raise here
                report = exercise.failed(*described(error))
        faulthandler.cancel_dump_traceback_later()
    _write(Path(result), report, printed)
    # Threads that the answer has started, and what it has registered for the end, are left out.
    os._exit(0)


def _names(path: Path) -> dict[str, Any]:
    """Run the file and return what it defines. It is not ``__main__``."""
    module = types.ModuleType("answer")
    module.__file__ = str(path)
    sys.modules["answer"] = module
    sys.path.append(str(path.parent))
    exec(compile(_source(path), str(path), "exec"), vars(module))
    return vars(module)


def _source(path: Path) -> str:
    """Return the text of a file as Python reads it. Raises SyntaxError where Python refuses it."""
    content = path.read_bytes()
    try:
        return decode_source(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"a character is not in the encoding {error.encoding}: save the file as UTF-8"
        raise SyntaxError(message, (str(path), line, None, None)) from None


def _write(result: Path, report: Report, printed: Head) -> None:
    content = {"checks": [asdict(check) for check in report.checks], "printed": str(printed)}
    beside = result.with_suffix(".part")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(result)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):  # the limit is lower already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main(sys.argv[1:])
