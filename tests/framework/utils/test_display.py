"""Scripts that draw and neither show nor save: what their user sees when they end.

Each runs in a process of its own, with a display (a backend made up here, which prints what it is
asked to show) or without one (Agg).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
DISPLAY = """
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

class FigureManager(FigureManagerBase):
    def show(self):
        pass

    @classmethod
    def pyplot_show(cls, *, block=None):
        import matplotlib.pyplot as plt
        for number in plt.get_fignums():
            figure = plt.figure(number)
            figure.canvas.draw()  # as the event loop of a window does
            print("SHOWN", *(ax.get_title() for ax in figure.axes))

class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager
"""
BEFORE = "from framework import Dense, History, plots\nhistory = History(loss=[2.0, 1.0])\n"
ADVICE = (
    "A picture was drawn but not shown, since there is no display. To save it: "
    'import matplotlib.pyplot as plt; plt.savefig("picture.png")\n'
)
# What a display shows in the end.
SHOWING = {
    "history.plot()": "SHOWN learning curves\n",
    "history.plot(); print('last line')": "last line\nSHOWN learning curves\n",
    "history.plot().set_title('changed')": "SHOWN changed\n",
    "plots.image_grid([[[1.0]]], [0])": "SHOWN 0\n",
    "def draw():\n    history.plot()\ndraw()": "SHOWN learning curves\n",
}
SEEN = [
    "plots.image_grid([[[1.0]]], [0]); import matplotlib.pyplot as plt; plt.savefig('a.png')",
    "history.plot().figure.savefig('a.png')",
    "history.plot().figure.savefig('a.pdf')",
    "import matplotlib.pyplot as plt; history.plot(); plt.close()",
    "import matplotlib.pyplot as plt; ax = history.plot(); plt.close(); plt.figure()",
    "from matplotlib.figure import Figure; plots.learning_curves(history, Figure().subplots())",
    "import matplotlib.pyplot as plt; plots.learning_curves(history, plt.subplots()[1])",
]


def run(script: str, backend: str, folder: Path) -> tuple[str, str]:
    """Return what a script prints, and what it says on stderr."""
    (folder / "display.py").write_text(DISPLAY, encoding="utf-8")
    (folder / "script.py").write_text(BEFORE + script, encoding="utf-8")
    path = os.pathsep.join([str(TOP), str(folder)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": backend},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("script", SHOWING)
def test_a_display_shows_the_picture_when_the_script_ends(script: str, tmp_path: Path) -> None:
    assert run(script, "module://display", tmp_path) == (SHOWING[script], "")


def test_without_a_display_one_line_says_how_to_save_it(tmp_path: Path) -> None:
    assert run("history.plot(); history.plot()", "agg", tmp_path) == ("", ADVICE)


def test_the_advice_works(tmp_path: Path) -> None:
    assert run(ADVICE.partition(": ")[2], "agg", tmp_path) == ("", "")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("backend", ["agg", "module://display"])
@pytest.mark.parametrize("script", SEEN)
def test_of_pictures_that_were_seen_or_are_the_users_own_nothing_is_said(
    script: str, backend: str, tmp_path: Path
) -> None:
    assert run(script, backend, tmp_path) == ("", "")


def test_a_picture_that_was_shown_is_not_shown_twice(tmp_path: Path) -> None:
    script = "import matplotlib.pyplot as plt; history.plot(); plt.show()"
    assert run(script, "module://display", tmp_path) == ("SHOWN learning curves\n", "")


@pytest.mark.parametrize("backend", ["agg", "module://display"])
def test_at_a_prompt_or_in_a_notebook_nothing_is_added(backend: str, tmp_path: Path) -> None:
    # Python's prompt and IPython, which runs notebooks, both set sys.ps1.
    script = "import sys; sys.ps1 = '>>> '; history.plot()"
    assert run(script, backend, tmp_path) == ("", "")


@pytest.mark.parametrize("backend", ["agg", "module://display"])
def test_what_a_library_or_a_test_draws_is_its_own_affair(backend: str, tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(BEFORE + "def draw():\n    history.plot()\n")
    assert run("import library; library.draw()", backend, tmp_path) == ("", "")


@pytest.mark.parametrize("backend", ["agg", "module://display"])
def test_a_script_that_fails_shows_its_error_and_no_window(backend: str, tmp_path: Path) -> None:
    printed, said = run("history.plot(); 1 / 0", backend, tmp_path)
    assert printed == ""
    assert said.splitlines()[-1] == "ZeroDivisionError: division by zero"
