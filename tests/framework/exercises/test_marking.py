"""A file is marked in a process of its own, whatever its code does by accident."""

import os
import time
from pathlib import Path

import pytest

from framework import exercises
from framework.exercises import Report, mark

RELU = exercises.get("relu")
RIGHT = f"# Exercise: relu\n{RELU.solution}"


def marked(folder: Path, text: str, **options: float) -> tuple[Report, str]:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return mark(path, **options)


def test_a_right_answer(tmp_path: Path) -> None:
    report, printed = marked(tmp_path, RIGHT)
    report.assert_passed()
    assert report.points == RELU.max_points
    assert printed == ""
    assert report.subject == "relu"


def test_the_exercise_is_told_by_the_file_its_name_or_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "relu.py"
    path.write_text(RELU.solution)
    assert mark(path)[0].passed
    assert mark(path, "relu")[0].passed
    assert not mark(path, "sigmoid")[0].passed
    with pytest.raises(ValueError, match="no exercise 'other'"):
        mark(path, "other")
    with pytest.raises(FileNotFoundError):
        mark(tmp_path / "missing.py")


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("while True:\n    pass\n", "not finished after 2 seconds, it was at line"),
        ("while True:\n    print('on and on')\n", "not finished after 2 seconds"),
        ("import sys\nsys.exit(3)\n", "the program was ended, by sys.exit"),
        ("quit()\n", "the program was ended, by sys.exit"),
        ("import os\nos._exit(0)\n", "the process ended with status 0 before it was marked"),
        ("raise RuntimeError('no')\n", "`raise RuntimeError('no')`: RuntimeError: no"),
        ("def f(:\n", "SyntaxError"),
        ("name = input('your name? ')\n", "remove input()"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
        ("def again():\n    return again()\nagain()\n", "calls itself without end"),
        ("x = bytearray(10**11)\n", "MemoryError"),
        ("\x00", "null bytes"),
        ("raise KeyboardInterrupt\n", "`raise KeyboardInterrupt`: KeyboardInterrupt"),
        ("raise GeneratorExit\n", "`raise GeneratorExit`: GeneratorExit"),
    ],
)
def test_an_accident_is_told_and_ends_nothing_else(tmp_path: Path, added: str, told: str) -> None:
    report, _ = marked(tmp_path, RIGHT + added, time_limit=2)
    assert not report.passed
    assert told in str(report)
    assert (report.points, report.max_points) == (0, RELU.max_points)


def test_an_exercise_of_ones_own(tmp_path: Path) -> None:
    text = (Path(exercises.__file__).parent / "texts" / "relu.md").read_text(encoding="utf-8")
    own = tmp_path / "mine.md"
    own.write_text(text.replace("# ReLU, forward and back", "# My ReLU"), encoding="utf-8")
    answer = tmp_path / "answer.py"
    answer.write_text(RELU.solution)
    report, _ = mark(answer, str(own))
    report.assert_passed()
    assert report.subject == "mine"
    assert exercises.get(str(own)).title == "My ReLU"
    with pytest.raises(FileNotFoundError):
        exercises.get(str(tmp_path / "other.md"))


def test_an_endless_loop_in_a_method_is_told_with_its_line(tmp_path: Path) -> None:
    loop = RIGHT.replace(
        "        self.output = np",
        "        while True:\n            pass\n        self.output = np",
    )
    began = time.monotonic()
    report, _ = marked(tmp_path, loop, time_limit=1)
    lines = loop.splitlines()
    places = [lines.index("        while True:") + 1, lines.index("            pass") + 1]
    message = report.checks[0].message
    assert any(f"it was at line {place} in forward" in message for place in places)
    assert time.monotonic() - began < 60


def test_an_exception_is_told_with_its_line(tmp_path: Path) -> None:
    report, _ = marked(tmp_path, RIGHT.replace("dvalues * (", "dvalue * ("))
    line = RELU.solution.splitlines().index("        self.dinputs = dvalues * (self.inputs > 0)")
    assert f"mine.py, line {line + 2} in backward" in str(report)
    assert "NameError" in str(report)


def test_what_it_prints_is_kept_and_cut(tmp_path: Path) -> None:
    report, printed = marked(tmp_path, RIGHT + "print('hello')\n")
    assert report.passed
    assert printed == "hello\n"
    report, printed = marked(tmp_path, RIGHT + "print('x' * 1_000_000)\n")
    assert report.passed
    assert 1000 < len(printed) < 3000
    assert printed.endswith("…")


def test_the_main_block_is_not_run_and_neighbours_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import numpy as np\nzero = 0.0\n")
    text = "from helpers import zero\n" + RIGHT.replace("maximum(0,", "maximum(zero,")
    report, printed = marked(tmp_path, text + "if __name__ == '__main__':\n    print('main')\n")
    report.assert_passed()
    assert printed == ""


def test_a_file_named_like_a_library_stands_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not this one')\n")
    report, _ = marked(tmp_path, RIGHT)
    report.assert_passed()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_processes_that_it_leaves_behind_are_ended(tmp_path: Path) -> None:
    left = tmp_path / "left.txt"
    text = (
        "import os, time\nif os.fork() == 0:\n"
        f"    open({str(left)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
        f"while not os.path.exists({str(left)!r}) or not os.path.getsize({str(left)!r}):\n"
        "    time.sleep(0.01)\n"
    )
    marked(tmp_path, RIGHT + text)
    status = Path(f"/proc/{left.read_text()}/status")
    deadline = time.monotonic() + 20
    while status.exists() and "Z (zombie)" not in status.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "from framework import ReLU\n",
        "import framework\n\n\nclass ReLU(framework.ReLU):\n    pass\n",
        "from framework.activations.relu import ReLU as Other\nReLU = Other\n",
    ],
)
def test_the_librarys_own_class_is_no_answer(tmp_path: Path, text: str) -> None:
    report, _ = marked(tmp_path, f"# Exercise: relu\n{text}")
    assert (report.points, report.max_points) == (0, RELU.max_points)
    assert "ReLU is that of this library, framework.activations.relu" in str(report)


def test_an_easier_exercise_is_not_marked_in_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "relu.py"
    path.write_text(f"# Exercise: neuron\n{exercises.get('neuron').solution}")
    with pytest.raises(ValueError, match=r"answers another, neuron: .* --exercise relu or"):
        mark(path)
    assert mark(path, "neuron")[0].passed
    assert "there is no ReLU" in str(mark(path, "relu")[0])


@pytest.mark.parametrize(
    ("head", "encoding"),
    [("", "utf-8-sig"), ("# coding: latin-1\n", "latin-1"), ("", "utf-8")],
)
def test_encodings_that_python_reads(tmp_path: Path, head: str, encoding: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{head}{RIGHT}# naïve\nprint('é')\n", encoding=encoding)
    report, printed = mark(path)
    report.assert_passed()
    assert printed == "é\n"


@pytest.mark.parametrize(
    ("head", "encoding", "told"),
    [
        ("", "latin-1", "mine.py, line 12: SyntaxError: a character is not in the encoding utf-8"),
        ("# coding: utf-8\n", "latin-1", "SyntaxError: a character is not in the encoding utf-8"),
        ("# coding: nothing\n", "utf-8", "SyntaxError: unknown encoding"),
        ("", "utf-16", "SyntaxError"),
    ],
)
def test_encodings_that_python_refuses(tmp_path: Path, head: str, encoding: str, told: str) -> None:
    path = tmp_path / "mine.py"
    text = RIGHT.replace("# Exercise", f"{head}# Exercise")
    path.write_text(f"{text}# naïve\n", encoding=encoding)
    report, _ = mark(path, "relu")
    assert told in str(report)
    assert (report.points, report.max_points) == (0, RELU.max_points)
