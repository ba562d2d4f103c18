"""The pages of the API, and the site as it is built."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

import datasets
import framework
import optimizers
from framework import exercises, metrics, nnfs_book, plots

pytest.importorskip("sphinx", reason="sphinx is not installed: no documentation")

from docs.extensions import docstrings, pictures
from docs.extensions.listing import activations, pages, public_names, sections

TOP = Path(__file__).parent.parent.parent
MODULES = (framework, optimizers, datasets, plots, exercises, metrics, nnfs_book)
MODULES += (framework.initializers, optimizers.schedules)


def test_every_public_name_is_listed_once() -> None:
    listed = [f"{section.module}.{name}" for section, name in pages()]
    assert len(listed) == len(set(listed))
    for module in MODULES:
        expected = {f"{module.__name__}.{name}" for name in public_names(module)}
        assert expected
        assert expected <= set(listed)


def test_they_are_sorted_as_the_packages_are() -> None:
    found = {section.title: section.names for section in sections()}
    assert found["Model"] == ["Model"]
    assert "Dense" in found["Layers"]
    assert "ReLU" in found["Activations"]
    assert "EarlyStopping" in found["Training"]
    assert "check_gradients" in found["Inspection"]
    assert "Adam" in found["Optimizers"]
    assert {"Operation", "Parameter", "seed"} <= set(found["Foundations"])


def processed(text: str) -> str:
    lines = text.splitlines()
    docstrings.process(None, "class", "framework.Mine", None, None, lines)
    return "\n".join(lines)


def test_a_docstring_gets_mathematics_links_and_labels() -> None:
    found = processed(
        "Computes ``output = 2 * inputs`` like ``ReLU``, not ``weights``.\n\n"
        "    dinputs = 2 * dvalues\n\n"
        "and in code\n\n    model.train(X, y)\n\nShapes: ``inputs``.\n\nSource: a book."
    )
    assert r":math:`\mathrm{output} = 2 \cdot \mathrm{inputs}`" in found
    assert ":py:obj:`ReLU <framework.ReLU>`" in found
    assert "``weights``" in found
    assert ".. math::" in found
    assert r"\mathrm{dinputs} &= 2 \cdot \mathrm{dvalues}" in found
    assert ".. code-block:: python\n\n   model.train(X, y)" in found
    assert "**Shapes:** ``inputs``." in found
    assert "**Source:** a book." in found


def test_arguments_with_several_names_are_read_one_by_one() -> None:
    found = processed(
        "Text.\n\nArgs:\n    first, second,\n        third: numbers.\n\n"
        "Attributes:\n    a, b: arrays\n        of numbers."
    )
    assert "    first, second, third: numbers." in found
    assert "    a: arrays\n        of numbers.\n    b: arrays\n        of numbers." in found


def test_the_house_is_drawn_from_the_contract() -> None:
    layers = pictures.house(TOP)
    assert layers[0] == "__main__"
    assert layers[-1] == "utils"
    assert layers.index("model") < layers.index("training") < layers.index("containers")


# The built site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site that CI has built, or one built here."""
    if folder := os.environ.get("DINPUTS_SITE"):
        return Path(folder)
    for package in ("furo", "myst_nb", "sphinx-mathjax-offline"):
        pytest.importorskip(package, reason=f"{package} is not installed: no site")
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "docs", str(target), "-W", "--keep-going", "-q"],
        cwd=TOP,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return target


def html_pages(site: Path) -> Iterator[tuple[Path, str]]:
    for page in sorted(site.rglob("*.html")):
        yield page, page.read_text(encoding="utf-8")


@pytest.mark.long
def test_every_public_name_has_its_place(site: Path) -> None:
    for section, name in pages():
        folder = site / "api" / section.folder
        page = folder / f"{name}.html" if name in section.classes() else folder / "index.html"
        text = page.read_text(encoding="utf-8")
        full = f"{section.module}.{name}"
        assert f'id="{full}"' in text or name in html.unescape(re.sub("<[^>]+>", "", text)), full


@pytest.mark.long
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = re.compile(r'<(?:script|img|iframe|link)[^>]*(?:src|href)="(https?:)?//')
    for page, text in html_pages(site):
        assert not loaded.search(text), page
    assert (site / "_static" / "mathjax" / "tex-chtml.js").is_file()
    for style in (site / "_static").rglob("*.css"):
        assert not re.search(r"url\(\"?https?:|@import", style.read_text(encoding="utf-8")), style


@pytest.mark.long
def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    anchors = {
        page.resolve(): set(re.findall(r'\bid="([^"]+)"', text)) for page, text in html_pages(site)
    }
    for page, text in html_pages(site):
        for target in re.findall(r'<a [^>]*href="([^"]+)"', text):
            if re.match(r"(https?|mailto):", target):
                continue
            path, _, anchor = unquote(html.unescape(target)).partition("#")
            place = (page.parent / path).resolve() if path else page.resolve()
            assert place.exists(), f"{page} links to {target}"
            if anchor and place.suffix == ".html":
                assert anchor in anchors[place], f"{page} links to {target}"


@pytest.mark.long
def test_formulas_are_mathematics_and_every_activation_has_its_picture(site: Path) -> None:
    for name in activations():
        text = (site / "api" / "activations" / f"{name}.html").read_text(encoding="utf-8")
        assert text.count(f"{name} and its derivative") == 2
        assert f"{name}-light.svg" in text
        assert f"{name}-dark.svg" in text
        assert "viewcode-link" in text
    softmax = (site / "api" / "activations" / "Softmax.html").read_text(encoding="utf-8")
    assert r"\frac{e^{\mathrm{inputs}_{j} / T}}{\sum_{k}" in softmax


@pytest.mark.long
def test_signatures_are_legible(site: Path) -> None:
    for page, text in html_pages(site / "api"):
        plain = html.unescape(re.sub("<[^>]+>", "", text))
        assert not re.search(r"_SupportsArray|_NestedSequence|ForwardRef|ndarray\[", plain), page
    model = (site / "api" / "model" / "Model.html").read_text(encoding="utf-8")
    assert "ArrayLike" in model
