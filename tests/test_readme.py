"""What the README shows runs as it stands, and says what it says."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


# Not the learning rate, which has no rounding errors to drift by.
NUMBER = re.compile(r"(?<!lr: )\b\d\.\d+")


def assert_shown(printed: str, following: str) -> None:
    """The lines after a block are what it prints, but for the drift of rounding errors."""
    (shown,) = re.findall(r"\A```\n\n((?:    .*\n)+)", following)
    lines = printed.splitlines()
    assert [NUMBER.sub("…", line[4:]) for line in shown.splitlines()] == [
        NUMBER.sub("…", line) for line in lines
    ]
    numbers = [float(number) for number in NUMBER.findall(shown)]
    assert [float(number) for number in NUMBER.findall(printed)] == pytest.approx(
        numbers, rel=0, abs=0.03
    )


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_every_block_of_code_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "framework.estimators" in block:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
    if "nnfs.init()" in block:  # which replaces functions of NumPy
        run = subprocess.run(
            [sys.executable, "-c", block], check=True, cwd=TOP, capture_output=True, text=True
        )
        assert_shown(run.stdout, README.partition(block)[2])
    else:
        exec(block, {"__name__": "readme"})
    plt.close("all")


def test_the_wrong_gradient_is_reported_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = [block for block in BLOCKS if "class Square" in block]
    exec(block, {"__name__": "readme"})
    printed = capsys.readouterr().out
    (shown,) = re.findall(r"((?:    .*\n)*    Square.*FAILED.*\n(?:    .*\n)*)", README)
    assert [line[4:] for line in shown.splitlines()] == printed.splitlines()
