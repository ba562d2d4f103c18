"""Draws the README's picture and the notebooks anew where the code that draws them has changed.

    python -m tests.pictures            # what was drawn by other code than that of today
    python -m tests.pictures --all

Each carries a mark: the README's picture in its file, a notebook in its metadata. The mark is a
fingerprint of the modules that draw it, without docstrings, comments and imports. Pixels are not
compared, since they differ between versions of matplotlib. The notebooks on images need the real
data, in the folder that ``DINPUTS_DATA`` names, and some minutes each.
"""

import ast
import copy
import hashlib
import inspect
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from framework import plots
from framework.__main__ import main as dinputs
from framework.commands import spiral
from framework.plots import labels
from framework.training import learning_curves
from framework.utils import figures

TOP = Path(__file__).parent.parent
PICTURE = TOP / "notebooks" / "spiral.png"
COMMAND = "python -m framework spiral"
NOTEBOOKS = sorted((TOP / "notebooks").glob("*.ipynb"))
MARK = "drawn by"


def code_of(module: ModuleType) -> str:
    """Return the lines of a module without docstrings, comments, imports and empty lines."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or isinstance(node, (ast.Import, ast.ImportFrom)):
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[line] = ""
    kept = (re.sub(r"(^|  )#.*", "", line).strip() for line in lines)
    return "\n".join(line for line in kept if line)


def fingerprint(modules: Iterable[ModuleType]) -> str:
    text = "\n".join(code_of(module) for module in sorted(modules, key=lambda m: m.__name__))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mark_of_picture() -> str:
    """Return the mark that the README's picture should have."""
    boundaries = sys.modules[plots.decision_boundary.__module__]
    return f"{COMMAND}, {fingerprint([figures, labels, boundaries, learning_curves, spiral])}"


def mark_of_notebook(notebook: dict[str, Any]) -> str | None:
    """Return the mark that a notebook should have, None if ``plots`` draws nothing in it."""
    cells = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code = "\n".join("".join(cell["source"]) for cell in cells)
    used = {name for name in plots.__all__ if re.search(rf"\bplots\.{name}\(", code)}
    if re.search(r"history\.plot\(", code):
        used.add("learning_curves")
    modules = {sys.modules[getattr(plots, name).__module__] for name in used}
    return fingerprint({figures, labels} | with_helpers(modules)) if used else None


def with_helpers(modules: set[ModuleType]) -> set[ModuleType]:
    """Return ``modules`` and those of ``plots`` that they import functions from."""
    names = {
        getattr(value, "__module__", None) for module in modules for value in vars(module).values()
    }
    return modules | {
        sys.modules[name] for name in names if str(name).startswith("framework.plots.")
    }


def draw_picture() -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    dinputs([*COMMAND.split()[3:], "--quiet", "--output", str(PICTURE)])
    marks = PngInfo()
    marks.add_text(MARK, mark_of_picture())
    with Image.open(PICTURE) as image:
        image.convert("RGB").save(PICTURE, pnginfo=marks, optimize=True)


def run(path: Path) -> None:
    """Execute a notebook from top to bottom, and store its outputs and its mark."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    metadata = copy.deepcopy(dict(notebook.metadata))  # running it adds facts about the machine
    folder = {"metadata": {"path": str(path.parent)}}
    options = {"timeout": 1800, "record_timing": False, "coalesce_streams": True}
    NotebookClient(notebook, resources=folder, **options).execute()
    metadata.pop(MARK, None)
    mark = mark_of_notebook(notebook)
    notebook.metadata = nbformat.from_dict(metadata | ({MARK: mark} if mark else {}))
    nbformat.write(notebook, path)


def main() -> None:
    import nbformat
    from PIL import Image

    everything = "--all" in sys.argv[1:]
    # Notebooks choose how they show pictures, unless the environment does.
    os.environ.pop("MPLBACKEND", None)
    os.environ["PYTHONPATH"] = str(TOP)
    with Image.open(PICTURE) as image:
        drawn_by = image.info.get(MARK)
    if everything or drawn_by != mark_of_picture():
        draw_picture()
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        if everything or notebook.metadata.get(MARK) != mark_of_notebook(notebook):
            print(path.name, flush=True)
            run(path)


if __name__ == "__main__":
    main()
