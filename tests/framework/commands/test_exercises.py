"""The command ``exercises``."""

import json
from pathlib import Path

import pytest

from framework import exercises
from framework.__main__ import main


@pytest.fixture(autouse=True)
def in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercises", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [e.name for e in exercises.all()]
    assert "10 min  ReLU, forward and back" in "\n".join(lines)


def test_one_is_started_failed_and_solved(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercises", "start", "relu"]) == 0
    printed = capsys.readouterr().out
    assert "The rectified linear unit passes what is positive" in printed
    assert "python -m framework exercises check relu.py" in printed

    assert main(["exercises", "check", "relu.py"]) == 1
    assert "relu: not right yet, 0 of 13 points" in capsys.readouterr().out

    assert main(["exercises", "solution", "relu"]) == 0
    Path("relu.py").write_text(capsys.readouterr().out + "print('done')\n")
    assert main(["exercises", "check", "relu.py"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Your code printed:\ndone\n\nrelu: right, 13 of 13 points\n")


def test_an_answer_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("relu.py").write_text("mine")
    assert main(["exercises", "start", "relu"]) == 1
    assert "--force" in capsys.readouterr().err
    assert Path("relu.py").read_text() == "mine"
    assert main(["exercises", "start", "relu", "--force"]) == 0
    assert main(["exercises", "start", "relu", "--output", "again.py"]) == 0
    assert Path("again.py").read_text() == Path("relu.py").read_text() != "mine"


def test_hints_open_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    hints = exercises.get("relu").hints
    for count in (1, 2, 3, 3):
        assert main(["exercises", "hint", "relu"]) == 0
        printed = capsys.readouterr().out
        assert [hint in printed for hint in hints] == [place < count for place in range(3)]
        assert ("exercises solution relu" in printed) == (count == 3)
    assert main(["exercises", "hint", "dense"]) == 0
    assert exercises.get("dense").hints[1] not in capsys.readouterr().out
    Path(".exercises.json").write_text("{damaged")
    assert main(["exercises", "hint", "relu"]) == 0
    assert hints[1] not in capsys.readouterr().out


def test_a_report_for_a_grading_server(capsys: pytest.CaptureFixture[str]) -> None:
    exercise = exercises.get("sigmoid")
    wrong = exercise.solution.replace("(1 - self.output)", "(1 + self.output)")
    Path("a.py").write_text(wrong + "print('hello')\n")
    assert main(["exercises", "check", "a.py", "--exercise", "sigmoid", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["exercise"], found["passed"], found["printed"]) == ("sigmoid", False, "hello\n")
    assert 0 < found["points"] < found["max_points"] == exercise.max_points
    assert found["points"] == sum(check["points"] for check in found["checks"])
    assert found["max_points"] == sum(check["max_points"] for check in found["checks"])
    assert found["hints"][0] == "the derivative is output * (1 − output), with a minus"


def test_a_time_limit(capsys: pytest.CaptureFixture[str]) -> None:
    Path("relu.py").write_text("while True:\n    pass\n")
    assert main(["exercises", "check", "relu.py", "--time-limit", "1"]) == 1
    assert "not finished after 1 seconds" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["exercises", "check", "relu.py", "--time-limit", "0"])


@pytest.mark.parametrize("arguments", [["start", "relo"], ["hint", "relo"], ["check", "no.py"]])
def test_what_is_not_there_is_an_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exercises", *arguments]) == 1
    assert capsys.readouterr().err.startswith("dinputs: error: there is no ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no.py"], "there is no file"),
        (["relu.py", "--exercise", "relo"], "did you mean relu"),
        (["relu.py"], "answers another, neuron"),
        (["relu.py", "--exercise", "mine.md"], "mine.md"),
        (["."], "there is no file"),
    ],
)
def test_what_cannot_be_marked_is_json_too(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("relu.py").write_text("# Exercise: neuron\n")
    assert main(["exercises", "check", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert told in json.loads(captured.out)["error"]
    assert captured.err == ""
