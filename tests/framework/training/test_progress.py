"""The progress bar, the lines beside it, the table in notebooks, and the lines of the book."""

import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from typing import Any

import pytest

from framework import EarlyStopping, History
from tests.framework.training.classifiers import X, classifier, y

PROGRAM = """
from tests.framework.training.classifiers import X, classifier, y
class Stream:
    def __iter__(self):
        return iter([(X, y)] * 3)
history = classifier().train({})
"""


def figures(history: History, epoch: int, epochs: int) -> str:
    """The line of an epoch, from the history."""
    line = (
        f"epoch {epoch:{len(str(epochs))}}/{epochs} loss {history.loss[epoch - 1]:.3f} "
        f"acc {history.accuracy[epoch - 1]:.3f} lr {history.learning_rate[epoch - 1]:.3g}"
    )
    if history.val_loss:
        line += f" val_loss {history.val_loss[epoch - 1]:.3f}"
        line += f" val_acc {history.val_accuracy[epoch - 1]:.3f}"
    return line


def in_terminal(width: int, arguments: str) -> str:
    """What a training writes to a terminal of ``width`` columns."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [sys.executable, "-c", PROGRAM.format(arguments)]
    process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside)
    os.close(inside)
    written = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        written += part
    os.close(terminal)
    assert process.wait() == 0
    return written.decode()


def seen(written: str) -> list[str]:
    """The lines that are left on the screen; a carriage return begins the line anew."""
    lines = []
    for line in written.rstrip("\n").split("\n"):
        cells: list[str] = []
        for text in line.rstrip("\r").split("\r"):
            cells[: len(text)] = text
        lines.append("".join(cells).rstrip())
    return lines


NUMBER = r"\d\.\d{3}"
LINE = rf"epoch \d/3 loss {NUMBER} acc {NUMBER} lr 0\.1 val_loss {NUMBER} val_acc {NUMBER}"


@pytest.mark.parametrize("width", [0, 40, 80, 200])
def test_a_terminal_has_a_line_for_each_epoch_and_one_bar(width: int) -> None:
    written = in_terminal(width, "X, y, epochs=3, validation_data=(X, y)")
    *lines, bar = seen(written)
    assert len(lines) == 3
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(LINE, line)
        assert line.startswith(f"epoch {epoch}/3")
    text, _, drawn = bar.partition(" █")
    assert len(drawn) >= 5
    if width == 40:
        assert re.fullmatch(rf"epoch 3/3 loss {NUMBER} acc {NUMBER}", text)
    else:
        assert text == lines[-1]
    assert len(bar) < (width or 81)
    # Nothing that is drawn again and again is wider than the terminal, which would wrap it.
    drafts = [part for part in re.split(r"[\r\n]+", written) if part not in lines]
    assert max(map(len, drafts)) < (width or 81)


@pytest.mark.parametrize(("width", "rate"), [(75, ""), (80, "lr 0.1 ")])
def test_the_learning_rate_makes_room_for_the_bar_first(width: int, rate: str) -> None:
    bar = seen(in_terminal(width, "X, y, epochs=1000, batch_size=None, validation_data=(X, y)"))[-1]
    metrics = rf"{rate}val_loss {NUMBER} val_acc {NUMBER}"
    assert re.match(rf"epoch 1000/1000 loss {NUMBER} acc {NUMBER} {metrics} █", bar)


@pytest.mark.parametrize(("epochs", "most"), [(50, 50), (51, 20), (1000, 20)])
def test_a_pipe_has_lines_and_no_bar(
    epochs: int, most: int, capsys: pytest.CaptureFixture[str]
) -> None:
    history = classifier().train(X, y, epochs=epochs, batch_size=None, validation_data=(X, y))
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert most - 5 <= len(lines) <= most
    numbers = [int(line.split("/")[0].split()[1]) for line in lines]
    assert numbers[-1] == epochs
    assert lines == [figures(history, number, epochs) for number in numbers]


def test_a_training_that_stops_early_has_a_line_for_its_last_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopping = EarlyStopping("loss", patience=6, min_delta=9.0)
    history = classifier().train(X, y, epochs=1000, callbacks=[stopping])
    assert capsys.readouterr().err.splitlines() == [figures(history, 7, 1000)]


def test_batches_of_unknown_number_are_shown_as_well() -> None:
    written = in_terminal(80, "Stream(), epochs=2")
    assert [line[:9] for line in seen(written)] == ["epoch 1/2", "epoch 2/2", "epoch 2/2"]


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    classifier().train(X, y, epochs=2, progress=False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def executed(source: str) -> Any:
    """The notebook of one cell with ``source``, run by nbconvert."""
    nbformat = pytest.importorskip("nbformat")
    preprocessors = pytest.importorskip("nbconvert.preprocessors")
    if importlib.util.find_spec("ipykernel") is None:
        pytest.skip("ipykernel is not installed: no notebooks")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    preprocessors.ExecutePreprocessor(timeout=120).preprocess(notebook, {})
    assert len(nbformat.writes(notebook)) < 100_000
    return notebook.cells[0].outputs


def test_a_notebook_has_one_output_with_a_bar_and_a_table() -> None:
    arguments = "X, y, epochs=1000, batch_size=None, validation_data=(X, y)"
    last = "print([getattr(history, name)[-1] for name in history.names()[:-1]])"
    source = "import warnings; warnings.simplefilter('error')" + PROGRAM.format(arguments) + last
    shown, printed = executed(source)
    assert (shown.output_type, printed.output_type) == ("display_data", "stream")
    page, text = shown.data["text/html"], shown.data["text/plain"]
    assert page.count("<progress") == page.count("<table>") == 1
    assert '<progress value="1000" max="1000">' in page
    assert page.count("<tr>") == 1 + 20 == 1 + len(text.splitlines())
    names = ["epoch", "loss", "acc", "lr", "val_loss", "val_acc"]
    assert re.findall("<th>(.*?)</th>", page) == names
    loss, _, _, accuracy, val_loss, val_accuracy, rate = json.loads(printed.text)
    cells = re.findall("<td>(.*?)</td>", page)[-6:]
    assert cells[0] == "1000/1000"
    expected = [loss, accuracy, rate, val_loss, val_accuracy]
    assert [float(cell) for cell in cells[1:]] == pytest.approx(expected, abs=6e-4)
    assert text.splitlines()[-1].startswith("epoch 1000/1000 loss ")


def test_a_history_that_a_notebook_shows_is_short() -> None:
    outputs = executed(PROGRAM.format("X, y, epochs=1000, batch_size=None") + "history")
    assert len(outputs) == 2
    assert 20 < len(outputs[1].data["text/plain"].splitlines()) < 30


def test_print_every_prints_the_lines_of_the_book(capsys: pytest.CaptureFixture[str]) -> None:
    history = classifier().train(X, y, epochs=5, print_every=2)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        f"epoch: {epoch}, acc: {history.accuracy[epoch - 1]:.3f}, "
        f"loss: {history.loss[epoch - 1]:.3f} (data_loss: {history.data_loss[epoch - 1]:.3f}, "
        f"reg_loss: 0.000), lr: 0.1"
        for epoch in (2, 4)
    ]
    history = classifier().train(X, y, validation_data=(X, y), print_every=10)
    assert capsys.readouterr().out == (
        f"validation, acc: {history.val_accuracy[0]:.3f}, loss: {history.val_loss[0]:.3f}\n"
    )
