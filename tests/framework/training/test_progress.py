"""The progress bar, and the lines that are printed."""

import pytest

from tests.framework.training.classifiers import X, classifier, y


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    classifier().train(X, y, epochs=2, progress=False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_per_epoch_leaves_one_line_with_the_metrics(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = classifier().train(X, y, epochs=2, validation_data=(X, y))
    captured = capsys.readouterr()
    lines = [line.split("\r")[-1] for line in captured.err.strip().split("\n")]
    assert [line[:16] for line in lines] == ["██████ epoch 1/2", "██████ epoch 2/2"]
    for epoch, line in enumerate(lines):
        assert f"loss {history.loss[epoch]:.3f} acc {history.accuracy[epoch]:.3f} lr 0.1" in line
        assert f"val_loss {history.val_loss[epoch]:.3f}" in line
        assert f"val_acc {history.val_accuracy[epoch]:.3f}" in line


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
