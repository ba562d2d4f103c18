"""Arguments of ``Model.train`` that are refused, or that bring a warning."""

from typing import Any

import numpy as np
import pytest

from datasets import one_hot_encode
from framework import (
    Callback,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Loss,
    MeanSquaredError,
    Model,
    Softmax,
)
from optimizers import SGD
from tests.framework.training.classifiers import X, classifier, y


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, received 0"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be a whole number"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"print_every": 0}, ValueError, "print_every must be at least 1"),
        ({"validation_split": 1.0}, ValueError, "validation_split must be"),
        ({"validation_split": 0.001}, ValueError, "leaves none to validate on"),
        ({"validation_split": 0.999}, ValueError, "leaves none to train on"),
        ({"validation_split": 0.1, "validation_data": (X, y)}, ValueError, "not both"),
        ({"validation_data": X}, TypeError, "validation_data without targets must be an iterable"),
        ({"validation_data": (X,)}, ValueError, r"must be a pair \(X_val, y_val\)"),
        ({"validation_data": iter([(X, y)])}, TypeError, "validation_data is an iterator"),
        ({"transform": 255}, TypeError, "transform must be a function"),
        ({"transform": lambda X: X[:, :1]}, ValueError, r"transform\(X\): Dense\(2, 8\) expects"),
        ({"transform": lambda X: X[1:]}, ValueError, r"transform\(X\)"),
        ({"callbacks": Callback()}, TypeError, "callbacks must be a list"),
        ({"callbacks": [Callback]}, TypeError, "a callback needs on_train_begin"),
        ({"callbacks": [print]}, TypeError, "a callback needs on_train_begin"),
    ],
)
def test_impossible_options_are_refused_before_anything_changes(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(X, y, progress=False, **options)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_a_model_without_parameters_is_refused() -> None:
    model = Model([Dropout(0.5), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    with pytest.raises(ValueError, match="has no parameters to train"):
        model.train(X, np.zeros(60), progress=False)


def test_sorted_labels_without_shuffling_bring_a_warning_once() -> None:
    for labels in (y, one_hot_encode(y, 3)):
        with pytest.warns(UserWarning, match="sorted by class") as caught:
            classifier().train(X, labels, epochs=3, shuffle=False, progress=False)
        assert len(caught) == 1
        assert caught[0].filename == __file__


def test_there_is_no_warning_if_the_order_does_no_harm() -> None:
    mixed = np.random.default_rng(0).permutation(60)
    classifier().train(X, y, progress=False)
    classifier().train(X, y, batch_size=None, shuffle=False, progress=False)
    classifier().train(X[mixed], y[mixed], shuffle=False, progress=False)


def test_sorted_targets_of_a_regression_bring_no_warning() -> None:
    class SquaredError(Loss):
        regression = True

        def forward(self, y_pred: Any, y_true: Any) -> Any:
            return ((y_pred - self.check_targets(y_true, y_pred.shape).reshape(-1, 1)) ** 2).mean(1)

        def backward(self, y_pred: Any, y_true: Any) -> Any:
            self.dinputs = 2 * (y_pred - np.reshape(y_true, (-1, 1))) / y_pred.size
            return self.dinputs

    for loss in (MeanSquaredError(), SquaredError()):
        model = Model([Dense(2, 1)])
        model.set(loss=loss, optimizer=SGD(0.01))
        model.finalize()
        model.train(X, y, shuffle=False, progress=False)
