"""The blocks of the README and of the documentation run as they stand, and print what is shown."""

import re
import shlex
from pathlib import Path

import pytest

from framework.__main__ import main
from tests.documentation import PAGES, TOP, Block, blocks_of, run, same

WITH_CODE = [page for page in PAGES if blocks_of(page)]
README = TOP / "README.md"
# Links to pages of the site that are written when it is built.
BUILT = ("api/", "notebooks/", "lessons/", "pictures/")


def named(page: Path) -> str:
    return str(page.relative_to(TOP))


@pytest.mark.parametrize("page", WITH_CODE, ids=named)
def test_the_blocks_of_a_page_print_what_is_shown_below_them(page: Path, tmp_path: Path) -> None:
    blocks = blocks_of(page)
    for block, printed in zip(blocks, run(blocks, tmp_path), strict=True):
        assert same(printed, block.shown), f"{block.code}\nprinted:\n{printed}"


def test_every_block_of_code_is_found() -> None:
    assert README in WITH_CODE
    assert len(WITH_CODE) > 10
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(blocks_of(page)) == text.count("```python"), page
        languages = re.findall(r"^```(\S+)", text, flags=re.MULTILINE)
        assert {name for name in languages if name[0] != "{"} <= {"python", "bash", "console"}


@pytest.mark.parametrize("page", WITH_CODE, ids=named)
def test_a_block_that_prints_shows_it_and_no_other_does(page: Path) -> None:
    for block in blocks_of(page):
        prints = re.search(r"print\(|\.summary\(\)|print_every=", block.code) is not None
        assert prints == bool(block.shown), block.code


@pytest.mark.parametrize("page", WITH_CODE, ids=named)
def test_pages_that_train_say_where_their_random_numbers_begin(page: Path) -> None:
    code = "\n".join(block.code for block in blocks_of(page))
    if re.search(r"\.train\(|\.fit\(|optimizer\.update", code):
        assert re.search(r"framework\.seed\(0\)|random_state=0|nnfs\.init\(\)", code)


def commands() -> list[list[str]]:
    """Return the arguments of each ``python -m framework …`` that the pages name."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found |= dict.fromkeys(re.findall(r"python -m framework ([a-z][^`\n#]*)", text))
    return [shlex.split(arguments) for arguments in found if "…" not in arguments]


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_the_commands_exist(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([*arguments, "--help"])
    assert done.value.code == 0
    assert f"dinputs {arguments[0]}" in capsys.readouterr().out


@pytest.mark.parametrize("page", [*PAGES, *(TOP / "docs").glob("*.md")], ids=named)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if target.startswith("http"):
            continue
        place = (page.parent / target).resolve()
        built = place.is_relative_to(TOP / "docs") and named(place).removeprefix("docs/")
        if not (built and built.startswith((*BUILT, "course/lessons/"))):
            assert place.exists(), f"{named(page)} links to {target}"


def test_what_prints_other_numbers_is_noticed() -> None:
    assert same("loss 0.36\n", "loss 0.38\n")
    assert not same("loss 0.36\n", "loss 0.46\n")
    assert not same("loss 0.36\n", "cost 0.36\n")
    assert not same("1 2\n", "1 3\n")
    assert same("60% right\n", "62% right\n")
    assert Block("", "") == ("", "")
