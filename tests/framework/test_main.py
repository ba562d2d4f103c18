"""The command line, as its user sees it."""

import os
from pathlib import Path

import matplotlib.image
import pytest

import framework
from datasets import spiral_data
from framework import Sigmoid
from framework.__main__ import main
from framework.commands import images, spiral

QUICK = ["--samples", "60", "--epochs", "2", "--hidden", "8"]


def test_spiral_prints_accuracies_and_draws_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "spiral.png"
    assert main(["spiral", *QUICK, "--output", str(picture)]) == 0
    captured = capsys.readouterr()
    assert "epoch 2/2" in captured.err
    figures = dict(line.rsplit(maxsplit=1) for line in captured.out.splitlines()[-3:-2])
    assert 0 < float(figures["training accuracy"]) <= 1
    assert "validation accuracy 0." in captured.out
    assert str(picture) in captured.out
    height, width, _ = matplotlib.image.imread(picture).shape
    assert (height, width) == (600, 1440)


def test_the_spiral_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spiral", "--quiet", "--output", str(tmp_path / "spiral.png")]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("validation"))
    assert float(line.split()[2]) > 0.88


@pytest.mark.parametrize("optimizer", spiral.OPTIMIZERS)
@pytest.mark.parametrize("activation", spiral.ACTIVATIONS)
def test_every_choice_works(
    optimizer: str, activation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--optimizer", optimizer, "--activation", activation, "--quiet"]
    assert main(["spiral", *QUICK, *options, "--output", str(tmp_path / "a.pdf")]) == 0


def test_every_option_reaches_the_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "--classes 4 --hidden 5 6 --dropout 0.2 --l2 0.01 --decay 0.1 --learning-rate 0.3"
    more = "--batch-size 16 --seed 3 --patience 1 --quiet --activation tanh --optimizer sgd"
    arguments = ["spiral", "--samples", "40", "--epochs", "3", *options.split(), *more.split()]
    assert main([*arguments, "--output", str(tmp_path / "a.png")]) == 0
    printed = capsys.readouterr().out
    for text in ("Dense(2, 5", "Dense(5, 6", "Dense(6, 4)", "Dropout(0.2)", "Tanh()", "l2=0.01"):
        assert text in printed
    main([*arguments, "--output", str(tmp_path / "a.png")])
    assert capsys.readouterr().out == printed, "the seed decides everything"


def test_spiral_saves_its_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.safetensors"
    output = ["--output", str(tmp_path / "a.png"), "--save", str(path)]
    assert main(["spiral", *QUICK, *output]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(f"model               {path}\n")
    (line,) = [line for line in printed.splitlines() if line.startswith("validation accuracy")]
    model = framework.Model.load(path)
    _, accuracy = model.evaluate(*spiral_data(60, 3, seed=1))
    assert float(line.split()[2]) == pytest.approx(accuracy, abs=6e-4)


def test_without_hidden_layers_it_is_a_linear_classifier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "a.png")
    assert main(["spiral", "--samples", "9", "--epochs", "1", "--hidden", "--output", output]) == 0
    assert "Dense(2, 3)" in capsys.readouterr().out


def test_check_gradients_lists_every_operation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-gradients"]) == 0
    printed = capsys.readouterr().out
    public = [(name, getattr(framework, name)) for name in framework.__all__]
    operations = {
        name
        for name, cls in public
        if isinstance(cls, type) and issubclass(cls, (framework.Operation, framework.Loss))
        if not issubclass(cls, framework.Container)
    } - {"Operation", "Activation", "Loss", "FusedLoss"}
    assert "Dense" in operations
    for name in operations:
        assert f"{name}(" in printed
    assert "FAILED" not in printed


def test_check_gradients_fails_if_one_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Sigmoid.backward
    monkeypatch.setattr(Sigmoid, "backward", lambda self, dvalues: right(self, 2 * dvalues))
    assert main(["check-gradients"]) == 1
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "FAILED" in x]
    assert line.startswith("Sigmoid()")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "no/such/folder/a.png"], "cannot be written"),
        (["--output", "a.xyz"], "--output must end with one of"),
        (["--save", "no/such/folder/a.safetensors"], "does not exist: make it first"),
    ],
)
def test_mistakes_are_said_in_one_line_before_training(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spiral", *QUICK, *options]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "\ndinputs: interrupted\n"),
        (ImportError("No module named 'pooch'"), 1, "dinputs: error: No module named 'pooch'\n"),
        (TypeError("a folder is no number"), 1, "dinputs: error: a folder is no number\n"),
    ],
)
def test_what_stops_a_command_is_said_without_a_traceback(
    error: BaseException,
    status: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(**options: object) -> None:
        raise error

    monkeypatch.setitem(images.LOADERS, "mnist", load)
    assert main(["mnist", "--output", str(tmp_path / "a.png")]) == status
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    "options",
    [
        ["--samples", "0"],
        ["--epochs", "x"],
        ["--hidden", "-3"],
        ["--optimizer", "none"],
        ["--dropout", "1.0"],
        ["--learning-rate", "0"],
        ["--l2", "much"],
        ["--decay", "nan"],
        ["--classes", "1"],
        ["--classes", "257"],
        ["--seed", "4294967295"],
    ],
)
def test_arguments_that_cannot_be_read_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["spiral", *options])
    assert refused.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_a_picture_that_cannot_be_replaced_is_said_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder.png"
    os.mkdir(folder)
    assert main(["spiral", *QUICK, "--output", str(folder)]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["spiral", "--help"], ["check-gradients", "-h"]])
def test_help_reads(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 0
    assert "usage: dinputs" in capsys.readouterr().out


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"dinputs {framework.__version__}\n"
