"""The command that compares says what it cannot do before it measures anything."""

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from benchmarks.compare import WORKLOADS, draw, options_of
from benchmarks.growth import Growth


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
