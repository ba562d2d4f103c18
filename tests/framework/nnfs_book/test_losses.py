"""Losses and accuracies of the book, by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from framework import nnfs_book as book

PROBABILITIES = np.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
CLASSES = np.array([0, 1, 1])


def test_the_loss_of_three_samples_is_that_of_chapter_5() -> None:
    loss = book.Loss_CategoricalCrossentropy()
    assert loss.calculate(PROBABILITIES, CLASSES) == pytest.approx(0.38506088005216804)
    assert loss.calculate(PROBABILITIES, np.eye(3)[CLASSES]) == pytest.approx(0.38506088005216804)


def test_softmax_and_loss_have_the_same_gradient_apart_and_together() -> None:
    together = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    together.backward(PROBABILITIES, CLASSES)
    activation, loss = book.Activation_Softmax(), book.Loss_CategoricalCrossentropy()
    activation.output = PROBABILITIES
    loss.backward(PROBABILITIES, CLASSES)
    activation.backward(loss.dinputs)
    # Chapter 9 prints these figures.
    assert_allclose(
        together.dinputs,
        [
            [-0.1, 0.03333333, 0.06666667],
            [0.03333333, -0.16666667, 0.13333333],
            [0.00666667, -0.03333333, 0.02666667],
        ],
        atol=1e-8,
    )
    assert_allclose(activation.dinputs, together.dinputs, atol=1e-15)


@pytest.mark.parametrize("one_hot", [False, True])
def test_softmax_with_loss_stores_what_its_two_parts_do(one_hot: bool) -> None:
    logits = np.random.normal(size=(6, 4)).astype(np.float32)
    classes = np.array([0, 3, 2, 1, 1, 0])
    targets = np.eye(4)[classes] if one_hot else classes
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    value = both.forward(logits, targets)
    assert_array_equal(both.output, book.Activation_Softmax().forward(logits))
    assert_array_equal(both.activation.output, both.output)
    assert value == book.Loss_CategoricalCrossentropy().calculate(both.output, targets)
    both.backward(both.output, targets)
    assert_allclose(both.dinputs, (both.output - np.eye(4)[classes]) / 6, atol=1e-7)


def test_a_loss_of_float32_is_printed_with_the_digits_of_float32() -> None:
    loss = book.Loss_CategoricalCrossentropy().calculate(PROBABILITIES.astype("f"), CLASSES)
    assert str(loss) == "0.38506088"


def test_a_loss_clips_certainty_as_the_book_does() -> None:
    certain = np.array([[0.0, 1.0]])
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    expected = -np.log(1e-7)
    assert book.Loss_CategoricalCrossentropy().calculate(certain, [0]) == pytest.approx(expected)
    assert both.forward(1e4 * certain, [0]) == pytest.approx(expected)


def test_penalties_are_those_of_a_layer_or_of_the_remembered_layers() -> None:
    first, second = book.Layer_Dense(1, 2, 0.1, 0.2, 0.3, 0.4), book.Layer_Dense(2, 1, 0, 0.5)
    first.weights, first.biases, second.weights = [[1, -2]], [[3, -4]], [[2], [0]]
    loss = book.Loss_MeanSquaredError()
    penalties = [0.1 * 3 + 0.2 * 5 + 0.3 * 7 + 0.4 * 25, 0.5 * 4]
    assert loss.regularization_loss() == 0
    assert loss.regularization_loss(first) == pytest.approx(penalties[0])
    assert loss.regularization_loss(second) == pytest.approx(penalties[1])
    loss.remember_trainable_layers([first, second])
    assert loss.regularization_loss() == pytest.approx(sum(penalties))
    data_loss, penalty = loss.calculate(np.ones((2, 1)), [0, 0], include_regularization=True)
    assert data_loss == 1
    assert penalty == pytest.approx(sum(penalties))


def test_losses_and_accuracies_are_accumulated_sample_by_sample() -> None:
    loss, accuracy = book.Loss_CategoricalCrossentropy(), book.Accuracy_Categorical()
    for measure in (loss, accuracy):
        measure.new_pass()
        with pytest.raises(RuntimeError, match="new_pass"):
            measure.calculate_accumulated()
    for _ in range(2):
        for rows in (slice(0, 2), slice(2, 3)):
            loss.calculate(PROBABILITIES[rows], CLASSES[rows])
            accuracy.calculate(np.argmax(PROBABILITIES[rows], axis=1), [0, 0, 0][rows])
        assert loss.calculate_accumulated() == pytest.approx(0.38506088005216804)
        assert accuracy.calculate_accumulated() == pytest.approx(1 / 3)
        for measure in (loss, accuracy):
            measure.new_pass()
    loss.remember_trainable_layers([])
    loss.calculate(PROBABILITIES, CLASSES)
    pair = loss.calculate_accumulated(include_regularization=True)
    assert pair == (pytest.approx(0.38506088005216804), 0)


def test_accuracies_compare_classes_columns_and_values() -> None:
    categorical = book.Accuracy_Categorical()
    categorical.init(CLASSES)
    assert_array_equal(categorical.compare([0, 1, 2], CLASSES), [True, True, False])
    assert_array_equal(categorical.compare([0, 1, 2], np.eye(3)[CLASSES]), [True, True, False])
    binary = book.Accuracy_Categorical(binary=True)
    assert binary.calculate(np.array([[0], [1]]), np.array([[0], [0]])) == 0.5

    regression = book.Accuracy_Regression()
    values = np.array([[0.0], [500.0]])
    assert regression.precision is None
    regression.init(values)
    assert regression.precision == 1
    assert_array_equal(regression.compare([[0.9], [501.1]], values), [[True], [False]])
    regression.init(2 * values)
    assert regression.precision == 1
    regression.init(2 * values, reinit=True)
    assert regression.precision == 2
