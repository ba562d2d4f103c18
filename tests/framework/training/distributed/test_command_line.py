"""The command line under ``mpiexec``."""

from pathlib import Path

import matplotlib.image
import pytest

from framework.__main__ import main
from tests.datasets.files import mnist_files, write
from tests.framework.training.distributed.launch import finish, needs_mpi, start

pytestmark = needs_mpi


def test_the_command_line_trains_on_all_ranks_and_prints_once(
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


def test_an_error_of_the_command_line_is_printed_once_and_ends_all_ranks() -> None:
    status, _, errors = finish(start(2, "-m", "framework", "mnist", "--directory", "nowhere"))
    assert status != 0
    (line,) = [line for line in errors.splitlines() if line.startswith("dinputs: error")]
    assert "nowhere" in line
