"""``Model.summary``: a table of the operations."""

import re

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Model,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Tanh,
)


def test_summary_names_operations_shapes_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model([Flatten(), Dense(784, 64), BatchNormalization(64), ReLU(), Dense(64, 10)])
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Operation", "Output", "Parameters"]
    assert lines[2].split() == ["Flatten()", "(samples,", "…)", "0"]
    assert lines[3].split() == ["Dense(784,", "64)", "(samples,", "64)", "50,240"]
    assert lines[4].endswith(" 128")
    assert lines[-1].split() == ["Total", "51,018"]


def test_summary_marks_what_is_frozen(capsys: pytest.CaptureFixture[str]) -> None:
    body = Sequential([Dense(4, 8), ReLU()])
    body.trainable = False
    model = Model([body, Dense(8, 2)])
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    frozen = [line.split("(samples")[0].strip() for line in lines if "(frozen)" in line]
    assert frozen == ["Sequential (frozen)", "Dense(4, 8) (frozen)"]
    assert [line.split() for line in lines[-2:]] == [["Total", "58"], ["Frozen", "40"]]


def shapes_in_summary(model: Model, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    model.summary()
    lines = capsys.readouterr().out.splitlines()[2:-2]
    return [re.search(r"\(samples, .*\)", line)[0] for line in lines]  # type: ignore[index]


def test_summary_knows_the_shape_of_the_data_last_seen(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model([Scale(2.0), Flatten(), Dense(12, 3)])
    model.finalize()
    assert shapes_in_summary(model, capsys) == ["(samples, …)", "(samples, …)", "(samples, 3)"]
    model.predict(np.zeros((5, 4, 3)))
    assert shapes_in_summary(model, capsys) == ["(samples, 4, 3)", "(samples, 12)", "(samples, 3)"]


def test_summary_has_the_shape_of_each_image_and_both_branches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    block = Residual(
        [Conv2D(8, 16, 3, stride=2, padding="same"), Sequential([ReLU(), Residual([Tanh()])])],
        shortcut=[Conv2D(8, 16, 1, stride=2)],
    )
    convolution, pooling = Conv2D(1, 8, 3), MaxPooling2D(2)
    model = Model([convolution, pooling, block, GlobalAveragePooling2D(), Dense(16, 2)])
    model.finalize()
    model.input_shape = (28, 28, 1)
    model.summary()
    rows = [re.split("  +", line.strip()) for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows[:-2] == [
        ["Conv2D(1, 8, 3)", "(samples, 26, 26, 8)", "80"],
        ["MaxPooling2D()", "(samples, 13, 13, 8)", "0"],
        ["Residual", "(samples, 7, 7, 16)", "1,312"],
        ["Conv2D(8, 16, 3, stride=2, padding='same')", "(samples, 7, 7, 16)", "1,168"],
        ["Sequential", "(samples, 7, 7, 16)", "0"],
        ["ReLU()", "(samples, 7, 7, 16)", "0"],
        ["Residual", "(samples, 7, 7, 16)", "0"],
        ["Tanh()", "(samples, 7, 7, 16)", "0"],
        ["shortcut", "(samples, 7, 7, 16)", "144"],
        ["Conv2D(8, 16, 1, stride=2)", "(samples, 7, 7, 16)", "144"],
        ["GlobalAveragePooling2D()", "(samples, 16)", "0"],
        ["Dense(16, 2)", "(samples, 2)", "34"],
    ]
    assert rows[-1] == ["Total", "1,426"]


class Twice:
    """Says its output shape, but cannot where the input shape is not known."""

    def forward(self, inputs: np.ndarray) -> None:
        self.output = np.concatenate([inputs, inputs], axis=1)

    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = sum(np.split(dvalues, 2, axis=1))

    def output_shape(self, input_shape: tuple[int, ...]) -> list[int]:
        return [2 * input_shape[0]]


def test_summary_takes_the_word_of_the_users_own_operations(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = Model([Twice(), Dense(4, 3), Twice(), Twice()])
    model.finalize()
    shapes = ["(samples, 3)", "(samples, 6)", "(samples, 12)"]
    assert shapes_in_summary(model, capsys) == ["(samples, …)", *shapes]
    model.predict(np.zeros((5, 2)))
    assert shapes_in_summary(model, capsys) == ["(samples, 4)", *shapes]


@pytest.mark.parametrize("said", [3, "(3,)", (2.5,), (None, 3)])
def test_an_output_shape_that_is_none_is_refused(said: object) -> None:
    own = Twice()
    own.output_shape = lambda shape: said  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(TypeError, match=r"Twice\(\): output_shape must return the shape of one "):
        Model([own, Dense(3, 1)]).finalize()


def test_a_fault_inside_output_shape_is_not_hidden() -> None:
    own = Twice()
    own.output_shape = lambda shape: None + shape  # type: ignore[method-assign, assignment, operator]
    with pytest.raises(TypeError, match="unsupported operand"):
        Model([Dense(2, 3), own]).finalize()
