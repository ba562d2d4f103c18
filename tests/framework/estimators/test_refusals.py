"""Arguments and data that are refused."""

import re
from typing import Any

import numpy as np
import pytest

from framework import (
    ReLU,
)
from optimizers import SGD, Adam

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
from sklearn.exceptions import DataConversionWarning, NotFittedError

from tests.framework.estimators.support import LABELS, NUMBERS, X, classifier, regressor


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"hidden_layer_sizes": (10, 0)}, ValueError, "hidden_layer_sizes must be at least 1"),
        ({"hidden_layer_sizes": "10"}, TypeError, "hidden_layer_sizes must be a whole number"),
        ({"activation": "rely"}, ValueError, "none named 'rely'; did you mean 'relu'"),
        ({"activation": ["relu", "tanh"]}, ValueError, "one for each of the 1, received 2"),
        ({"activation": ReLU}, TypeError, "needs forward and backward methods"),
        ({"dropout": 1.0}, ValueError, "dropout must be at least 0 and less than 1"),
        ({"l1": -1}, ValueError, "l1 must be 0 or greater"),
        ({"l2": "much"}, TypeError, "l2 must be a number"),
        ({"optimizer": "newton"}, ValueError, "none named 'newton'; known are adagrad, adam"),
        ({"optimizer": Adam}, TypeError, "the optimizer needs an object, not its class"),
        ({"optimizer": 3, "learning_rate": 1.0}, ValueError, "learning_rate cannot be set in 3"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be greater than 0"),
        ({"batch_size": "all"}, TypeError, "batch_size must be a whole number"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"early_stopping": True, "patience": 0}, ValueError, "patience must be at least 1"),
        ({"early_stopping": True, "validation_fraction": 1.0}, ValueError, "validation_fraction"),
        ({"random_state": "dice"}, ValueError, "'dice' cannot be used to seed"),
        ({"dtype": "float16"}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"verbose": -1}, ValueError, "verbose must be at least 0"),
        ({"class_weight": "heavy"}, TypeError, 'class_weight must be "balanced" or'),
        ({"class_weight": {"low": -1}}, ValueError, "must be 0 or greater"),
    ],
)
def test_impossible_arguments_are_refused_in_fit(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    network = classifier(**arguments)
    with pytest.raises(error, match=message):
        network.fit(X, LABELS)
    with pytest.raises(NotFittedError):
        network.predict(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["only"] * 90, r"y has only one class, \['only'\]"),
        (np.stack([NUMBERS > 0, 2 * (NUMBERS > 1)], axis=1), "columns with other values"),
        (NUMBERS, "Unknown label type"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y)


def test_labels_stay_of_one_kind() -> None:
    several = np.stack([NUMBERS > 0, NUMBERS > 1], axis=1).astype(int)
    network = classifier().partial_fit(X, several, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y had 2 columns in the first fit, received .*\(90,\)"):
        network.partial_fit(X, several[:, 0])
    with pytest.raises(ValueError, match=r"y had 2 columns .*\(90, 3\)"):
        network.partial_fit(X, several[:, [0, 1, 1]])
    with pytest.raises(ValueError, match="class_weight is for one label per sample"):
        classifier(class_weight="balanced").fit(X, several)


def test_partial_fit_refuses_what_needs_all_samples() -> None:
    with pytest.raises(ValueError, match="partial_fit cannot stop early"):
        regressor(early_stopping=True).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match="does not know all samples"):
        classifier(class_weight="balanced").partial_fit(X, LABELS, classes=np.unique(LABELS))


def test_a_column_of_targets_is_flattened_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        network = regressor().fit(X, NUMBERS.reshape(-1, 1))
    assert network.predict(X).shape == (90,)


def test_a_fit_that_fails_leaves_no_network_of_other_data_behind() -> None:
    network = regressor().fit(X, NUMBERS)
    network.set_params(optimizer=SGD(1e6))
    with pytest.raises(FloatingPointError, match="the loss became"):
        network.fit(X, NUMBERS)
    with pytest.raises(NotFittedError):
        network.predict(X)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({7: 2}, "class_weight has the label 7, which is none of the classes: 0, 1, 2$"),
        ({0: 1, "1": 2}, "class_weight has the label '1', which is none of the classes: 0, 1, 2$"),
        ({1: -2}, r"class_weight\[1\] must be 0 or greater, received -2"),
    ],
)
def test_a_weight_of_no_class_is_named(class_weight: dict[Any, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(class_weight=class_weight).fit(np.eye(6), np.arange(6) % 3)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (np.nan, "row 2 ('c'), column 'age' is NaN"),
        ("n/a", "row 2 ('c'), column 'age' has 'n/a'"),
    ],
)
def test_the_cell_of_a_dataframe_is_named(cell: Any, text: str) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    good = pandas.DataFrame({"height": [1.0, 2, 3], "age": [1.0, 2, 3]}, index=["a", "b", "c"])
    bad = good.astype(object)
    bad.loc["c", "age"] = cell
    with pytest.raises(ValueError, match=f"\nIn X, {re.escape(text)}$"):
        classifier().fit(bad, [0, 1, 0])
    fitted = classifier(epochs=1).fit(good, [0, 1, 0])
    with pytest.raises(ValueError, match=f"\nIn X, {re.escape(text)}$"):
        fitted.predict(bad)
    with pytest.raises(ValueError, match=f"\nIn y, {re.escape(text)}$"):
        regressor().fit(good, bad)
