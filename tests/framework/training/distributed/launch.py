"""Starts real jobs under ``mpiexec``, for tests of training on several ranks."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

MPIEXEC = shutil.which(
    "mpiexec",
    path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath, os.environ["PATH"]]),
)
needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
    reason="mpi4py or mpiexec is not installed: no training on several ranks",
)
ROOT = Path(__file__).parents[4]
JOBS = "tests.framework.training.distributed.jobs"
# After so many seconds a job hangs; with four ranks on two busy cores a healthy one takes a minute.
HANGS = 300

# Not needed by users: the tests may run as root, with more ranks than there are cores, on a busy
# machine, where a rank that waits should let others run.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def start(
    ranks: int, *command: str, launcher: Sequence[str] = (str(MPIEXEC),)
) -> subprocess.Popen[str]:
    """Start a job in a process group of its own."""
    return subprocess.Popen(
        [*launcher, "-n", str(ranks), sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(job: subprocess.Popen[str], seconds: float = HANGS) -> tuple[int, str, str]:
    """Wait for a job and return its status and what it printed; one that hangs is ended."""
    try:
        printed, errors = job.communicate(timeout=seconds)
    finally:
        if job.poll() is None:
            job.terminate()  # mpiexec ends the ranks, which are in groups of their own
            try:
                job.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(job.pid, signal.SIGKILL)
            job.communicate()
    return job.returncode, printed, errors


def report(ranks: int, program: str) -> Any:
    """Run a program that succeeds, and return the JSON of its last line."""
    status, printed, errors = finish(start(ranks, "-m", f"{JOBS}.{program}"))
    assert status == 0, printed + errors
    return json.loads(printed.splitlines()[-1])


def resumed(folder: Path, ranks: int, *arguments: str, **options: Any) -> tuple[int, str]:
    """Run ``jobs/resumed.py`` and return its status and its error output."""
    module = ["-m", f"{JOBS}.resumed"]
    if "early" in arguments:  # what a script does itself is watched by mpi4py
        module = ["-m", "mpi4py", *module]
    job = start(ranks, *module, str(folder), *arguments, **options)
    status, _, errors = finish(job)
    return status, errors
