"""The blocks of code in the README and in the pages of the documentation, and what they print.

A block that begins with three backticks and "python" is run, and the indented lines below it are
what it prints. The blocks of a page run one after the other, in one process and a fresh folder.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).parent.parent
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*/*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```\n\n?((?:    [^\n]*\n|\n(?=    ))*)", re.DOTALL)
# What a block needs to be installed, by a word of it.
NEEDS = {
    "framework.estimators": "sklearn",
    "mpi4py": "mpi4py",
    "export_onnx": "onnx",
    "pandas": "pandas",
    "framework.pytorch": "torch",
}
# Not the learning rate, which has no rounding errors to drift by.
NUMBER = re.compile(r"(?<!lr: )-?\b\d+\.\d+(?:e-?\d+)?|\b\d+%")
# Rounding errors differ between processors, and grow over the steps of a training.
DRIFT = 0.05

DRIVER = """
import contextlib, io, json, sys
blocks, shared, printed = json.load(sys.stdin), {"__name__": "__main__"}, []
for block in blocks:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(block, "<block>", "exec"), shared)
    printed.append(output.getvalue())
json.dump(printed, sys.stdout)
"""


class Block(NamedTuple):
    """A block of code, and what the page says that it prints."""

    code: str
    shown: str


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that are run."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Block(code, re.sub(r"^    ", "", shown, flags=re.MULTILINE)) for code, shown in found]


def run(blocks: list[Block], folder: Path) -> list[str]:
    """Run the blocks of a page one after the other, and return what each has printed."""
    code = "\n".join(block.code for block in blocks)
    for word, package in NEEDS.items():
        if word in code:
            pytest.importorskip(package, reason=f"{package} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP), "MPLBACKEND": "agg"},
        input=json.dumps([block.code for block in blocks]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed: list[str] = json.loads(done.stdout)
    return printed


def same(printed: str, shown: str) -> bool:
    """Whether what was printed is what is shown, but for numbers that drift."""
    if _words(printed) != _words(shown):
        return False
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True)
    numbers = [(_number(found), _number(expected)) for found, expected in pairs]
    return all(abs(a - b) <= max(DRIFT, DRIFT * abs(b)) for a, b in numbers)


def _words(text: str) -> list[list[str]]:
    return [NUMBER.sub("…", line).split() for line in text.rstrip().splitlines()]


def _number(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)
