"""The README's examples run as they stand, and print what the README shows below them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from framework.__main__ import main

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
# Each block of code, and the indented lines that follow it.
BLOCKS = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)*)", README, flags=re.DOTALL)

# Not the learning rate, which has no rounding errors to drift by.
NUMBER = re.compile(r"(?<!lr: )-?\b\d+\.\d+")
# Rounding errors differ between processors, and grow over the steps of a training.
DRIFT = 0.05


def headings() -> list[str]:
    """Return the README's heading of each block."""
    before = [README.partition(code)[0] for code, _ in BLOCKS]
    return [re.findall(r"^## (.*)$", text, flags=re.MULTILINE)[-1] for text in before]


@pytest.mark.parametrize(("code", "shown"), BLOCKS, ids=headings())
def test_a_block_of_code_prints_what_is_shown_below_it(
    code: str, shown: str, tmp_path: Path
) -> None:
    if "framework.estimators" in code:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TOP), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = re.sub(r"^    ", "", shown, flags=re.MULTILINE)
    assert NUMBER.sub("…", done.stdout) == NUMBER.sub("…", expected)
    assert [float(number) for number in NUMBER.findall(done.stdout)] == pytest.approx(
        [float(number) for number in NUMBER.findall(expected)],
        rel=0,
        abs=DRIFT if "optimizer" in code or "Classifier" in code else 0,
    )


def test_every_block_is_tried_and_shows_what_it_prints() -> None:
    assert len(BLOCKS) == README.count("```python")
    assert all(("print" in code) == bool(shown) for code, shown in BLOCKS)


@pytest.mark.parametrize(("code", "shown"), BLOCKS, ids=headings())
def test_blocks_that_train_say_where_their_random_numbers_begin(code: str, shown: str) -> None:
    if "optimizer" in code or "Classifier" in code:
        assert re.search(r"framework\.seed\(0\)|random_state=0|nnfs\.init\(\)", code)


def commands() -> list[list[str]]:
    """Return the arguments of each ``python -m framework …`` that the README names."""
    found = re.findall(r"python -m framework ([a-z][^`\n#]*)", README)
    return [shlex.split(arguments) for arguments in found]


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_the_commands_exist(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([*arguments, "--help"])
    assert done.value.code == 0
    assert f"dinputs {arguments[0]}" in capsys.readouterr().out
