"""A training whose loss or parameters become NaN or infinite."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    Callback,
    CategoricalCrossentropy,
    Dense,
    DivergenceError,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
    Sequential,
    Softmax,
    Training,
)
from optimizers import SGD, Adam
from tests.framework.training.classifiers import X, y


def exploding(epoch: int) -> tuple[Model, Callback]:
    """A model, and a callback that makes its parameters huge in the middle of ``epoch``."""
    model = Model([Dense(2, 8), BatchNormalization(8), ReLU(), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    model.finalize()

    class Explode(Callback):
        def on_batch_end(self, training: Training) -> None:
            if (training.epoch, training.batch) == (epoch, 2):
                model.layers[3].weights = np.full((8, 3), 3e38)

    return model, Explode()


def test_a_loss_that_is_not_finite_is_reported_and_the_last_epoch_restored() -> None:
    model, explode = exploding(3)
    reference, _ = exploding(3)
    reference.set_parameters(model.get_parameters())
    framework.seed(4)
    reference.train(X, y, epochs=2, batch_size=20, progress=False)
    framework.seed(4)
    with pytest.raises(
        FloatingPointError,
        match=r"loss became (nan|inf) in epoch 3, the first output that is not finite is of "
        r"operation 4, Dense\(8, 3\); batch 3 of 3, at learning rate 0.01",
    ) as diverged:
        model.train(X, y, epochs=5, batch_size=20, callbacks=[explode], progress=False)
    for ours, expected in zip(model.get_parameters(), reference.get_parameters(), strict=True):
        for array, other in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(array, other)
    assert model.optimizer.iterations == reference.optimizer.iterations == 6
    assert isinstance(diverged.value, DivergenceError)
    assert len(diverged.value.history) == 2
    for network in (model, reference):
        framework.seed(5)
        network.train(X, y, batch_size=20, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, reference.parameters.weights)


def test_parameters_that_break_in_the_last_update_are_found_too() -> None:
    model = Model([Dense(2, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(1e30))
    model.finalize()
    before = model.parameters.weights.copy()
    with pytest.raises(FloatingPointError, match="parameters became NaN or infinite"):
        model.train(1e6 * X, 1e6 * X[:, 0], batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_a_penalty_that_is_not_finite_is_named() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=1.0), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    model.layers[0].weights = np.full((2, 3), 1e25)
    with pytest.raises(FloatingPointError, match="but the penalties on the parameters are not"):
        model.train(X, y, progress=False)


class Breaks(Operation):
    """Passes its inputs on. The ``step``-th backward makes NaN of one gradient."""

    parameters = ("scale",)

    def __init__(self, step: int, name: str) -> None:
        self.step, self.name, self.steps = step, name, 0
        self.scale, self.dscale = np.ones(1, np.float32), np.zeros(1, np.float32)

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = np.asarray(inputs) * self.scale
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.steps += 1
        self.dinputs, self.dscale = dvalues * self.scale, np.ones(1, np.float32)
        if self.steps == self.step:
            getattr(self, self.name).flat[0] = np.nan
        return self.dinputs


@pytest.mark.parametrize("name", ["dinputs", "dscale"])
@pytest.mark.parametrize(
    ("batch_size", "when"),
    [
        (20, r"loss became nan in epoch 1, {}, in the batch before; batch 3 of 3"),
        (
            40,
            r"parameters became NaN .* in the last update of epoch 1, {}; batch 2 of 2",
        ),
    ],
)
def test_the_backward_that_made_the_first_nan_is_named(
    name: str, batch_size: int, when: str
) -> None:
    model = Model([Dense(2, 8), ReLU(), Breaks(2, name), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    culprit = (
        rf"the first gradient that is not finite is {name} of operation 3, Breaks\(2, '{name}'\)"
    )
    with pytest.raises(DivergenceError, match=when.format(culprit)):
        model.train(X, y, batch_size=batch_size, progress=False)


def test_the_position_is_that_of_the_sequential_around_the_broken_operation() -> None:
    hidden = Sequential([Dense(2, 8), ReLU()])
    model = Model([hidden, ReLU(), Sequential([Breaks(2, "dscale"), Dense(8, 3), Softmax()])])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.raises(DivergenceError, match=r"dscale of operation 3, Breaks\(2, 'dscale'\)"):
        model.train(X, y, batch_size=20, progress=False)


def test_gradients_of_an_earlier_training_are_not_blamed() -> None:
    model = Model([Dense(2, 8), Breaks(1, "dinputs"), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.raises(DivergenceError, match="dinputs of operation 2"):
        model.train(X, y, batch_size=None, progress=False)
    model.layers[2].weights[0, 0] = np.nan
    with pytest.raises(DivergenceError, match="first output that is not finite is of operation 3"):
        model.train(X, y, batch_size=None, progress=False)
