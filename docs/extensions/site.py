"""The Sphinx extension of this site: it writes the pages of the API before Sphinx reads them.

| module | contents |
|---|---|
| ``listing`` | the public names, sorted as the packages are |
| ``docstrings``, ``formulas`` | docstrings on their way to the site |
| ``pictures`` | what is drawn at build |
"""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

from docs.extensions import docstrings, pictures
from docs.extensions.listing import Section, activations, sections

DOCS = Path(__file__).parent.parent
TOP = DOCS.parent
# What is written at build; none of it is committed.
API, NOTEBOOKS, LESSONS = DOCS / "api", DOCS / "notebooks", DOCS / "course" / "lessons"
PICTURES = DOCS / "pictures"


def setup(app: Any) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_pages)
    # Before napoleon, which is connected with 500.
    app.connect("autodoc-process-docstring", docstrings.process, priority=400)
    app.connect("autodoc-process-signature", docstrings.signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(app: Any) -> None:
    """Write the pages of the API, the pictures, and copies of the notebooks."""
    for folder in (API, NOTEBOOKS, LESSONS):
        shutil.rmtree(folder, ignore_errors=True)
    pictures.draw(PICTURES, TOP)
    found = sections()
    _write(API / "index.rst", _index(found))
    for section in found:
        _write(API / section.folder / "index.rst", _listing(section))
        for name in section.classes():
            _write(API / section.folder / f"{name}.rst", _class(section, name))
    _notebooks(TOP / "notebooks", NOTEBOOKS)
    _notebooks(TOP / "notebooks" / "course", LESSONS)


def _notebooks(source: Path, target: Path) -> None:
    for notebook in sorted(source.glob("*.ipynb")):
        _write(target / notebook.name, notebook.read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _index(found: list[Section]) -> str:
    lines = [*_title("API"), "Every public name, sorted as the packages are.", ""]
    lines += [".. toctree::", "   :maxdepth: 2", ""]
    lines += [f"   {section.folder}/index" for section in found]
    return "\n".join(lines) + "\n"


def _listing(section: Section) -> str:
    """Return the page that lists a section."""
    lines = [*_title(section.title), section.summary, ""]
    lines += [f"Import them from ``{section.module}``.", ""]
    if section.classes():
        lines += [".. toctree::", "   :hidden:", ""]
        lines += [f"   {name}" for name in section.classes()] + [""]
    if not section.together:
        lines += [f".. currentmodule:: {section.module}", ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in section.names] + [""]
    for name in section.others():
        lines += _entry(section, name)
    return "\n".join(lines) + "\n"


def _class(section: Section, name: str) -> str:
    """Return the page of a class."""
    lines = _title(name)
    if name in activations() and section.module == "framework":
        lines += [pictures.markup(name, f"{name} and its derivative", "../../")]
    lines += _entry(section, name, members=True)
    return "\n".join(lines) + "\n"


def _entry(section: Section, name: str, members: bool = False) -> list[str]:
    value = section.get(name)
    kind = "data"
    if isinstance(value, type):
        kind = "exception" if issubclass(value, BaseException) else "class"
    elif callable(value):
        kind = "function"
    lines = [f".. auto{kind}:: {section.module}.{name}"]
    if isinstance(value, type):
        if "__orig_bases__" not in vars(value):  # those of a generic base are spelled out
            lines += ["   :show-inheritance:"]
        if (members or section.together) and (shown := _members(value, inherited=members)):
            lines += [f"   :members: {shown}"]
    return [*lines, ""]


def _members(cls: type, inherited: bool) -> str:
    """Return the members to show: of a model or an estimator, those of our base classes too."""
    if not (inherited and hasattr(cls, "predict")):
        own = vars(cls)
        return ", ".join(name for name in own if _shown(cls, name))
    ours = [base for base in cls.__mro__ if base.__module__.startswith("framework.")]
    names = dict.fromkeys(name for base in ours for name in vars(base))
    return ", ".join(name for name in names if _shown(cls, name))


def _shown(cls: type, name: str) -> bool:
    value = inspect.getattr_static(cls, name)
    shown = inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod, property))
    return shown and name[0] != "_" and name != "kink_sides"


def _title(text: str) -> list[str]:
    return [text, "=" * len(text), ""]
