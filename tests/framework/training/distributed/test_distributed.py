"""Training on several ranks, each test of which starts a real job under ``mpiexec``."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from framework import Model
from framework.__main__ import main
from tests.datasets.files import mnist_files, write
from tests.framework.training.distributed.jobs.resumed import run

pytest.importorskip("mpi4py", reason="mpi4py is not installed: no training on several ranks")
MPIEXEC = shutil.which(
    "mpiexec",
    path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath, os.environ["PATH"]]),
)
pytestmark = pytest.mark.skipif(
    MPIEXEC is None, reason="there is no mpiexec: no training on several ranks"
)

ROOT = Path(__file__).parents[4]
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
    status, printed, errors = finish(
        start(ranks, "-m", f"tests.framework.training.distributed.jobs.{program}")
    )
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


@pytest.fixture(scope="module")
def output() -> tuple[int, str, str]:
    # Where operations have not been compiled yet, three ranks do so at once: that takes minutes.
    return finish(
        start(3, "-m", "tests.framework.training.distributed.jobs.behaviour"), seconds=300
    )


@pytest.fixture(scope="module")
def told(output: tuple[int, str, str]) -> dict[str, list[Any]]:
    """What the three ranks of ``jobs/behaviour.py`` tell, by the name of the story."""
    status, printed, errors = output
    assert status == 0, printed + errors
    return json.loads(printed.splitlines()[-1])


def same_for_all(accounts: list[Any]) -> Any:
    assert accounts[1:] == accounts[:-1]
    return accounts[0]


# What does not fit


@pytest.mark.parametrize(
    ("story", "message"),
    [
        (
            "data_of_one_rank_that_are_not_finite",
            "ValueError: rank 1 of 3: X must be finite, but row 25 has NaN or infinity",
        ),
        ("an_argument_that_is_wrong_everywhere", "ValueError: epochs must be at least 1"),
        (
            "another_batch_size_on_one_rank",
            "ValueError: rank 2 of 3 has another batch_size, 32",
        ),
        ("other_data_on_one_rank", "ValueError: rank 1 of 3 has another checksum of X"),
        (
            "another_optimizer_on_one_rank",
            "ValueError: rank 1 of 3 has another optimizer, Adam(learning_rate=0.01), than rank 0, "
            "SGD(learning_rate=0.1): every rank must be given the same",
        ),
        (
            "another_learning_rate_on_one_rank",
            "ValueError: rank 2 of 3 has another optimizer, SGD(learning_rate=0.2), than rank 0",
        ),
        (
            "an_own_optimizer_on_one_rank",
            "ValueError: rank 1 of 3 has another optimizer, PlainDescent(), than rank 0, SGD(",
        ),
        (
            "an_accuracy_on_one_rank_alone",
            "ValueError: rank 1 of 3 has another accuracy, none, than rank 0, CategoricalAccuracy",
        ),
        (
            "another_loss_on_one_rank",
            "ValueError: rank 1 of 3 has another loss, MeanSquaredError(), than rank 0",
        ),
        (
            "another_regularizer_on_one_rank",
            "ValueError: rank 1 of 3 has another operation 2, Dense(16, 16, weight_regularizer_l2=",
        ),
        (
            "batch_normalization_synchronized_on_one_rank",
            "ValueError: rank 1 of 3 has another operation 2, BatchNormalization(16, synchronized=",
        ),
        (
            "other_validation_data_on_one_rank",
            "ValueError: rank 1 of 3 has another number of validation samples, 30, than rank 0, 20",
        ),
        ("a_figure_that_is_not_recorded", "ValueError: rank 1 of 3: EarlyStopping cannot monitor"),
        ("a_communicator_that_is_none", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("something_like_a_communicator", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("a_communicator_between_groups", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("shards_without_a_communicator", "ValueError: sharded=True needs a communicator"),
        ("an_error_of_another_type", "RuntimeError: rank 1 of 3: KeyError: 'mine'"),
        ("a_stream_that_is_shorter_on_one_rank", "BatchError: rank 1 of 3 has fewer batches"),
    ],
)
def test_what_does_not_fit_on_one_rank_is_raised_on_all(
    told: dict[str, list[Any]], story: str, message: str
) -> None:
    assert same_for_all(told[story]).startswith(message)


def test_a_rank_that_is_in_no_group_is_told_so_and_the_others_train(
    told: dict[str, list[Any]],
) -> None:
    accounts = told["a_null_communicator"]
    for first, _ in accounts:
        assert first.startswith("ValueError: communicator is MPI.COMM_NULL")
    assert [second.split(":")[0] for _, second in accounts] == ["accepted"] * 2 + ["ValueError"]


# How it ends


def test_all_ranks_diverge_together_and_return_to_the_last_epoch(
    told: dict[str, list[Any]],
) -> None:
    found = same_for_all(told["divergence"])
    assert found["message"].startswith("rank 0 of 3: the loss became nan in epoch 1, the first")
    assert np.isfinite(found["parameters"]).all()


def test_early_stopping_stops_all_ranks_where_it_stops_a_single_process(
    told: dict[str, list[Any]],
) -> None:
    alone = told["early_stopping"][0]["alone"]
    found = same_for_all([account["together"] for account in told["early_stopping"]])
    assert found["stopped"] == alone["stopped"] != ""
    assert (found["epochs"], found["steps"]) == (alone["epochs"], alone["steps"])
    np.testing.assert_allclose(found["parameters"], alone["parameters"], atol=1e-12)


def test_all_ranks_end_with_what_the_early_stopping_of_rank_0_restored(
    told: dict[str, list[Any]],
) -> None:
    by_first, by_second, by_all = same_for_all(told["restored_by_one_rank"])
    assert by_first == by_all
    assert by_second["epochs"] == by_all["epochs"] < 50
    assert by_second["parameters"] != by_all["parameters"]


def test_one_rank_can_stop_all_after_the_same_batch(told: dict[str, list[Any]]) -> None:
    found = same_for_all(told["stopped_by_one_rank"])
    assert (found["stopped"], found["steps"], found["epochs"]) == ("enough", 3, 0)


@pytest.mark.parametrize("story", ["interrupted_on_one_rank", "terminated_on_one_rank"])
def test_a_signal_to_one_rank_stops_all_and_rank_0_warns(
    told: dict[str, list[Any]], story: str
) -> None:
    warned = [account.pop("warnings") for account in told[story]]
    found = same_for_all(told[story])
    assert (found["stopped"], found["steps"], found["epochs"]) == ("interrupted", 3, 0)
    assert [len(messages) for messages in warned] == [1, 0, 0]
    assert "training was interrupted in epoch 1, after batch 3 of 6" in warned[0][0]


def test_rank_0_alone_prints(output: tuple[int, str, str], told: dict[str, list[Any]]) -> None:
    _, printed, errors = output
    assert told["printed"] == [2, 2, 2]
    assert [line.split(",")[0] for line in printed.splitlines()[:-1]] == ["epoch: 1", "epoch: 2"]
    assert not errors


# What goes into it


def test_each_rank_drops_out_by_a_stream_of_its_own_and_all_can_be_repeated(
    told: dict[str, list[Any]],
) -> None:
    masks = [mask for account in told["dropout"] for mask in account["masks"]]
    assert len({str(mask) for mask in masks}) == len(masks) == 3 * 2 * 2
    assert [account["ranks"] for account in told["dropout"]] == [[0, 3], [1, 3], [2, 3]]
    first, again = same_for_all([account["parameters"] for account in told["dropout"]])
    assert first == again


@pytest.mark.parametrize("story", ["samples_of_all", "samples_of_shards"])
def test_each_sample_is_read_once_an_epoch_and_by_one_rank(
    told: dict[str, list[Any]], story: str
) -> None:
    seen = told[story]
    assert sorted(number for numbers in seen for number in numbers) == list(range(60))
    assert max(map(len, seen)) - min(map(len, seen)) <= 9  # one for each batch
    assert all(numbers != sorted(numbers) for numbers in seen)
    if story == "samples_of_shards":
        assert [sorted(numbers) for numbers in seen] == [list(range(r, 60, 3)) for r in range(3)]


@pytest.mark.parametrize("story", ["shards", "streams", "one_stream_for_all", "a_mapped_file"])
def test_data_of_any_kind_train_as_in_a_single_process_with_the_same_batches(
    told: dict[str, list[Any]], story: str
) -> None:
    assert told[story][0] < 1e-12


def test_compiled_operations_train_together_like_plain_ones_alone(
    told: dict[str, list[Any]],
) -> None:
    if told["compiled"][0] is None:
        pytest.skip("numba is not installed: no compiled operations on several ranks")
    assert told["compiled"][0] < 1e-12


@pytest.mark.parametrize("story", ["interrupted_shards", "interrupted_dropout"])
def test_ranks_go_on_amid_an_epoch_with_the_samples_and_masks_that_were_left(
    told: dict[str, list[Any]], story: str
) -> None:
    at_once, resumed = same_for_all(told[story])
    assert at_once == resumed


def test_shards_do_not_go_on_with_another_number_of_ranks(told: dict[str, list[Any]]) -> None:
    for ranks, account in zip((2, 2, 1), told["shards_of_fewer_ranks"], strict=True):
        assert account.startswith("SavedFileError: ")
        expected = f"number of ranks with data of their own (sharded=True): 3 there, {ranks} here"
        assert account.endswith(expected)


def test_statistics_of_each_ranks_own_batches_are_averaged(told: dict[str, list[Any]]) -> None:
    accounts = told["statistics_of_each_rank"]
    running = same_for_all([account["running"] for account in accounts])
    own = [account["own"] for account in accounts]
    counts = [account["samples"] for account in accounts]
    np.testing.assert_allclose(running, np.average(own, axis=0, weights=counts), atol=1e-9)


def test_an_accuracy_learns_from_the_same_targets_on_all_ranks(
    told: dict[str, list[Any]],
) -> None:
    assert same_for_all(told["precision"]) > 0


# Faults


def resumed(folder: Path, ranks: int, *arguments: str, **options: Any) -> tuple[int, str]:
    """Run ``jobs/resumed.py`` and return its status and what it said of errors."""
    module = ["-m", "tests.framework.training.distributed.jobs.resumed"]
    if "early" in arguments:  # what a script does itself is watched by mpi4py
        module = ["-m", "mpi4py", *module]
    job = start(ranks, *module, str(folder), *arguments, **options)
    status, _, errors = finish(job, seconds=30)
    return status, errors


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


def test_ctrl_c_ends_all_ranks_after_a_batch_and_they_go_on_from_there(tmp_path: Path) -> None:
    job = start(
        3, "-m", "tests.framework.training.distributed.jobs.resumed", str(tmp_path), "endless"
    )
    path = tmp_path / "rank-0/run.safetensors"
    patience = time.monotonic() + 30
    while not path.exists() and time.monotonic() < patience:
        time.sleep(0.1)
    job.send_signal(signal.SIGINT)
    status, _, errors = finish(job, seconds=30)
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
    folder = tmp_path_factory.mktemp("uninterrupted")
    run(folder, "", False, None)
    return np.load(folder / "end.npz")


@pytest.mark.parametrize("ranks", [2, 4])
def test_a_killed_job_goes_on_with_any_number_of_ranks_and_ends_the_same(
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


def test_with_dropout_a_killed_job_goes_on_exactly_with_as_many_ranks(tmp_path: Path) -> None:
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


# The command line


def test_the_command_line_trains_on_all_ranks_and_speaks_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "mnist", mnist_files(train=300, test=60))
    options = ["mnist", "--directory", str(tmp_path), "--epochs", "2", "--quiet"]
    outputs = [tmp_path / "single.png", tmp_path / "together.png"]
    assert main([*options, "--output", str(outputs[0])]) == 0
    status, printed, errors = finish(
        start(2, "-m", "framework", *options, "--output", str(outputs[1]))
    )
    assert (status, errors) == (0, "")
    assert printed == capsys.readouterr().out.replace("single.png", "together.png")
    assert matplotlib.image.imread(outputs[1]).shape == matplotlib.image.imread(outputs[0]).shape


def test_an_error_of_the_command_line_is_told_once_and_ends_all_ranks() -> None:
    status, _, errors = finish(start(2, "-m", "framework", "mnist", "--directory", "nowhere"))
    assert status != 0
    (line,) = [line for line in errors.splitlines() if line.startswith("dinputs: error")]
    assert "nowhere" in line


# Several hosts


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


def test_ranks_on_two_hosts_train_fail_and_go_on_as_on_one(
    launcher_on_two_hosts: list[str], uninterrupted: Any, tmp_path: Path
) -> None:
    status, errors = resumed(tmp_path, 4, "kill", launcher=launcher_on_two_hosts)
    assert status != 0
    assert "ended the job: lost rank 1 of 4" in errors
    status, errors = resumed(tmp_path, 4, launcher=launcher_on_two_hosts)
    assert status == 0, errors
    end = np.load(tmp_path / "end.npz")
    np.testing.assert_allclose(end["parameters"], uninterrupted["parameters"], atol=1e-12)
