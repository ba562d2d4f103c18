"""The exercises: each solution is right, each starting point is not, each file is whole."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import exercises
from framework.exercises import Exercise
from framework.exercises.catalogue import ORDER
from framework.exercises.exercise import parse
from framework.utils import rng

ALL = exercises.all()
TEXTS = Path(exercises.__file__).parent / "texts"


def names_of(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "answer"}
    exec(code, names)
    return names


@pytest.fixture(params=ALL, ids=lambda exercise: exercise.name)
def exercise(request: pytest.FixtureRequest) -> Exercise:
    found: Exercise = request.param
    return found


def test_there_are_enough_and_every_file_is_one_of_them() -> None:
    assert len(ALL) >= 25
    assert sorted(ORDER) == sorted(path.stem for path in TEXTS.glob("*.md"))
    assert len({exercise.title for exercise in ALL}) == len(ALL)


def test_the_solution_is_right(exercise: Exercise) -> None:
    report = exercise.report(names_of(exercise.solution))
    report.assert_passed()
    assert report.points == report.max_points == exercise.max_points > 0


def test_the_starting_point_is_not_and_says_what_to_do(exercise: Exercise) -> None:
    report = exercise.report(names_of(exercise.start))
    assert not report.passed
    assert report.points == 0
    assert report.max_points == exercise.max_points
    assert report.hints


def test_the_starting_point_has_gaps_and_no_mark_is_left(exercise: Exercise) -> None:
    assert "..." in exercise.start
    assert len(exercise.start) < len(exercise.solution) + 60
    for text in (exercise.start, exercise.solution, exercise.file()):
        ast.parse(text)
        assert "SOLUTION" not in text


def test_its_file_says_which_exercise_it_is_and_what_to_do(exercise: Exercise) -> None:
    text = exercise.file()
    assert text.startswith(f"# Exercise: {exercise.name}\n")
    assert ast.get_docstring(ast.parse(text)).startswith(exercise.title)  # type: ignore[union-attr]
    assert max(map(len, text.splitlines())) <= 110


def test_it_has_hints_a_topic_and_a_time(exercise: Exercise) -> None:
    assert len(exercise.hints) >= 2
    assert 5 <= exercise.minutes <= 45
    assert exercise.topic.islower()
    assert all(name in exercise.solution for name in exercise.defines)


def test_an_answer_is_checked_by_what_it_defines() -> None:
    exercise = exercises.get("perceptron")
    names = names_of(exercise.solution)
    exercise.check(names["predict"], names["update"]).assert_passed()
    exercise.check(predict=names["predict"], update=names["update"]).assert_passed()
    with pytest.raises(TypeError, match="perceptron needs predict, update, received predict"):
        exercise.check(names["predict"])


def test_the_solution_and_the_start_draw_no_numbers_of_the_users() -> None:
    exercise = parse("new", (TEXTS / "dense.md").read_text(encoding="utf-8"))
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    with rng.use_generator(np.random.default_rng(0)):
        exercise.report({"Dense": object})
        assert exercise.max_points == 34
        assert rng.generator().random() == np.random.default_rng(0).random()
    assert np.array_equal(np.random.get_state()[1], before)  # type: ignore[index]


def test_what_is_not_defined_is_named_and_costs_all_points() -> None:
    exercise = exercises.get("relu")
    report = exercise.report({})
    assert "there is no ReLU" in str(report)
    assert (report.points, report.max_points) == (0, exercise.max_points)


def test_there_is_no_such_exercise() -> None:
    with pytest.raises(ValueError, match="did you mean softmax"):
        exercises.get("sofmax")


def test_the_maximum_is_the_same_however_far_an_answer_comes(exercise: Exercise) -> None:
    class Raises:
        def __init__(self, *arguments: Any, **named: Any) -> None:
            raise ValueError

    report = exercise.report(dict.fromkeys(exercise.defines, Raises))
    assert (report.points, report.max_points) == (0, exercise.max_points)
    assert exercise.report(dict.fromkeys(exercise.defines, None)).max_points == exercise.max_points


@pytest.mark.parametrize(
    ("name", "old", "new", "points"),
    [
        ("mean_squared_error", "    def forward", "    calculate = None\n\n    def forward", 9),
        (
            "mean_squared_error",
            "    def backward",
            "    def calculate(self, y_pred, y_true):\n        return 0.0\n\n    def backward",
            9,
        ),
        ("batch_normalization", "running_mean", "running_average", 18),
        ("l2_penalty", "self.dweights += 2 * self.l2 * self.weights", "pass", 2),
        ("l2_penalty", "return self.l2 * np.sum(self.weights**2)", "pass", 17),
    ],
)
def test_points_of_a_part(name: str, old: str, new: str, points: int) -> None:
    exercise = exercises.get(name)
    assert old in exercise.solution
    report = exercise.report(names_of(exercise.solution.replace(old, new)))
    assert not report.passed
    assert (report.points, report.max_points) == (points, exercise.max_points), report


def test_what_was_given_earns_nothing_before_something_else_is_right() -> None:
    exercise = exercises.get("tanh")
    changed = exercise.start.replace("= ...", "= dvalues")
    report = exercise.report(names_of(changed))
    assert report.points == 0
    assert "1 − output" in str(report) or report.hints
    assert "more checks once something of this is right" in str(report)


@pytest.mark.parametrize(
    ("name", "old", "new", "hint"),
    [
        ("neuron", "+ bias", "- bias", "the bias is subtracted"),
        ("layer", "inputs @ weights", "inputs @ weights.T", "transposed"),
        ("perceptron", "bias > 0", "bias >= 0", "exactly 0 is not positive"),
        ("accuracy", "np.mean(", "np.sum(", "divide by the number of samples"),
        ("gradient_by_hand", "2 * (a - target)", "a - target", "the 2 is missing"),
        ("gradient_by_hand", "dz * inputs", "dz * weights", "exchanged"),
        ("numerical_gradient", "(2 * step)", "step", "divide by 2 * step"),
        ("gradient_descent", "x - learning_rate", "x + learning_rate", "goes uphill"),
        ("sequential", "dvalues = operation.dinputs", "pass", "hand each dinputs on"),
        ("l2_penalty", "+= 2 * self.l2", "+= self.l2", "a factor of 2 missing"),
        ("he_initialization", "np.sqrt(2 / n_inputs)", "2 / n_inputs", "take its root"),
        ("residual", "dvalues + self", "self", "there are two ways back"),
        ("early_stopping", "loss < self.best", "loss <= self.best", "no improvement"),
        ("convolution", "window * kernel", "window", "multiplied by the kernel"),
        ("conv2d", "dwindow\n", "0 * dwindow\n", "all 0"),
        ("momentum", "layer.weights += layer", "layer.weights -= layer", "weights: the step goes"),
        ("batch_normalization", " - along", "", "through the variance is missing"),
        ("training_step", "optimizer.update_params(operation)", "pass", "nothing is updated"),
    ],
)
def test_a_mistake_in_the_solution_is_named(name: str, old: str, new: str, hint: str) -> None:
    exercise = exercises.get(name)
    assert old in exercise.solution
    report = exercise.report(names_of(exercise.solution.replace(old, new, 1)))
    assert not report.passed
    assert any(hint in found for found in report.hints), report


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# A\n\n## Code\n", "expected the sections"),
        ("# A\n\n## Code\n\n## Tests\n\n## Hints\n", "lines of Topic, Minutes and Define"),
        (
            "# A\n\nTopic: a\nMinutes: 5\nDefine: f\n\nText.\n\n## Code\n\n## Tests\n\n## Hints\n",
            "expected a block of Python",
        ),
    ],
)
def test_a_malformed_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse("a", text)
