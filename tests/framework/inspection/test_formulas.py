"""The formulas in docstrings: they are found, understood, and true."""

import copy
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from framework import BatchNormalization, Dense, Dropout, LayerNormalization, Model, Scale
from framework.activations import Activation
from framework.inspection.arithmetic import Scope, evaluate
from framework.inspection.expressions import NotUnderstood, names_in, parse
from framework.inspection.formulas import formulas_of
from framework.inspection.trace import trace
from framework.inspection.worked import Writer, number
from framework.losses import Loss
from framework.operation import Operation
from optimizers import SGD, Optimizer
from tests.every import LOSSES, OPTIMIZERS, operations_for, suitable

# Operations whose numbers can always be worked out. The formulas of others may speak of windows,
# pixels or steps, or there may be none; but what is worked out has to be right for all of them.
ALWAYS = (Activation, Dense, BatchNormalization, LayerNormalization, Dropout, Scale)


CALCULATED = {
    "BinaryCrossentropy", "CategoricalCrossentropy", "Huber", "MeanAbsoluteError",
    "MeanSquaredError", "SigmoidBinaryCrossentropy", "SoftmaxCategoricalCrossentropy",
}  # fmt: skip


def value(text: str, shape: tuple[int, ...] = (), **names: Any) -> np.ndarray:
    return evaluate(parse(text), Scope(names), shape)


def written(text: str, index: tuple[int, ...], shape: tuple[int, ...], **names: Any) -> str:
    return Writer(Scope(names), shape).write(parse(text), index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 / 2 / 2", 2),
        ("2 (3 + 4)", 14),
        ("2a b", 30),
        ("-a²", -9),
        ("2^3 - 1", 7),
        ("√(a² + 16)", 5),
        ("√a²", 3),
        ("|a - b| / 2", 1),
        ("aᵗ", 81),
        ("e^(-a)", math.exp(-3)),
        ("tanh²(a)", math.tanh(3) ** 2),
        ("log a * 2", 2 * math.log(3)),
        ("max(a, b) - min(a, b)", 2),
        ("clip(b, -1, 1) + sign(-a)", 0),
        ("1.5… * 2", 3),
        ("a[s, j] b[y[s]]", 15),
        ("a   over all samples", 3),
    ],
)
def test_a_formula_is_worth_what_it_says(text: str, expected: float) -> None:
    assert value(text, a=3, b=5, t=4) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "(1", "1)", "|a", "max(1", "max of the window", "a ? b", "Σ", "(" * 50, "1 " * 300],
)
def test_what_is_no_formula_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        value(text)


def test_products_of_matrices_and_sums() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(value("a @ b", a=a, b=b), a @ b)
    np.testing.assert_array_equal(value("aᵀ @ a", a=a), a.T @ a)
    np.testing.assert_array_equal(value("Σ a", (1, 3), a=a), a.sum(axis=0, keepdims=True))
    np.testing.assert_array_equal(value("Σₖ a_k", a=a), a.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(value("mean over j of a²", a=a), (a**2).mean(axis=1))
    with pytest.raises(NotUnderstood):
        value("a @ a", a=a)


def test_a_choice_goes_by_its_comparison() -> None:
    text = "a         where a > 0\n2 * a     elsewhere"
    np.testing.assert_array_equal(value(text, a=np.array([-1.0, 3.0])), [-2, 3])
    assert names_in(parse(text)) == {"a"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a @ b + c", "1·0.5 + -2·0.25 + 3"),
        ("a * c - c", "-2·3 - 3"),
        ("c - a", "3 - (-2)"),
        ("c / (a + 1)", "3 / (-2 + 1)"),
        ("(c - a) * a²", "(3 - (-2))·(-2)²"),
        ("-a", "-(-2)"),
        ("e^a", "e^(-2)"),
        ("max(0, a)", "max(0, -2)"),
    ],
)
def test_numbers_are_written_in_place_of_names(text: str, expected: str) -> None:
    a, b = np.array([[1.0, -2.0]]), np.array([[9.0, 0.5], [9.0, 0.25]])
    assert written(text, (0, 1), (1, 2), a=a, b=b, c=3.0) == expected


def test_a_long_sum_says_how_many_terms_are_left_out() -> None:
    a = np.arange(1.0, 301.0).reshape(300, 1)
    assert written("Σ a", (0, 0), (1, 1), a=a) == "1 + 2 + 3 + 4 + … 296 more"
    assert written("aᵀ @ a", (0, 0), (1, 1), a=a) == "1·1 + 2·2 + 3·3 + 4·4 + … 296 more"


def every_first_and_last(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [(0,) * len(shape), tuple(size - 1 for size in shape)]


@pytest.mark.parametrize("operation", operations_for(3), ids=repr)
def test_the_formulas_of_every_operation_give_its_numbers(operation: Operation) -> None:
    operation = copy.deepcopy(operation)
    inputs = suitable(operation, np.random.default_rng(0).normal(size=(5, 3)))
    model = Model([operation])

    class Weighed(Loss):
        """Some gradient for every output."""

        def forward(self, y_pred: Any, y_true: Any) -> Any:
            self.slopes = np.random.default_rng(1).normal(size=np.shape(y_pred))
            return (y_pred * self.slopes).reshape(len(y_pred), -1).sum(axis=1)

        def backward(self, y_pred: Any, y_true: Any) -> Any:
            self.dinputs = self.slopes
            return self.dinputs

    model.set(loss=Weighed(), optimizer=SGD())
    model.finalize()
    (found,) = trace(model, inputs, np.zeros(len(inputs))).operations
    names = {"output", "dinputs", *("d" + parameter.name for parameter in found.parameters)}
    lines = {
        name: [found.line(name, index) for index in every_first_and_last(array.shape)]
        for name, array in found.calculation.results.items()
        if name in names
    }
    assert lines.keys() == names
    for name, both in lines.items():
        for line, index in zip(both, every_first_and_last(found_shape(found, name)), strict=True):
            assert line or not isinstance(operation, ALWAYS)
            if line:
                result = found.calculation.results[name][index]
                shown = line.split("   (")[0].split(" = ")
                assert shown[0] == f"{name}[{', '.join(map(str, index))}]"
                assert shown[-1] == number(float(result))


def found_shape(found: Any, name: str) -> tuple[int, ...]:
    return np.shape(found.calculation.results[name])


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_the_formulas_of_every_loss_give_its_numbers(loss: Loss) -> None:
    generator = np.random.default_rng(0)
    predictions, targets = loss.example(generator, (5, 3))

    class Given:
        def forward(self, inputs: Any) -> None:
            self.output = inputs

        def backward(self, dvalues: Any) -> None:
            self.dinputs = dvalues

    model = Model([Given(), Dense(3, 3, dtype="float64")])
    model.layers[1].weights = np.eye(3)
    model.set(loss=copy.deepcopy(loss), optimizer=SGD())
    model.finalize()
    found = trace(model, predictions, targets).loss
    # As for operations: the formulas of others may be in words, but no line may be wrong.
    always = type(loss).__name__ in CALCULATED
    for line, result in (
        (found.line("loss", (4,)), found.losses[4]),
        (found.line("dinputs", (4, 2)), found.dinputs[4, 2]),
    ):
        assert line or not always
        assert not line or line.split("   (")[0].endswith(number(float(result)))
    assert found.value == pytest.approx(found.losses.mean())


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("limit", [None, 0.5])
def test_the_formulas_of_every_optimizer_lead_to_the_parameters_after_its_step(
    optimizer: Optimizer, limit: float | None
) -> None:
    optimizer = type(optimizer)(**optimizer.configuration() | {"max_gradient_norm": limit})
    layer = Dense(2, 3, dtype="float64")
    model = Model([layer])
    model.set(loss=Loss_of_squares(), optimizer=optimizer)
    model.finalize()
    generator = np.random.default_rng(0)
    for _ in range(3):
        X, y = generator.normal(size=(4, 2)), generator.normal(size=(4, 3))
        found = trace(model, X, y)
        weights = found.operations[0].parameters[0]
        lines = weights.lines((1, 2))
        model.train(X, y, batch_size=None, progress=False)
        np.testing.assert_allclose(weights.after, layer.weights, rtol=1e-12)
        assert lines[-1 if "momentum = " not in lines[-1] else -2].startswith("parameter = ")
        assert any(line.endswith(f" = {number(weights.after[1, 2])}") for line in lines)
        assert (limit is None) or lines[0].startswith("gradient = ")


class Loss_of_squares(Loss):
    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return ((y_pred - y_true) ** 2).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) / y_pred.size
        return self.dinputs


def test_arguments_decide_which_formula_holds() -> None:
    def formula(optimizer: SGD) -> str:
        return str([one for one in formulas_of(optimizer) if one.name == "parameter"][-1])

    assert formula(SGD(0.1, momentum=0.9)) == "parameter = parameter + velocity"
    assert "momentum * velocity" in formula(SGD(0.1, momentum=0.9, nesterov=True))


def test_a_class_has_the_formulas_of_its_base_unless_it_computes_something_else() -> None:
    class Named(Dense):
        pass

    class Other(Dense):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            return super().forward(inputs) + 1

    assert formulas_of(Named(2, 3)) == formulas_of(Dense(2, 3))
    assert formulas_of(Other(2, 3)) == []
    assert formulas_of(SimpleNamespace()) == []


def test_formulas_that_are_wrong_are_not_worked_out() -> None:
    class Doubled:
        """``output = 3 * inputs``, it says."""

        def forward(self, inputs: Any) -> None:
            self.output = 2 * inputs

        def backward(self, dvalues: Any) -> None:
            self.dinputs = 2 * dvalues

    model = Model([Doubled(), Dense(2, 1)])
    model.set(loss=Loss_of_squares(), optimizer=SGD())
    model.finalize()
    found = trace(model, [[1.0, 2.0]], [[1.0]]).operations[0]
    assert [str(one) for one in found.formulas] == ["output = 3 * inputs"]
    assert found.line("output", (0, 1)) == ""
