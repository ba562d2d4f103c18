"""The notebooks as they are committed. That they run is seen by running them: see .ci/run."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from framework import exercises

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LESSONS = sorted((FOLDER / "course").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS + LESSONS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 9
    assert len(LESSONS) == 10


def test_it_was_run_once_from_top_to_bottom(path: Path) -> None:
    counts = [cell["execution_count"] for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


def test_its_outputs_have_no_error_and_no_warning(path: Path) -> None:
    outputs = [output for cell in code_cells(path) for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data"}
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_it_tells_nothing_of_the_machine_it_was_run_on(path: Path) -> None:
    text = re.sub(r'"image/png": "[^"]*"', "", path.read_text(encoding="utf-8"))
    assert not re.search(r"/(home|root|tmp|usr|Users|opt|work)/|[A-Z]:\\\\", text)
    assert all(not cell["metadata"] for cell in code_cells(path))


def test_it_is_small_enough_to_be_read_online(path: Path) -> None:
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_aims_a_plan_exercises_and_mistakes(lesson: Path) -> None:
    text = "\n".join(
        "".join(cell["source"]) for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    )
    assert "**You will be able to**" in text
    assert "**90 minutes:**" in text
    assert "## Exercise: " in text
    assert text.count("\n- *") >= 4, "what students get wrong"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_cells_of_exercises_begin_as_the_exercises_do(lesson: Path) -> None:
    found = 0
    for cell in code_cells(lesson):
        *code, last = "".join(cell["source"]).splitlines()
        if named := re.match(r'print\(exercises\.get\("(\w+)"\)\.check\((.*)\)\)', last):
            exercise = exercises.get(named[1])
            assert named[2].split(", ") == list(exercise.defines)
            assert ast.dump(ast.parse("\n".join(code))) == ast.dump(ast.parse(exercise.start))
            found += 1
    assert found
