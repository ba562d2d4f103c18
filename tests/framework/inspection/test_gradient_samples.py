"""Large gradients: a sample of their elements is checked."""

from typing import Any

import numpy as np
import pytest

from framework import Dense, Tanh, assert_gradients, check_gradients
from framework.inspection.gradient_report import GradientReport
from tests.framework.inspection.mistakes import WRONG, break_backward

INPUTS = np.random.default_rng(0).normal(size=(5, 30))


def drawn(report: GradientReport) -> dict[str, int]:
    return {array.name: array.drawn for array in report.arrays}


def test_of_a_large_gradient_a_sample_is_checked_and_the_report_says_so() -> None:
    report = check_gradients(Dense(30, 20), INPUTS, entries=50)
    assert report.passed
    assert drawn(report) == {"dinputs": 50, "dweights": 50, "dbiases": 20}
    assert report.checked == 120
    sentence = "50 of 600 elements, drawn at random, were checked (entries=None checks all)"
    assert f"  dweights: {sentence}" in str(report).splitlines()
    everything = check_gradients(Dense(30, 20), INPUTS, entries=None)
    assert everything.checked == 150 + 600 + 20
    assert "at random" not in str(everything)


def test_thousands_are_checked_unless_told_otherwise() -> None:
    report = check_gradients(Dense(784, 16), np.ones((1, 784)))
    assert drawn(report) == {"dinputs": 784, "dweights": 4000, "dbiases": 16}


@pytest.mark.parametrize("mistake", ["sign", "slightly off", "zero", "not a number"])
def test_a_sample_shows_what_is_wrong_everywhere(mistake: str) -> None:
    broken = break_backward(Dense(30, 20), "dweights", WRONG[mistake])
    report = check_gradients(broken, INPUTS, entries=50)
    assert [(array.name, array.wrong) for array in report.arrays if array.wrong] == [
        ("dweights", 50)
    ]
    assert "dweights: 50 of 50 wrong" in str(report)
    with pytest.raises(AssertionError, match="50 of 50 wrong"):
        assert_gradients(broken, INPUTS, entries=50)


def test_elements_that_are_not_finite_are_always_among_those_checked() -> None:
    def spoil(gradient: Any) -> Any:
        gradient = gradient.copy()
        gradient[3, 17] = np.nan
        return gradient

    broken = break_backward(Dense(30, 20), "dweights", spoil)
    report = check_gradients(broken, INPUTS, entries=5)
    assert [array.index for array in report.arrays if array.wrong] == [(3, 17)]
    assert "dweights: 1 of 5 wrong, 1 of them NaN or infinite" in str(report)


def test_each_call_draws_the_same_sample() -> None:
    reports = [check_gradients(Tanh(), INPUTS, entries=7) for _ in range(2)]
    assert str(reports[0]) == str(reports[1])


@pytest.mark.parametrize("entries", [0, -1, 2.5])
def test_fewer_than_one_entry_is_refused(entries: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="entries"):
        check_gradients(Tanh(), INPUTS, entries=entries)
