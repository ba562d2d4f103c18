import numpy as np
import pytest

from framework import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    HingeAccuracy,
    RegressionAccuracy,
)
from tests.every import ACCURACIES


def test_categorical_accuracy_takes_classes_or_scores_on_either_side() -> None:
    scores, one_hot = [[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]], [[0, 1], [0, 1], [0, 1]]
    for predictions in (scores, [1, 0, 1]):
        for y in (one_hot, [1, 1, 1]):
            assert CategoricalAccuracy().calculate(predictions, y) == 2 / 3


def test_categorical_accuracy_of_one_output_is_refused_since_it_would_always_be_1() -> None:
    with pytest.raises(ValueError, match="BinaryAccuracy"):
        CategoricalAccuracy().calculate([[0.2], [0.9]], [[1], [0]])


def test_binary_accuracy_counts_every_output() -> None:
    accuracy = BinaryAccuracy()
    assert accuracy.calculate([[0.9, 0.1], [0.4, 0.6]], [[1, 1], [0, 1]]) == 0.75
    assert accuracy.calculate([[1], [0], [0]], [1, 1, 0]) == 2 / 3


def test_binary_accuracy_refuses_class_numbers() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        BinaryAccuracy().calculate([2, 1], [1, 1])


def test_hinge_accuracy_counts_the_signs_that_are_right() -> None:
    accuracy = HingeAccuracy()
    outputs = np.array([[0.2], [-0.4], [3.0], [np.nan], [0.0]])
    for y in ([1, -1, -1, 1, -1], [1, 0, 0, 1, 0]):
        for predictions in (outputs, accuracy.predictions(outputs)):
            assert accuracy.compare(predictions, y)[:, 0].tolist() == [
                True,
                True,
                False,
                False,
                True,
            ]


def test_regression_accuracy_is_within_the_precision() -> None:
    accuracy = RegressionAccuracy(precision=0.5)
    assert accuracy.calculate([[1.0], [2.0], [3.0]], [1.4, 2.6, 3.5]) == 2 / 3


def test_regression_precision_is_a_250th_of_the_deviation_of_the_first_targets() -> None:
    accuracy = RegressionAccuracy()
    y = np.array([0.0, 500.0])  # standard deviation 250
    assert accuracy.calculate([[0.5], [505.0]], y) == 0.5, "until then, of those compared"
    accuracy.init(y)
    assert accuracy.calculate([[0.9], [501.1]], y) == 0.5
    accuracy.init(1000 * y)
    assert accuracy.current_precision == 1.0
    accuracy.init(1000 * y, reinit=True)
    assert accuracy.current_precision == 1000.0
    given = RegressionAccuracy(precision=3)
    given.init(y, reinit=True)
    assert given.current_precision == 3


@pytest.mark.parametrize("accuracy", ACCURACIES, ids=repr)
def test_different_numbers_of_samples_are_refused(accuracy: Accuracy) -> None:
    with pytest.raises(ValueError, match="predictions"):
        accuracy.calculate([0, 1, 0], [0, 1])
