"""Ranks that fail, jobs that are interrupted or killed, and how they are resumed."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import Model
from tests.framework.training.distributed.jobs.resumed import run
from tests.framework.training.distributed.launch import (
    HANGS,
    JOBS,
    MPIEXEC,
    finish,
    needs_mpi,
    resumed,
    start,
)

pytestmark = needs_mpi


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("kill", r"rank 1\b.*signal 9"),
        ("raise", r"rank 1 of 3, on .*, ended the job: OSError: this rank has lost its disk"),
        ("diverge", r"rank 1 of 3, on .*, ended the job: DivergenceError: this rank alone has"),
        ("exit", r"1\].*Exit code: +3"),
        ("early", r"ValueError: the data of this rank are missing.*invoked on rank 1"),
    ],
)
def test_a_rank_that_fails_ends_the_job_and_is_named(
    fault: str, message: str, tmp_path: Path
) -> None:
    status, errors = resumed(tmp_path, 3, fault)
    assert status != 0
    assert re.search(message, errors, flags=re.DOTALL), errors


def test_ctrl_c_ends_all_ranks_after_a_batch_and_they_are_resumed_there(tmp_path: Path) -> None:
    job = start(3, "-m", f"{JOBS}.resumed", str(tmp_path), "endless")
    path = tmp_path / "rank-0/run.safetensors"
    patience = time.monotonic() + HANGS
    while not path.exists() and time.monotonic() < patience:
        time.sleep(0.1)
    job.send_signal(signal.SIGINT)
    status, _, errors = finish(job)
    assert status != 0
    # Rank 0 came to the end of training, which stopped where its last checkpoint goes on.
    stopped = np.load(tmp_path / "end.npz")
    more = len(stopped["loss"]) + 2
    status, errors = resumed(tmp_path, 3, "--epochs", str(more))
    assert status == 0, errors
    alone = tmp_path / "alone"
    alone.mkdir()
    run(alone, "", False, None, epochs=more)
    ends = [np.load(folder / "end.npz") for folder in (tmp_path, alone)]
    np.testing.assert_array_equal(ends[0]["loss"][: more - 2], stopped["loss"])
    np.testing.assert_allclose(ends[0]["loss"], ends[1]["loss"], atol=1e-6)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The end of a training that was never interrupted, of a single process."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    run(folder, "", False, None)
    return np.load(folder / "end.npz")


@pytest.mark.parametrize("ranks", [2, 4])
def test_a_killed_job_is_resumed_with_any_number_of_ranks_and_ends_the_same(
    ranks: int, uninterrupted: Any, tmp_path: Path
) -> None:
    assert resumed(tmp_path, 3, "kill")[0] != 0
    assert not (tmp_path / "end.npz").exists()
    # Rank 0 alone has written, and it was interrupted after three epochs.
    assert len(Model.load(tmp_path / "rank-0/run.epoch-3.safetensors").layers) == 4
    assert not list(tmp_path.glob("rank-[12]/*"))
    status, errors = resumed(tmp_path, ranks)
    assert status == 0, errors
    end = np.load(tmp_path / "end.npz")
    assert len(end["loss"]) == 6
    np.testing.assert_allclose(end["parameters"], uninterrupted["parameters"], atol=1e-12)
    np.testing.assert_allclose(end["loss"], uninterrupted["loss"], atol=1e-12)


def test_with_dropout_a_killed_job_is_resumed_exactly_with_the_same_number_of_ranks(
    tmp_path: Path,
) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        folder.mkdir()
    assert resumed(killed, 3, "kill", "--dropout")[0] != 0
    for folder in (killed, whole):
        status, errors = resumed(folder, 3, "--dropout")
        assert status == 0, errors
    ends = [np.load(folder / "end.npz") for folder in (killed, whole)]
    np.testing.assert_array_equal(ends[0]["parameters"], ends[1]["parameters"])
    np.testing.assert_array_equal(ends[0]["loss"], ends[1]["loss"])


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def launcher_on_two_hosts(tmp_path: Path) -> Iterator[list[str]]:
    """``mpiexec`` for two hosts: network namespaces with a cable between them."""
    names = [f"dinputs-{os.getpid()}-{host}" for host in (1, 2)]
    addresses = ["10.77.0.1", "10.77.0.2"]
    first, second = names
    commands = [
        *(["ip", "netns", "add", name] for name in names),
        [
            "ip",
            "-n",
            first,
            "link",
            "add",
            "cable",
            "type",
            "veth",
            "peer",
            "cable",
            "netns",
            second,
        ],
        *(
            ["ip", "-n", name, "address", "add", f"{address}/24", "dev", "cable"]
            for name, address in zip(names, addresses, strict=True)
        ),
        *(["ip", "-n", name, "link", "set", "cable", "up"] for name in names),
        *(["ip", "-n", name, "link", "set", "lo", "up"] for name in names),
    ]
    # In place of ssh: runs a command on the other host, which has a name of its own.
    agent = tmp_path / "agent"
    agent.write_text(
        f"#!/bin/sh\nhost=$1; shift\n"
        f'exec ip netns exec {second} unshare --uts sh -c "hostname $host; $*"\n'
    )
    agent.chmod(0o700)
    try:
        if not all(map(_works, commands)):
            pytest.skip("this machine allows no network namespaces: no ranks on two hosts")
        hosts = ",".join(f"{address}:2" for address in addresses)
        options = ["--host", hosts, "--map-by", "node", "--prtemca", "plm_ssh_agent", str(agent)]
        yield ["ip", "netns", "exec", first, str(MPIEXEC), "--with-ft", "ulfm", *options]
    finally:
        for name in names:
            _works(["ip", "netns", "delete", name])


def test_ranks_on_two_hosts_train_fail_and_are_resumed_like_ranks_on_one(
    launcher_on_two_hosts: list[str], uninterrupted: Any, tmp_path: Path
) -> None:
    status, errors = resumed(tmp_path, 4, "kill", launcher=launcher_on_two_hosts)
    assert status != 0
    assert "ended the job: lost rank 1 of 4" in errors
    status, errors = resumed(tmp_path, 4, launcher=launcher_on_two_hosts)
    assert status == 0, errors
    end = np.load(tmp_path / "end.npz")
    np.testing.assert_allclose(end["parameters"], uninterrupted["parameters"], atol=1e-12)
