"""Committed pictures are drawn by the code as it is: ``python -m tests.pictures`` draws them."""

import importlib
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import (
    COMMAND,
    MARK,
    NOTEBOOKS,
    PICTURE,
    TOP,
    code_of,
    mark_of_notebook,
    mark_of_picture,
)


def test_the_readme_shows_the_picture_that_its_first_command_draws() -> None:
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[.*\]\((.*)\)", readme)[0]
    assert TOP / shown == PICTURE
    command = re.findall(r"^    (.*)$", readme, flags=re.MULTILINE)[0]
    assert command.endswith(COMMAND)


def test_the_readmes_picture_is_drawn_by_the_code_as_it_is() -> None:
    with Image.open(PICTURE) as image:
        assert image.info[MARK] == mark_of_picture()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pictures_of_a_notebook_are_drawn_by_the_code_as_it_is(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"].get(MARK) == mark_of_notebook(notebook)


def test_a_mark_depends_on_code_and_not_on_texts_about_it(tmp_path: Path) -> None:
    (tmp_path / "drawing.py").write_text(
        '"""A text."""\n\nimport math  # to draw\n\n\ndef draw(ax):  # quickly\n'
        '    """Another\n\n    text."""\n    # a comment\n    ax.plot("#", math.pi)\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        drawing = importlib.import_module("drawing")
    assert code_of(drawing) == 'def draw(ax):\nax.plot("#", math.pi)'
