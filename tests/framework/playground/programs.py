"""Runs a program that the page exports."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]


def printed_by(program: str, folder: Path) -> str:
    """Return what ``program``, a file in ``folder``, prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
