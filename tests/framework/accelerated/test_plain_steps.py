"""A network is trained whole in compiled steps, or trains in plain NumPy and says so once."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
    Softmax,
    Step,
    activations,
)
from framework.accelerated.kernels import OPERATIONS
from optimizers import SGD, Adam
from tests.framework.accelerated.networks import (
    CLASSES,
    ONE_HOT,
    SUM,
    X,
    assert_same_history,
    both,
    classifier,
    network,
    regressor,
    train,
)


class Doubled(ReLU):
    """A class of the user's own, derived from one that has a kernel."""

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = 2 * np.maximum(inputs, 0)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = 2 * dvalues * (self.output > 0)
        return self.dinputs


class Halved(MeanSquaredError):
    """A loss of the user's own."""


class Slow(SGD):
    """An optimizer of the user's own."""


class Strict(CategoricalAccuracy):
    """An accuracy of the user's own."""


CASES: dict[str, tuple[Callable[[], Model], Any, str]] = {
    "an operation": (lambda: regressor(Doubled()), SUM, r"Doubled\(\) has no kernel"),
    "a loss": (lambda: classifier(loss=Halved()), ONE_HOT, r"Halved\(\) has no kernel"),
    "an optimizer": (
        lambda: classifier(optimizer=Slow(0.1)),
        CLASSES,
        r"Slow\(learning_rate=0.1\) has no kernel",
    ),
    "an accuracy": (lambda: classifier(accuracy=Strict()), CLASSES, r"Strict\(\) has no kernel"),
    "two parts": (
        lambda: classifier(Doubled(), accuracy=Strict()),
        CLASSES,
        r"Doubled\(\) has no kernel; Strict\(\) has no kernel",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_part_without_a_kernel_is_named_once_and_trained_in_plain_numpy(case: str) -> None:
    make, y, reason = CASES[case]
    plain, accelerated = make(), make()
    plain.finalize()
    with pytest.warns(UserWarning, match=f"trains in plain NumPy: {reason}$") as caught:
        accelerated.finalize(accelerated=True)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    expected = train(plain, y, validation_split=0.0)
    history = train(accelerated, y, validation_split=0.0)  # where a warning would be an error
    assert history.loss == expected.loss
    np.testing.assert_array_equal(accelerated.parameters.weights, plain.parameters.weights)


WITH_KERNELS = {cls for kernel in OPERATIONS for cls in kernel.operations}
WITHOUT_KERNELS = [
    getattr(activations, name)
    for name in activations.__all__
    if name != "Activation" and getattr(activations, name) not in WITH_KERNELS
]


@pytest.mark.parametrize("activation", WITHOUT_KERNELS)
def test_a_built_in_activation_without_a_kernel_is_named(activation: type) -> None:
    assert Step in WITHOUT_KERNELS  # nothing can be trained through it
    model = regressor(activation())
    with pytest.warns(UserWarning, match=f"{activation.__name__}.* has no kernel"):
        model.finalize(accelerated=True)
    assert model.trainer is None


def test_a_model_that_is_put_together_later_says_so_when_it_is_complete() -> None:
    model = Model([Dense(4, 16), Doubled(), Dense(16, 1)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.finalize(accelerated=True)
        model.set(loss=MeanSquaredError())
    with pytest.warns(UserWarning, match=r"Doubled\(\) has no kernel"):
        model.set(optimizer=SGD(0.01))


def test_a_model_without_parameters_says_so() -> None:
    model = Model([ReLU()])
    model.set(loss=MeanSquaredError(), optimizer=Adam())
    with pytest.warns(UserWarning, match="no operation before the loss has parameters"):
        model.finalize(accelerated=True)


def test_finalize_without_the_argument_is_plain_again() -> None:
    _, model = both(classifier)
    assert model.accelerated
    model.finalize()
    assert not model.accelerated
    assert model.trainer is None


def test_operations_alone_run_in_plain_numpy() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        framework.seed(3)
        for _ in range(5):
            model.calculate_loss(X, CLASSES)
            model.backward(CLASSES)
            model.optimizer.pre_update_params()
            model.optimizer.update_params(model.parameters)
            model.optimizer.post_update_params()
    np.testing.assert_array_equal(accelerated.parameters.weights, plain.parameters.weights)
    assert accelerated.layers[0].dinputs.shape == X.shape


def test_an_object_with_a_method_of_its_own_runs_as_it_is() -> None:
    _, model = both(lambda: regressor(ReLU()))
    relu = model.layers[1]
    called = []

    def forward(inputs: Any, training: bool = True) -> Any:
        called.append(len(inputs))
        return ReLU.forward(relu, inputs, training)

    relu.forward = forward
    with pytest.warns(UserWarning, match=r"ReLU\(\) was given its own forward"):
        model.finalize(accelerated=True)
    train(model, SUM, batch_size=None, epochs=2)
    assert called.count(len(X)) == 2


def test_a_method_that_an_object_is_given_later_counts_after_the_next_finalize() -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    called = []

    def noted(owner: Any, name: str) -> Any:
        original = getattr(owner, name)

        def method(*args: Any, **options: Any) -> Any:
            called.append(name)
            return original(*args, **options)

        setattr(owner, name, method)

    noted(model.layers[1], "forward")
    noted(model.layers[4], "backward")
    noted(model.optimizer, "update_params")
    noted(model, "calculate_accuracy")
    train(model, CLASSES, epochs=1)
    with pytest.warns(UserWarning, match="the model has its own calculate_accuracy; ReLU"):
        model.finalize(accelerated=True)
    called.clear()
    train(model, CLASSES, epochs=1)
    steps = ["forward", "calculate_accuracy", "backward", "update_params"]
    assert [name for name in steps if called.count(name) >= 10] == steps


def test_a_model_class_with_steps_of_its_own_has_them_called() -> None:
    class Counting(Model):
        losses = 0

        def calculate_loss(self, *args: Any, **kwargs: Any) -> float:
            self.losses += 1
            return super().calculate_loss(*args, **kwargs)

    model = Counting([Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    with pytest.warns(UserWarning, match="the model has its own calculate_loss"):
        model.finalize(accelerated=True)
    train(model, CLASSES, epochs=1)
    assert model.losses == 10


def test_a_training_in_micro_batches_is_plain() -> None:
    """Batches of thousands of samples go through in micro-batches, whose gradients add up."""

    def make() -> Model:
        framework.seed(5)
        operations: list[Operation] = [Dense(4, 8), ReLU(), Dense(8, 3), Softmax()]
        return network(*operations, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    histories = []
    for model in both(make):
        framework.seed(7)
        data = np.tile(X, (20, 1)), np.tile(CLASSES, 20)
        histories.append(model.train(*data, batch_size=None, epochs=3, progress=False))
    assert_same_history(histories[1], histories[0])
