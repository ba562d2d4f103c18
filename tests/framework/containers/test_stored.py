"""What an operation, a loss or an optimizer of one's own leaves out is said in one sentence."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from framework import Dense, MeanSquaredError, Model, Tanh, check_gradients
from optimizers import SGD, Optimizer

X = np.random.default_rng(0).normal(size=(6, 2))
Y = np.random.default_rng(1).normal(size=(6, 2))

VERBS: dict[str, Callable[[Model], Any]] = {
    "train": lambda model: model.train(X, Y, progress=False),
    "train in micro-batches": lambda model: model.train(X, Y, batch_size=2, progress=False),
    "diagnose": lambda model: model.diagnose(X, Y),
    "check_gradients": lambda model: check_gradients(model, X, Y),
    "by hand": lambda model: (model.calculate_loss(X, Y), model.backward(Y)),
}


class Doubles:
    def forward(self, inputs: Any) -> Any:
        self.output = 2 * inputs
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = 2 * dvalues
        return self.dinputs


class OnlyReturnsOutput(Doubles):
    def forward(self, inputs: Any) -> Any:
        return 2 * inputs


class StoresNoOutput(Doubles):
    def forward(self, inputs: Any) -> Any:
        pass


class OnlyReturnsDinputs(Doubles):
    def backward(self, dvalues: Any) -> Any:
        return 2 * dvalues


class StoresNoDinputs(Doubles):
    dinputs = None

    def backward(self, dvalues: Any) -> Any:
        pass


class StoresNoDbiases(Doubles):
    def __init__(self) -> None:
        self.weights, self.biases = np.ones((1, 2)), np.zeros((1, 2))

    def backward(self, dvalues: Any) -> Any:
        self.dweights = dvalues.sum(axis=0, keepdims=True)
        return super().backward(dvalues)


class ReturnsNoLosses(MeanSquaredError):
    def forward(self, y_pred: Any, y_true: Any) -> Any:
        super().forward(y_pred, y_true)


class OnlyReturnsGradient:
    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return np.square(y_pred - y_true).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.size


def model(operation: Any = None, loss: Any = None, optimizer: Any = None) -> Model:
    network = Model([Dense(2, 2), operation or Tanh(), Dense(2, 2)])
    network.set(loss=loss or MeanSquaredError(), optimizer=optimizer or SGD(0.1))
    network.finalize()
    return network


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (OnlyReturnsOutput, r"OnlyReturnsOutput\(\) has no output: its forward has to store it"),
        (StoresNoOutput, r"StoresNoOutput\(\) has no output: its forward has to store it"),
        (OnlyReturnsDinputs, r"OnlyReturnsDinputs\(\) has no dinputs: its backward has to store"),
        (StoresNoDinputs, r"StoresNoDinputs\(\) has no dinputs: its backward has to store it"),
    ],
)
def test_an_operation_that_stores_too_little_is_named(
    verb: Callable[[Model], Any], operation: type, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        verb(model(operation()))


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (ReturnsNoLosses, r"ReturnsNoLosses\(\) gives no losses: its forward has to return one"),
        (OnlyReturnsGradient, r"OnlyReturnsGradient\(\) has no dinputs: its backward has to store"),
    ],
)
def test_a_loss_that_gives_too_little_is_named(
    verb: Callable[[Model], Any], loss: type, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        verb(model(loss=loss()))


def test_a_missing_parameter_gradient_is_named() -> None:
    message = r"StoresNoDbiases\(\) has no dbiases: its backward has to store it"
    for verb in (VERBS["train"], VERBS["diagnose"]):
        with pytest.raises(ValueError, match=message):
            verb(model(StoresNoDbiases()))
    report = check_gradients(model(StoresNoDbiases()), X, Y)
    assert not report.passed
    assert "is missing: backward has to store it" in str(report)


def test_alone_they_are_named_by_check_gradients_too() -> None:
    for operation in (OnlyReturnsOutput(), StoresNoOutput()):
        with pytest.raises(ValueError, match="has no output: its forward has to store it"):
            check_gradients(operation, X)
    for subject, targets in (
        (OnlyReturnsDinputs(), None),
        (StoresNoDinputs(), None),
        (OnlyReturnsGradient(), Y),
    ):
        report = check_gradients(subject, X, targets)
        assert not report.passed
        assert "is missing: backward has to store it" in str(report)
    with pytest.raises(ValueError, match="gives no losses: its forward has to return one"):
        check_gradients(ReturnsNoLosses(), X, Y)


def test_an_error_of_the_operation_itself_is_passed_on() -> None:
    class Misspelt(Doubles):
        def backward(self, dvalues: Any) -> Any:
            return self.inptus * dvalues

    with pytest.raises(AttributeError, match="has no attribute 'inptus'"):
        VERBS["train"](model(Misspelt()))


class Plain(Optimizer):
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def update(self, parameter: Any, gradient: Any, state: Any) -> None:
        parameter -= self.rate * gradient


def test_an_optimizer_without_its_base_is_told_how_to_begin() -> None:
    message = r"Plain has no learning_rate: its __init__ has to call super\(\).__init__"
    with pytest.raises(AttributeError, match=message):
        VERBS["train"](model(optimizer=Plain(0.1)))
    for step in (
        lambda optimizer: optimizer.pre_update_params(),
        lambda optimizer: optimizer.update_params(Dense(1, 1)),
        lambda optimizer: optimizer.post_update_params(),
    ):
        with pytest.raises(AttributeError, match=message):
            step(Plain(0.1))


def test_a_whole_optimizer_answers_as_any_object_does() -> None:
    optimizer = pickle.loads(pickle.dumps(SGD(0.1)))
    assert not hasattr(optimizer, "velocity")
    with pytest.raises(AttributeError, match="SGD has no attribute 'velocity'"):
        optimizer.velocity  # noqa: B018
