"""All pictures: matplotlib is imported late, no display is needed."""

import os
import subprocess
import sys
from typing import Any

import pytest
from matplotlib.figure import Figure

from framework import (
    History,
    Tanh,
    plots,
)


def run(program: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment.pop("MPLBACKEND", None)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
    )


def test_importing_the_framework_does_not_import_matplotlib() -> None:
    done = run("import framework.plots, sys; assert 'matplotlib' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_pictures_need_no_display() -> None:
    done = run(
        "from framework import Tanh, plots\n"
        "plots.activation(Tanh()).figure.savefig('/dev/null', format='png')"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.activation(Tanh(), ax),
        lambda ax: plots.confusion_matrix([0, 1], [0, 1], ax=ax),
        lambda ax: plots.learning_curves(History(loss=[1.0]), ax),
    ],
)
def test_pictures_are_drawn_on_the_axes_given(draw: Any) -> None:
    ax = Figure().subplots()
    assert draw(ax) is ax
    assert ax.has_data()
