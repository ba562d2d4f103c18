"""Training on several ranks, each test of which starts a real job under ``mpiexec``."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mpi4py", reason="mpi4py is not installed: no training on several ranks")
MPIEXEC = shutil.which(
    "mpiexec",
    path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath, os.environ["PATH"]]),
)
pytestmark = pytest.mark.skipif(
    MPIEXEC is None, reason="there is no mpiexec: no training on several ranks"
)

ROOT = Path(__file__).parents[2]
# What a user need not set: started by whoever runs the tests, more ranks than there are cores, on
# a machine that has other work, so that a rank that waits lets others run.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def start(ranks: int, *command: str, **options: Any) -> subprocess.Popen[str]:
    """Start a job in a process group of its own."""
    return subprocess.Popen(
        [str(MPIEXEC), "-n", str(ranks), sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def finish(job: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str, str]:
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
    """Run a program that ends well, and return the JSON of its last line."""
    status, printed, errors = finish(start(ranks, "-m", f"tests.framework.jobs.{program}"))
    assert status == 0, printed + errors
    return json.loads(printed.splitlines()[-1])


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_it_equals_the_training_of_a_single_process(ranks: int) -> None:
    for case, found in report(ranks, "equality").items():
        tolerance = 1e-5 if case.endswith("float32") else 1e-12
        assert found["steps"] >= 100, case
        assert found["parameters"] < tolerance, case
        assert found["optimizer"] < tolerance, case
        assert found["history"] < tolerance, case
        assert found["alike"], f"{case}: the ranks differ"
        assert found["chance"], f"{case}: another random state than that of a single process"
