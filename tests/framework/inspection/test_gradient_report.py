"""The report: a table with the worst elements, and a hint at the mistake."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    Dense,
    MeanSquaredError,
    Sigmoid,
    Tanh,
    assert_gradients,
    check_gradients,
)
from tests.framework.inspection.mistakes import INPUTS, PROBABILITIES, WRONG, break_backward


def test_the_report_is_a_table_and_a_truth_value() -> None:
    report = check_gradients(Dense(4, 3), INPUTS)
    assert report
    text = str(report)
    assert text.startswith("Dense(4, 3): passed, largest relative error")
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["dinputs", "dweights", "dbiases"]
    wrong = check_gradients(break_backward(Sigmoid(), "dinputs", WRONG["missing factor"]), INPUTS)
    assert not wrong
    assert "FAILED" in str(wrong)
    (array,) = wrong.arrays
    assert array.index is not None
    assert array.analytic == pytest.approx(2 * array.numerical)
    assert wrong.max_relative_error == pytest.approx(0.5)


def test_its_repr_is_the_table() -> None:
    report = check_gradients(Dense(4, 3), INPUTS)
    assert repr(report) == str(report)
    assert len(repr(report).splitlines()) == 5


def test_assert_gradients_raises_with_the_report() -> None:
    assert "assert_gradients" in framework.__all__
    assert_gradients(Tanh(), INPUTS)
    assert_gradients(MeanSquaredError(), INPUTS, PROBABILITIES)
    wrong = break_backward(Tanh(), "dinputs", WRONG["missing factor"])
    with pytest.raises(AssertionError) as raised:
        assert_gradients(wrong, INPUTS, step=1e-4)
    assert str(raised.value) == str(check_gradients(wrong, INPUTS, step=1e-4))
    assert_gradients(break_backward(Tanh(), "dinputs", WRONG["slightly off"]), INPUTS, tolerance=1)


def test_the_worst_five_are_shown_and_all_are_counted() -> None:
    class Broken(Tanh):
        def backward(self, dvalues: Any) -> Any:
            super().backward(dvalues)
            self.dinputs.flat[:7] *= np.arange(1, 8)  # all but the first one are wrong
            return self.dinputs

    report = check_gradients(Broken(), INPUTS)
    (array,) = report.arrays
    assert array.wrong == 6
    # c times the gradient has the relative error 1 - 1/c.
    assert [element.error for element in array.worst] == pytest.approx(
        [1 - 1 / c for c in (7, 6, 5, 4, 3)], rel=1e-5
    )
    assert [element.index for element in array.worst] == [(1, 2), (1, 1), (1, 0), (0, 3), (0, 2)]
    assert array.index == (1, 2)
    assert array.analytic == pytest.approx(7 * array.numerical, rel=1e-5)
    lines = str(report).splitlines()
    assert len(lines) == 2 + 5 + 1
    assert lines[-1] == "  dinputs: 6 of 16 wrong"


def test_a_right_array_has_its_largest_error_alone() -> None:
    (array,) = check_gradients(Tanh(), INPUTS).arrays
    assert (array.wrong, len(array.worst)) == (0, 1)
    assert array.max_relative_error == array.worst[0].error < 1e-6


SIX = np.random.default_rng(3).normal(size=(6, 4))
TARGETS = np.random.default_rng(4).normal(size=(6, 4))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda d: d / 6, "all 0.1667 of the numerical: divided by the 6 samples?"),
        (lambda d: d * 6, "all 6 times the numerical: not divided by the 6 samples?"),
        (lambda d: d * 24, "all 24 times the numerical: not divided by all 24 numbers?"),
        (lambda d: d / 24, "all 0.04167 of the numerical: divided by all 24 numbers?"),
        (lambda d: d / 2, "all 0.5 of the numerical: without a factor of 2?"),
        (lambda d: d * 2, "all 2 times the numerical: with a factor of 2 too many?"),
        (lambda d: -d, "all with the opposite sign: is a minus missing, or one too many?"),
        (lambda d: 0 * d, "all 0"),
        (lambda d: 1.7 * d, "all 1.7 times the numerical"),
    ],
)
def test_a_common_ratio_is_named(wrong: Any, hint: str) -> None:
    for subject, arguments in ((Tanh(), ()), (MeanSquaredError(), (TARGETS,))):
        report = check_gradients(break_backward(subject, "dinputs", wrong), SIX, *arguments)
        assert report.arrays[0].hint == hint
        assert str(report).splitlines()[-1] == f"  dinputs: 24 of 24 wrong, {hint}"


def test_with_two_samples_both_readings_of_one_half_are_named() -> None:
    report = check_gradients(break_backward(Tanh(), "dinputs", lambda d: d / 2), SIX[:2])
    assert "divided by the 2 samples, or without a factor of 2?" in str(report)


def test_a_transposed_gradient_is_recognised_by_its_values_and_by_its_shape() -> None:
    square = break_backward(Dense(4, 4), "dweights", WRONG["transposed"])
    assert "equal to the transpose of the numerical gradient" in str(check_gradients(square, SIX))
    oblong = break_backward(Dense(4, 3), "dweights", WRONG["transposed"])
    assert "has shape (3, 4), the transpose of (4, 3)" in str(check_gradients(oblong, SIX))


def test_a_forgotten_chain_rule_is_recognised() -> None:
    class Forgetful(Tanh):
        def backward(self, dvalues: Any) -> Any:
            self.dinputs = 1 - self.output**2
            return self.dinputs

    report = check_gradients(Forgetful(), SIX)
    assert "not multiplied by dvalues: is the chain rule missing?" in str(report)


def test_nothing_is_guessed_where_the_wrong_elements_have_nothing_in_common() -> None:
    one = break_backward(Tanh(), "dinputs", lambda d: d * np.where(np.arange(4) == 2, 1.7, 1))
    assert check_gradients(one, SIX).arrays[0].hint == "all 1.7 times the numerical"
    assert check_gradients(one, SIX[:1]).arrays[0].hint == ""  # one number has always a ratio
    noisy = break_backward(Tanh(), "dinputs", lambda d: d * (1 + np.arange(4)))
    assert check_gradients(noisy, SIX).arrays[0].hint == ""


def test_numbers_that_are_none_are_counted() -> None:
    def spoil(dinputs: Any) -> Any:
        dinputs = dinputs.copy()
        dinputs[1, :2] = np.nan, np.inf
        return dinputs

    report = check_gradients(break_backward(Tanh(), "dinputs", spoil), SIX)
    assert "dinputs: 2 of 24 wrong, 2 of them NaN or infinite" in str(report)
