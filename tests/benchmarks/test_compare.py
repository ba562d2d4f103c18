"""The command that compares says what it cannot do before it measures anything."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from benchmarks.compare import WORKLOADS, draw, options_of
from benchmarks.growth import Growth
from benchmarks.peers import Plain
from benchmarks.peers.products import operations_of_step
from benchmarks.turns import busy_program, in_turn, trainings
from benchmarks.workloads import Workload


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workloads", "9"], "invalid choice: 9"),
        (["--workloads", "0"], "invalid choice: 0"),
        (["--quick", "--workloads", "7"], "--quick has no time for CIFAR"),
        (["--quick", "--peers", "torch.compile"], "--quick leaves out torch.compile"),
        (["--repetitions", "0"], "--repetitions must be at least 1, received 0"),
        (["--picture", "no such folder/x.png"], "there is no folder no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_measured_is_refused_in_words(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options_of(arguments)
    assert message in capsys.readouterr().err


def test_all_is_measured_unless_told_otherwise_and_less_in_a_short_pass() -> None:
    assert options_of(["--peers", "dinputs"]).workloads == list(WORKLOADS)
    quick = options_of(["--quick", "--peers", "dinputs"])
    assert quick.repetitions == 1
    assert {workload.batches for workload in quick.workloads} == {5}


def test_the_picture_has_a_plot_for_each_part_that_was_measured(tmp_path: Path) -> None:
    steps = {"spiral 2-64-3, batch 128": {"products": 22.0, "dinputs": 174.0}}
    growth = {"width": Growth("width", (16, 64), {"dinputs": [1.0, 2.0]})}
    shapes = set()
    for number, parts in enumerate(((steps, growth), (steps, {}), ({}, growth))):
        path = tmp_path / f"{number}.png"
        draw(*parts, path)
        shapes.add(path.stat().st_size)
    assert len(shapes) == 3


def test_the_arithmetic_of_a_step_is_that_of_its_products() -> None:
    # Forward 5·2·3 and 5·3·4; for the weights the same; for the inputs of the second layer 5·4·3.
    multiplications = 30 + 60 + 30 + 60 + 60
    assert operations_of_step(Workload("small", (2, 3, 4), 5, 1)) == 2 * multiplications


def test_a_training_in_a_process_of_its_own_computes_the_same() -> None:
    workload = replace(WORKLOADS[0], batches=3)
    with trainings(["dinputs"], workload) as (training,):
        assert training.loss() == Plain(workload, *workload.data()).train(3, shuffle=False)
        assert training.train(1) > 0
        assert training.predict(samples=2, calls=1) > 0


def test_those_that_take_turns_are_measured_once_in_every_round() -> None:
    seconds = {"a": iter([9.0, 1.0, 2.0, 7.0]), "b": iter([9.0, 5.0, 4.0, 3.0])}
    works = {name: numbers.__next__ for name, numbers in seconds.items()}
    assert in_turn(works, 3) == {"a": 2.0, "b": 4.0}  # medians, without the first round


def test_the_busy_program_ends_with_its_block() -> None:
    with busy_program() as process:
        assert process.poll() is None
    assert process.poll() is not None
