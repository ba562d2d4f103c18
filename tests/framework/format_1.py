"""The files that version 0.1.0 wrote, in format 1. See ``fixtures/README.md``."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "format-1"


def has_avx512() -> bool:
    """Whether this CPU has the vectors of the one that the files were written on."""
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512bw" in cpu.read_text()


def run_with_their_kernels(script: str, folder: Path) -> None:
    """Run a Python ``script`` in ``folder``, with the BLAS kernels that wrote the files."""
    environment = {
        **os.environ,
        "OPENBLAS_CORETYPE": "SkylakeX",
        "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path]),
    }
    subprocess.run([sys.executable, "-c", script], check=True, cwd=folder, env=environment)
