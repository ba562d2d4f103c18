"""The commonest mistakes of beginners are named, whether they raise or give wrong numbers."""

from typing import Any

import numpy as np
import pytest

from framework import exercises
from framework.exercises import Report

ONE = "y_pred[range(len(y_pred)), y_true] takes one number of each row"


def changed(name: str, *changes: tuple[str, str]) -> Report:
    """Mark the solution of an exercise with some parts of it replaced."""
    exercise = exercises.get(name)
    code = exercise.solution
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    names: dict[str, Any] = {"__name__": "answer"}
    exec(code, names)
    return exercise.report(names)


ADAM = ("t = self.iterations + 1", "t = self.iterations")


@pytest.mark.parametrize(
    ("name", "old", "new", "hint"),
    [
        ("relu", "np.maximum(0, inputs)", "np.max(0, inputs)", "np.maximum(0, inputs) is what"),
        ("relu", "np.maximum(0, inputs)", "max(0, inputs)", "element by element, with np.maximum"),
        (
            "relu",
            "np.maximum(0, inputs)",
            "[max(0, row) for row in inputs]",
            "element by element, with np.maximum",
        ),
        (
            "relu",
            "self.dinputs = dvalues * (self.inputs > 0)",
            "self.dinputs = dvalues if self.inputs > 0 else 0",
            "with a mask, `inputs > 0`",
        ),
        ("sigmoid", "self.output * (1 - self.output)", "(1 - self.output**2)", "of tanh"),
        ("softmax", "keepdims=True", "keepdims=False", "is keepdims=True missing"),
        (
            "mean_squared_error",
            "2 * (y_pred - y_true) / outputs / samples",
            "(y_pred - y_true) / samples",
            "not divided by the number of outputs, 3, and is a factor of 2 missing?",
        ),
        ("mean_squared_error", "outputs / samples", "samples", "the number of outputs, 3?"),
        ("numerical_gradient", "down[index] -= step", "pass", "a difference to one side"),
        ("numerical_gradient", "up[index] += step", "pass", "a difference to the side below"),
        ("adam", *ADAM, "t is one behind: it is iterations + 1"),
        ("adam", "self.iterations += 1", "pass", "does post_update_params count iterations?"),
        ("adam", "self.epsilon = epsilon", "pass", "`self.epsilon` is read here, but was not"),
        ("sgd", "self.learning_rate = learning_rate", "pass", "__init__ has to set it"),
    ],
)
def test_a_common_mistake_is_named_first(name: str, old: str, new: str, hint: str) -> None:
    report = changed(name, (old, new))
    assert not report.passed
    assert hint in report.hints[0], report


@pytest.mark.parametrize(
    ("name", "losses", "gradient", "hint"),
    [
        (
            "categorical_crossentropy",
            "-np.log(y_pred[y_true])",
            None,
            f"y_pred[y_true] takes whole rows: {ONE}",
        ),
        (
            "categorical_crossentropy",
            "-np.log(y_pred[:, y_true])",
            None,
            f"y_pred[:, y_true] takes whole columns: {ONE}",
        ),
        (
            "binary_crossentropy",
            None,
            "(y_pred - y_true) / y_pred.size",
            "with respect to the logits",
        ),
        (
            "binary_crossentropy",
            None,
            "(y_pred - y_true) / len(y_pred)",
            "with respect to the logits",
        ),
        ("binary_crossentropy", None, "y_pred - y_true", "with respect to the logits"),
    ],
)
def test_a_common_mistake_in_a_loss(
    name: str, losses: str | None, gradient: str | None, hint: str
) -> None:
    exercise = exercises.get(name)
    names: dict[str, Any] = {"__name__": "answer", "np": np}
    exec(exercise.solution, names)
    right = names[exercise.defines[0]]

    class Mine(right):  # type: ignore[misc,valid-type]
        def forward(self, y_pred: Any, y_true: Any) -> Any:
            return eval(losses) if losses else super().forward(y_pred, y_true)

        def backward(self, y_pred: Any, y_true: Any) -> None:
            super().backward(y_pred, y_true)
            if gradient:
                self.dinputs = eval(gradient)

    report = exercise.report({exercise.defines[0]: Mine})
    assert hint in report.hints[0], report


@pytest.mark.parametrize("name", ["relu", "mean_squared_error"])
def test_backward_by_another_name(name: str) -> None:
    report = changed(name, ("def backward", "def backwards"))
    assert "must have a method backward, and has backwards, to be named backward" in str(report)
    report = changed(name, ("def backward", "def derive"))
    assert "must have a method backward, and has none" in str(report)


def test_wrong_gradients_of_dropout_are_called_dinputs() -> None:
    report = changed("dropout", ("self.dinputs = dvalues * self.mask", "self.dinputs = 'abc'"))
    assert "dinputs should hold numbers, received str" in str(report)
