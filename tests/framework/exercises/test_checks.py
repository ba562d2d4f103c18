"""Answers of learners: right ones pass, wrong ones are caught, and the mistake is named."""

from typing import Any

import numpy as np
import pytest

from framework import (
    CategoricalCrossentropy,
    Dense,
    Dropout,
    MeanSquaredError,
    ReLU,
    SoftmaxCategoricalCrossentropy,
)
from framework.exercises import Report, check_loss, check_operation, check_optimizer
from framework.layers import BatchNormalization
from optimizers import SGD, Adam
from tests.every import LOSSES, OPTIMIZERS, operations_for
from tests.framework.exercises import (
    right_losses,
    right_operations,
    wrong_activations,
    wrong_layers,
    wrong_losses,
    wrong_optimizers,
)

WRONG = [
    *((check_operation, *case) for case in wrong_activations.WRONG + wrong_layers.WRONG),
    *((check_loss, *case) for case in wrong_losses.WRONG),
    *((check_optimizer, *case) for case in wrong_optimizers.WRONG),
]
RIGHT = [
    *((check_operation, *case) for case in right_operations.RIGHT),
    *((check_loss, *case) for case in right_losses.LOSSES),
    *((check_optimizer, *case) for case in right_losses.OPTIMIZERS),
]
OURS: list[Any] = [
    *((check_operation, operation, operation) for operation in operations_for(4)),
    *((check_loss, loss, loss) for loss in LOSSES),
    *((check_optimizer, optimizer, optimizer) for optimizer in OPTIMIZERS),
]


def named(case: Any) -> str | None:
    return type(case).__name__ if not callable(case) and not isinstance(case, str) else None


def test_there_are_many_of_both() -> None:
    assert len(WRONG) >= 60
    assert len(RIGHT) >= 30


@pytest.mark.parametrize(("check", "mine", "like"), RIGHT, ids=named)
def test_a_right_answer_passes_whatever_its_style(check: Any, mine: Any, like: Any) -> None:
    report = check(mine, like=like)
    assert report.passed, report
    assert report.points == report.max_points > 0


@pytest.mark.parametrize(("check", "mine", "like"), OURS, ids=named)
def test_everything_that_is_exported_equals_itself(check: Any, mine: Any, like: Any) -> None:
    check(mine, like=like).assert_passed()


@pytest.mark.parametrize(("check", "mine", "like", "hint"), WRONG, ids=named)
def test_a_wrong_answer_is_caught_and_the_first_hint_names_the_mistake(
    check: Any, mine: Any, like: Any, hint: str
) -> None:
    report: Report = check(mine, like=like)
    assert not report.passed
    assert report.points < report.max_points
    first = report.hints[0] if report.hints else ""
    assert any(part in first for part in hint.split("|")), report


def test_a_report_prints_each_check_and_the_hint_below_it() -> None:
    class Mine:
        def forward(self, inputs: Any) -> None:
            self.output = np.maximum(0, inputs)

        def backward(self, dvalues: Any) -> None:
            self.dinputs = -dvalues * (self.output > 0)

    report = check_operation(Mine(), like=ReLU())
    lines = str(report).splitlines()
    assert lines[0] == "Mine(), like ReLU(): not right yet, 6 of 13 points"
    assert lines[1].split() == ["right", "output"]
    assert lines[2].startswith("  WRONG  dinputs")
    assert " of 20 numbers differ: at [" in lines[2]
    assert lines[3].strip() == report.checks[1].hint.join(["→ ", ""])
    with pytest.raises(AssertionError, match="opposite sign"):
        report.assert_passed()
    assert report.as_dict()["hints"] == report.hints
    assert "opposite sign" in report._repr_html_()


def test_what_is_checked_stays_as_it_was() -> None:
    layer, dropout = Dense(4, 3), Dropout(0.5)
    before = layer.weights.copy()
    state = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    for operation in (layer, dropout):
        check_operation(operation, like=operation)
        assert not hasattr(operation, "output")
    assert np.array_equal(layer.weights, before)
    assert np.array_equal(np.random.get_state()[1], state)  # type: ignore[index]


def test_an_exception_is_told_with_its_line_and_counts_as_wrong() -> None:
    class Raises:
        def forward(self, inputs: Any) -> None:
            self.output = inputs.transposed()

        def backward(self, dvalues: Any) -> None:
            raise SystemExit

    report = check_operation(Raises(), like=ReLU())
    message = report.checks[0].message
    assert message.startswith("test_checks.py, line ")
    assert "in forward `self.output = inputs.transposed()`: AttributeError" in message
    assert report.points == 0


class OnlyForward:
    def forward(self, inputs: Any) -> None:
        self.output = inputs


@pytest.mark.parametrize(
    ("check", "mine", "like"),
    [
        (check_operation, ReLU, ReLU()),
        (check_operation, ReLU(), ReLU),
        (check_operation, object(), ReLU()),
        (check_operation, OnlyForward(), ReLU()),
        (check_operation, ReLU(), MeanSquaredError()),
        (check_operation, ReLU(), SoftmaxCategoricalCrossentropy()),
        (check_loss, MeanSquaredError, MeanSquaredError()),
        (check_loss, MeanSquaredError(), ReLU()),
        (check_optimizer, Adam, Adam()),
        (check_optimizer, Adam(), object()),
        (check_optimizer, ReLU(), SGD()),
    ],
    ids=str,
)
def test_what_is_no_answer_is_refused(check: Any, mine: Any, like: Any) -> None:
    with pytest.raises(TypeError, match="must (be|have)"):
        check(mine, like=like)


def test_inputs_of_the_users_choice() -> None:
    images = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    check_operation(
        BatchNormalization(2), like=BatchNormalization(2), inputs=images
    ).assert_passed()
    with pytest.raises(ValueError, match="expects inputs of shape"):
        check_operation(Dense(2, 3), like=Dense(2, 3), inputs=[[1.0, 2.0, 3.0]])


class Entropy:
    """Right, where its parts are not replaced by those of a case."""

    def __init__(self, clip: Any, values: Any = np.asarray) -> None:
        self.clip, self.values = clip, values

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        rows = np.eye(y_pred.shape[1])[y_true] if y_true.ndim == 1 else y_true
        return self.values(-np.log((self.clip(y_pred) * rows).sum(axis=1)))

    def backward(self, y_pred: Any, y_true: Any) -> None:
        rows = np.eye(y_pred.shape[1])[y_true] if y_true.ndim == 1 else y_true
        self.dinputs = self.values(-rows / self.clip(y_pred) / len(y_pred))


@pytest.mark.parametrize("size", [1e-15, 1e-12, 1e-7, 1e-4])
def test_any_small_clip_is_right(size: float) -> None:
    mine = Entropy(lambda p: np.clip(p, size, 1 - size))
    check_loss(mine, like=CategoricalCrossentropy()).assert_passed()
    check_loss(Entropy(lambda p: p + size), like=CategoricalCrossentropy())


@pytest.mark.parametrize(
    ("clip", "name", "hint"),
    [
        (lambda p: np.clip(p, 0.05, 0.95), "extremes", "at most 0.0001"),
        (lambda p: np.clip(p, 1e-3, 1 - 1e-3), "extremes", "at most 0.0001"),
        (lambda p: np.clip(p, 1e-7, 1 - 1e-7, out=p), "given arrays", "make a new array"),
    ],
)
def test_a_clip_that_changes_more_than_certain_predictions(clip: Any, name: str, hint: str) -> None:
    report = check_loss(Entropy(clip), like=CategoricalCrossentropy())
    assert [check.name for check in report.checks if not check.passed] == [name]
    assert hint in report.hints[0]


def small(p: Any) -> Any:
    return np.clip(p, 1e-7, 1 - 1e-7)


class Converted:
    """A right ReLU whose results are converted."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def forward(self, inputs: Any) -> None:
        self.inputs = inputs
        self.output = self.values(np.maximum(0, inputs))

    def backward(self, dvalues: Any) -> None:
        self.dinputs = self.values(dvalues * (self.inputs > 0))


class ConvertedDropout(Converted):
    def forward(self, inputs: Any, training: bool) -> None:
        kept = (np.random.random(inputs.shape) >= 0.5) / 0.5
        self.mask = kept if training else np.ones_like(inputs)
        self.output = self.values(inputs * self.mask)

    def backward(self, dvalues: Any) -> None:
        self.dinputs = self.values(dvalues * self.mask)


@pytest.mark.parametrize(
    ("check", "answer", "like"),
    [
        (check_operation, Converted, ReLU()),
        (check_operation, ConvertedDropout, Dropout(0.5)),
        (check_loss, lambda values: Entropy(small, values), CategoricalCrossentropy()),
    ],
)
@pytest.mark.parametrize(
    ("values", "told"),
    [
        (lambda a: a.tolist(), "expected an array, received list"),
        (np.matrix, "expected a plain array, received np.matrix"),
        (np.ma.masked_array, "expected a plain array, received np.MaskedArray"),
        (lambda a: a.astype(object), "object"),
        (lambda a: a.astype(np.float16), "float16"),
        (lambda a: a.astype(complex), "complex128"),
    ],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_what_is_no_array_of_floats_is_wrong(
    check: Any, answer: Any, like: Any, values: Any, told: str
) -> None:
    report = check(answer(values), like=like)
    assert not report.passed
    assert told in str(report)
    assert report.points < report.max_points / 2


def test_a_list_is_told_how_to_become_an_array() -> None:
    report = check_operation(Converted(lambda a: a.tolist()), like=ReLU())
    assert report.hints[0] == "return an array: np.array(…)"


@pytest.mark.parametrize(
    ("check", "answer", "like"),
    [
        (check_operation, Converted, ReLU()),
        (check_operation, ConvertedDropout, Dropout(0.5)),
        (check_loss, lambda values: Entropy(small, values), CategoricalCrossentropy()),
    ],
)
def test_float64_is_right_for_float32_but_not_the_other_way(
    check: Any, answer: Any, like: Any
) -> None:
    check(answer(lambda a: a.astype(np.float64)), like=like).assert_passed()
    report = check(answer(lambda a: a.astype(np.float32)), like=like)
    assert [c.name for c in report.checks if not c.passed] == ["dtype"]
    assert "is float32, though it was computed from float64" in str(report).replace("are", "is")


def test_what_an_answer_leaves_on_a_class_is_gone_in_the_next_check() -> None:
    class Leaves:
        def update_params(self, layer: Any) -> None:
            cls: Any = type(layer)
            cls.count = getattr(cls, "count", 0) + 1
            layer.weights -= 0.1 * cls.count * layer.dweights
            layer.biases -= 0.1 * layer.dbiases

    class Right:
        def update_params(self, layer: Any) -> None:
            layer.weights -= 0.1 / getattr(layer, "count", 1) * layer.dweights
            layer.biases -= 0.1 * layer.dbiases

    assert not check_optimizer(Leaves(), like=SGD(0.1)).passed
    check_optimizer(Right(), like=SGD(0.1)).assert_passed()


@pytest.mark.parametrize("inputs", [3.0, [1.0, 2.0], np.ones((0, 4)), np.ones((2, 0))])
def test_inputs_that_are_no_batch_are_refused(inputs: Any) -> None:
    for like in (ReLU(), Dropout(0.5)):
        with pytest.raises(ValueError, match=r"must be a batch, \(samples, ...\), received shape"):
            check_operation(like, like=like, inputs=inputs)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_inputs_that_are_not_finite_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="inputs must be finite"):
        check_operation(ReLU(), like=ReLU(), inputs=[[1.0, number]])


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.5, 0.9, 0.99, 0.995])
def test_dropout_with_any_rate_equals_itself_and_no_other(rate: float) -> None:
    check_operation(Dropout(rate), like=Dropout(rate)).assert_passed()
    assert not check_operation(Dropout(0.3), like=Dropout(rate)).passed
    # Nothing is kept, or everything is.
    report = check_operation(ConvertedDropout(np.zeros_like), like=Dropout(rate))
    assert not report.checks[0].passed
    assert not check_operation(OneAfterAnother(), like=Dropout(rate)).passed


class OneAfterAnother(OnlyForward):
    def backward(self, dvalues: Any) -> None:
        self.dinputs = dvalues


class DropoutOfImages:
    """Right for images alone."""

    def forward(self, inputs: Any, training: bool) -> None:
        n, height, width, channels = inputs.shape
        assert (height, width, channels) == (3, 4, 2)
        kept = (np.random.random((n, height, width, channels)) >= 0.3) / 0.7
        self.mask = kept if training else np.ones_like(inputs)
        self.output = inputs * self.mask

    def backward(self, dvalues: Any) -> None:
        self.dinputs = dvalues * self.mask


def test_inputs_of_the_users_choice_for_what_is_random() -> None:
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 2))
    images[0, 0] = 0
    check_operation(DropoutOfImages(), like=Dropout(0.3), inputs=images).assert_passed()
    check_operation(Dropout(0.3), like=Dropout(0.3), inputs=images).assert_passed()
    assert not check_operation(DropoutOfImages(), like=Dropout(0.3)).passed
