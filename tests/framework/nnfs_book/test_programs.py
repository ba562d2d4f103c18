"""The book's programs print its figures.

``nnfs.init()`` replaces functions of NumPy, so everything that calls it runs in a process of its
own. The figures are what the book's code prints after ``nnfs.init()`` on NumPy 2.4.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.framework.nnfs_book.support import PROGRAMS, figures, line_of, run, run_program

# The columns of the figures below; a line that has fewer ends with the loss.
COLUMNS = ("acc", "loss", "data_loss", "reg_loss")


# The figures of the programs, of which those up to epoch 300 are the book's to every digit. Later,
# last bits that two correct programs round differently have grown into digits that are printed, so
# that only figures within 0.03 can be expected.
EARLY: dict[str, dict[int, tuple[float, ...]]] = {
    "adam": {
        0: (0.360, 1.099),
        100: (0.670, 0.705),
        200: (0.797, 0.522),
        300: (0.847, 0.430),
        400: (0.887, 0.344),
    },
    "l2": {
        100: (0.690, 0.845, 0.807, 0.038),
        200: (0.773, 0.690, 0.614, 0.075),
        300: (0.817, 0.617, 0.526, 0.091),
    },
    "dropout": {
        0: (0.324, 1.099),
        100: (0.564, 0.917, 0.894, 0.023),
        200: (0.595, 0.870),
        300: (0.623, 0.844),
    },
    "binary": {
        0: (0.500, 0.693),
        100: (0.630, 0.674, 0.673, 0.001),
        200: (0.625, 0.669),
        300: (0.645, 0.665),
    },
    "regression": {
        0: (0.003, 0.496),
        100: (0.017, 0.048),
        200: (0.242, 0.001),
        300: (0.786, 0.000),
    },
    "model_spiral": {100: (0.720, 0.719, 0.658, 0.061)},
}


LATE: dict[str, dict[int | str, tuple[float, ...]]] = {
    "adam": {10_000: (0.967, 0.074)},
    "l2": {10_000: (0.950, 0.226, 0.165, 0.062), "validation": (0.840, 0.525)},
    "dropout": {1_000: (0.657, 0.811)},
    "binary": {10_000: (0.945, 0.260, 0.204, 0.056), "validation": (0.920, 0.237)},
    "regression": {10_000: (0.981, 0.000)},
    "model_spiral": {
        200: (0.788, 0.609, 0.530, 0.079),
        300: (0.796, 0.594, 0.513, 0.080),
        "validation": (0.810, 0.456),
    },
}


def assert_figures(output: str, expected: dict[Any, tuple[float, ...]]) -> None:
    for epoch, row in expected.items():
        printed = figures(line_of(output, epoch))
        early = isinstance(epoch, int) and epoch <= 300
        for name, value in zip(COLUMNS, row, strict=False):
            assert printed[name] == pytest.approx(value, abs=0.00101 if early else 0.03), epoch


@pytest.mark.parametrize("program", EARLY)
def test_a_program_prints_the_figures_of_the_book(program: str) -> None:
    assert_figures(run_program(program, max(EARLY[program])), EARLY[program])


@pytest.mark.long
@pytest.mark.parametrize("program", LATE)
def test_a_program_ends_with_the_figures_of_the_book(program: str) -> None:
    epochs = max(epoch for epoch in LATE[program] if isinstance(epoch, int))
    assert_figures(run_program(program, epochs), LATE[program])


def test_one_pass_prints_every_digit_of_the_book() -> None:
    printed = run_program("one_pass")
    assert "loss: 1.0986104\nacc: 0.34\n" in printed
    rows = re.findall(r"\[+([^\[\]]+)\]+", printed)
    numbers = [np.array(row.split(), dtype=float) for row in rows]
    assert_array_equal(
        numbers[:3],
        [
            [0.33333334, 0.33333334, 0.33333334],
            [0.3333332, 0.3333332, 0.33333364],
            [0.3333329, 0.33333293, 0.3333342],
        ],
    )
    dweights1, dbiases1, dbiases2 = numbers[5], numbers[7], numbers[-1]
    assert_allclose(dweights1, [1.5766357e-04, 7.8368583e-05, 4.7324400e-05], rtol=1e-6)
    assert_allclose(dbiases1, [-3.60553473e-04, 9.66117223e-05, -1.03671395e-04], rtol=1e-6)
    assert_allclose(dbiases2, [-1.0729185e-05, -9.4610732e-06, 2.0027859e-05], rtol=1e-6)


@pytest.mark.data("fashion-mnist")
@pytest.mark.parametrize(
    ("epochs", "accuracy", "loss"),
    [(1, 0.824, 0.489), pytest.param(10, 0.873, 0.358, marks=pytest.mark.long)],
)
def test_fashion_mnist_is_learned_as_in_the_book(
    epochs: int, accuracy: float, loss: float, tmp_path: Path
) -> None:
    printed = run_program("model_fashion", epochs, tmp_path / "fashion.model")
    lines = printed.splitlines()
    assert [line for line in lines if line.startswith("epoch")] == [
        f"epoch: {epoch + 1}" for epoch in range(epochs)
    ]
    assert [line.split(",")[0] for line in lines if line.startswith("step")] == [
        f"step: {step}" for step in (0, 100, 200, 300, 400, 468)
    ] * epochs
    validation, *after_loading = [line for line in lines if line.startswith("validation")][-2:]
    assert figures(validation)["acc"] == pytest.approx(accuracy, abs=0.03)
    assert figures(validation)["loss"] == pytest.approx(loss, abs=0.03)
    assert after_loading == [validation]
    assert re.fullmatch(r"\[\d( \d){4}\]", lines[-1])


def test_without_nnfs_the_same_program_learns_as_well() -> None:
    program = (PROGRAMS / "adam.py").read_text()
    seeded = program.replace("nnfs.init()", "np.random.seed(0)")
    assert seeded != program
    printed = run("-c", seeded, "400")
    assert figures(line_of(printed, 0))["loss"] == 1.099
    assert figures(line_of(printed, 400))["acc"] > 0.8
