"""Networks that do not fit together, and calls that come too early."""

from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Linear,
    Model,
    ReLU,
    Softmax,
)
from tests.framework.networks import X, classifier, y


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (
            [Dense(2, 32), Dense(64, 3)],
            r"Dense\(64, 3\) expects inputs of shape \(samples, 64\), received \(samples, 32\): "
            r"the operation before it, Dense\(2, 32\), gives 32 values per sample",
        ),
        (
            [Dense(2, 32), ReLU(), Dropout(0.1), Dense(64, 3)],
            r"the operation before it, Dropout\(0.1\), after Dense\(2, 32\), gives 32 values",
        ),
        ([Dense(2, 4), BatchNormalization(3)], r"BatchNormalization\(3\) expects inputs"),
    ],
)
def test_neighbours_that_do_not_fit_are_both_named(operations: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Model(operations).finalize()


def test_a_model_without_operations_is_refused() -> None:
    with pytest.raises(ValueError, match="the model has no operations"):
        Model().finalize()


@pytest.mark.parametrize("operation", [Dense, "relu", None, np.tanh])
def test_what_is_no_operation_is_refused(operation: object) -> None:
    with pytest.raises(TypeError, match="needs forward and backward methods"):
        Model([operation])


def test_the_same_object_cannot_stand_twice() -> None:
    activation = ReLU()
    with pytest.raises(ValueError, match=r"ReLU\(\) is already operation 2"):
        Model([Dense(2, 2), activation, Dense(2, 2), activation])


def test_operations_of_different_dtypes_need_a_decision() -> None:
    operations = [Dense(2, 3), Dense(3, 2, dtype="float64")]
    with pytest.raises(ValueError, match=r"is float32 but Dense\(3, 2, dtype='float64'\) is"):
        Model(operations).finalize()
    model = Model(operations, dtype="float64")
    model.finalize()
    assert model.predict(X).dtype == np.float64
    assert model.layers[0].dtype == "float64"


def test_batch_normalization_follows_the_dtype_of_the_model_with_all_it_has() -> None:
    layer = BatchNormalization(2)
    Model([layer], dtype="float64").finalize()
    assert layer.running_mean.dtype == layer.weights.dtype == np.float64


@pytest.mark.parametrize(
    ("role", "value"),
    [("loss", ReLU), ("loss", "mse"), ("optimizer", Dense(2, 2)), ("accuracy", 0.5)],
)
def test_settings_of_the_wrong_kind_are_refused(role: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"the {role} needs"):
        Model([Dense(2, 2)]).set(**{role: value})


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.predict(X),
        lambda m: m.predict_classes(X),
        lambda m: m.evaluate(X, y),
        lambda m: m.train(X, y),
        lambda m: m.forward(X),
        lambda m: m.calculate_loss(X, y),
        lambda m: m.backward(y),
        lambda m: m.parameters,
    ],
)
def test_a_model_has_to_be_finalized_first(use: Any) -> None:
    with pytest.raises(RuntimeError, match=r"not finalized: call finalize\(\) first"):
        use(classifier(finalize=False))
    for change in (lambda m: m.add(Linear()), lambda m: m.layers.pop()):
        model = classifier()
        change(model)
        with pytest.raises(RuntimeError, match="not finalized: its operations changed"):
            use(model)


def test_backward_scales_the_gradient_of_the_data_and_not_that_of_the_penalties() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=0.1), Softmax()], dtype="float64")
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    gradients = []
    for scale in (1.0, 3.0):
        model.calculate_loss(X, y)
        model.backward(y, scale=scale)
        gradients.append(model.parameters.dweights.copy())
    penalties = np.concatenate([(0.2 * model.layers[0].weights).ravel(), np.zeros(3)])
    np.testing.assert_allclose(gradients[1] - penalties, 3 * (gradients[0] - penalties), rtol=1e-9)


def test_backward_needs_a_loss_to_go_back_from() -> None:
    with pytest.raises(RuntimeError, match="call calculate_loss first"):
        classifier().backward(y)


def test_training_and_evaluating_need_what_set_gives() -> None:
    model = Model([Dense(2, 3), Softmax()])
    model.finalize()
    with pytest.raises(RuntimeError, match=r"call set\(loss=..., optimizer=...\)"):
        model.train(X, y)
    with pytest.raises(RuntimeError, match=r"call set\(loss=...\)"):
        model.evaluate(X, y)
