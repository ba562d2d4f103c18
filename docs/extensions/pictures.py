"""Pictures that are drawn when the site is built, each for light and for dark pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from docs.extensions.listing import activations
from framework import plots

DRAWN = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
THEMES: dict[str, dict[str, Any]] = {"light": {}, "dark": dict.fromkeys(DRAWN, "#d0d0d0")}
STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.framealpha": 0.0,
    "svg.hashsalt": "dinputs",
    "font.size": 11,
}


def draw(folder: Path, top: Path) -> None:
    """Draw all pictures into ``folder``, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, operation in activations().items():
        _both(folder / name, (5.2, 3.2), lambda ax, op=operation: plots.activation(op, ax))
    layers = house(top)
    _both(folder / "house", (7.2, 0.42 * len(layers) + 0.2), lambda ax: _house(ax, layers))


def markup(name: str, alt: str, up: str) -> str:
    """Return the lines of reStructuredText that show a picture in the fitting theme."""
    return "".join(
        f".. image:: {up}pictures/{name}-{theme}.svg\n   :class: only-{theme}\n   :alt: {alt}\n\n"
        for theme in THEMES
    )


def _both(path: Path, size: tuple[float, float], draw_on: Callable[[Any], Any]) -> None:
    for theme, colours in THEMES.items():
        target = path.with_name(f"{path.name}-{theme}.svg")
        with mpl.rc_context(STYLE | colours):
            figure = Figure(figsize=size, layout="constrained")
            draw_on(figure.add_subplot())
            figure.savefig(target, metadata={"Date": None})


def house(top: Path) -> list[str]:
    """Return the layers of the framework from the contract that CI holds them to."""
    text = (top / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r'containers = \["framework"\].*?layers = \[(.*?)\n\]', text, re.DOTALL)
    return [re.sub(r"[()]", "", layer) for layer in re.findall(r'"([^"]+)"', listed)]


WHAT = {
    "__main__": "python -m framework",
    "commands": "the command line",
    "playground": "the page in the browser",
    "exercises": "exercises that mark themselves",
    "estimators": "scikit-learn",
    "nnfs_book": "the book's names",
    "plots": "pictures",
    "pytorch": "from and to PyTorch",
    "model": "Model: train, evaluate, save, export",
    "interchange": "ONNX",
    "training": "loop, callbacks, history, checkpoint",
    "accelerated": "compiled kernels",
    "inspection": "gradient check, diagnosis, trace",
    "saving": "files without pickle",
    "data": "batches, sample weights",
    "containers": "operations made of operations",
    "augmentation": "random changes of images",
    "utils": "random numbers, files, threads",
}


def _house(ax: Any, layers: list[str]) -> None:
    """Draw the layers on top of each other; imports go down."""
    colour = mpl.rcParams["text.color"]
    for place, layer in enumerate(reversed(layers)):
        names = " · ".join(part.strip() for part in layer.split(":"))
        ax.add_patch(
            mpl.patches.FancyBboxPatch(
                (0, place),
                10,
                0.8,
                boxstyle="round,pad=0,rounding_size=0.15",
                facecolor=plots.COLOURS[0],
                alpha=0.12 + 0.02 * (place % 2),
                edgecolor=colour,
            )
        )
        ax.text(0.2, place + 0.38, names, va="center", family="monospace", fontsize=9)
        what = WHAT.get(layer.strip(), "")
        ax.text(9.8, place + 0.38, what, va="center", ha="right", fontsize=9)
    ax.annotate(
        "imports",
        (10.6, 0.3),
        (10.6, len(layers) - 0.3),
        arrowprops={"arrowstyle": "->", "color": colour},
        ha="center",
        rotation=0,
        fontsize=9,
    )
    ax.set(xlim=(-0.1, 11.2), ylim=(-0.2, len(layers) + 0.2))
    ax.axis("off")
