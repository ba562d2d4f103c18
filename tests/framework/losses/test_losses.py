"""What each loss computes: values, gradients, and the targets it accepts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    check_gradients,
)
from tests.every import LOSSES
from tests.strategies import Array, batches, probabilities

REGRESSION = [MeanSquaredError(), MeanAbsoluteError(), Huber(), Huber(delta=0.3)]
CLASSES = [CategoricalCrossentropy(), SoftmaxCategoricalCrossentropy()]
BINARY = [BinaryCrossentropy(), SigmoidBinaryCrossentropy()]


def labels_for(predictions: Array, seed: int) -> np.ndarray:
    samples, classes = predictions.shape
    return np.random.default_rng(seed).integers(0, classes, size=samples)


@given(predictions=batches(), seed=st.integers(0, 1000))
def test_regression_gradients(predictions: Array, seed: int) -> None:
    targets = np.random.default_rng(seed).normal(size=predictions.shape)
    for loss in REGRESSION:
        report = check_gradients(loss, predictions, targets)
        assert report.passed, report


@given(predictions=probabilities(), seed=st.integers(0, 1000))
def test_classification_gradients(predictions: Array, seed: int) -> None:
    labels = labels_for(predictions, seed)
    one_hot = np.eye(predictions.shape[1])[labels]
    soft = 0.9 * one_hot + 0.1 / predictions.shape[1]
    for loss in CLASSES:
        for targets in (labels, one_hot, soft):
            report = check_gradients(loss, predictions, targets)
            assert report.passed, report
    for loss in BINARY:
        report = check_gradients(loss, predictions, soft)
        assert report.passed, report


@given(logits=batches(), seed=st.integers(0, 1000), temperature=st.sampled_from([1.0, 0.5, 3.0]))
def test_the_fused_block_is_softmax_followed_by_the_loss(
    logits: Array, seed: int, temperature: float
) -> None:
    labels, logits = labels_for(logits, seed), 0.3 * logits  # so that nothing is clipped
    softmax, loss = Softmax(temperature), CategoricalCrossentropy()
    fused = SoftmaxCategoricalCrossentropy()
    fused.activation = Softmax(temperature)
    for targets in (labels, np.eye(logits.shape[1])[labels]):
        probabilities = softmax.forward(logits)
        value = fused.forward(logits, targets)
        np.testing.assert_allclose(fused.output, probabilities, atol=1e-12)
        assert fused.activation.output is fused.output
        np.testing.assert_allclose(value, loss.calculate(probabilities, targets), atol=1e-6)
        each = loss.forward(probabilities, targets)
        np.testing.assert_allclose(fused.losses(logits, targets), each, atol=1e-6)
        expected = softmax.backward(loss.backward(probabilities, targets))
        np.testing.assert_allclose(fused.backward(fused.output, targets), expected, atol=1e-6)


@given(logits=batches(), seed=st.integers(0, 1000))
def test_the_fused_block_is_sigmoid_followed_by_the_loss(logits: Array, seed: int) -> None:
    targets = np.random.default_rng(seed).integers(0, 2, size=logits.shape)
    sigmoid, loss, fused = Sigmoid(), BinaryCrossentropy(), SigmoidBinaryCrossentropy()
    probabilities = sigmoid.forward(logits)
    np.testing.assert_allclose(
        fused.forward(logits, targets), loss.calculate(probabilities, targets), atol=1e-6
    )
    np.testing.assert_allclose(fused.output, probabilities)
    each = fused.losses(logits, targets).mean(axis=1)
    np.testing.assert_allclose(each, loss.forward(probabilities, targets), atol=1e-6)
    expected = sigmoid.backward(loss.backward(probabilities, targets))
    np.testing.assert_allclose(fused.backward(fused.output, targets), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_blocks_are_right_at_huge_logits(dtype: type) -> None:
    logits = np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        softmax = SoftmaxCategoricalCrossentropy()
        # Right and certain: 0. Wrong and certain: the difference of the logits.
        assert softmax.forward(logits, [0, 1]) == (0 + 2e4) / 2
        dinputs = softmax.backward(softmax.output, [0, 1])
        np.testing.assert_array_equal(dinputs, [[0, 0, 0], [0.5, -0.5, 0]])
        sigmoid = SigmoidBinaryCrossentropy()
        value = sigmoid.forward(logits, [[1, 0, 1], [0, 1, 0]])
        assert value == pytest.approx((2 * math.log(2) + 2e4) / 6, rel=1e-6)
        dinputs = sigmoid.backward(sigmoid.output, [[1, 0, 1], [0, 1, 0]])
        expected = np.array([[0, 0, -0.5], [1, -1, 0.5]]) / 6
        np.testing.assert_allclose(dinputs, expected, rtol=1e-6)
        assert dinputs.dtype == dtype


def test_values_by_hand() -> None:
    y_pred, y_true = np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[2.0, 3.0], [2.0, 2.5]])
    assert MeanSquaredError().forward(y_pred, y_true).tolist() == [2.5, 0.125]
    assert MeanAbsoluteError().forward(y_pred, y_true).tolist() == [1.5, 0.25]
    # |e| = 1 is the border: 1/2; |e| = 2: 1 · (2 - 1/2); |e| = 1/2: 1/8.
    assert Huber().forward(y_pred, y_true).tolist() == [(0.5 + 1.5) / 2, 0.125 / 2]
    binary = BinaryCrossentropy().forward([[0.8, 0.4]], [[1, 0]])
    assert binary[0] == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


def test_the_book_example_of_categorical_cross_entropy() -> None:
    # Neural Networks from Scratch, chapter 5: three samples of classes 0, 1, 1.
    outputs = [[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]]
    expected = -(math.log(0.7) + math.log(0.5) + math.log(0.9)) / 3
    assert CategoricalCrossentropy().calculate(outputs, [0, 1, 1]) == pytest.approx(expected)
    one_hot = [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert CategoricalCrossentropy().calculate(outputs, one_hot) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_certain_but_wrong_probabilities_are_clipped(dtype: type) -> None:
    y_pred = np.array([[0.0, 1.0]], dtype=dtype)
    expected = pytest.approx(-math.log(1e-7), rel=1e-2 if dtype is np.float32 else 1e-6)
    for loss, y_true in ((CategoricalCrossentropy(), [0]), (BinaryCrossentropy(), [[1, 0]])):
        assert loss.calculate(y_pred, y_true) == expected
        assert np.isfinite(loss.backward(y_pred, y_true)).all()
        assert loss.dinputs[0, 0] < -1e6


@pytest.mark.parametrize("loss", [*REGRESSION, *BINARY], ids=repr)
def test_a_vector_of_targets_is_a_column_for_one_output(loss: Loss) -> None:
    y_pred = np.array([[0.2], [0.8], [0.6]])
    column = loss.calculate(y_pred, [[0.0], [1.0], [1.0]])
    assert loss.calculate(y_pred, [0.0, 1.0, 1.0]) == column
    assert loss.backward(getattr(loss, "output", y_pred), [0.0, 1.0, 1.0]).shape == (3, 1)


@pytest.mark.parametrize("loss", [*REGRESSION, *BINARY], ids=repr)
@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 2), (2, 2), (3, 2, 1)])
def test_targets_never_broadcast(loss: Loss, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"y must have the shape of the predictions, \(3, 2\)"):
        loss.calculate(np.full((3, 2), 0.5), np.zeros(shape))


@pytest.mark.parametrize("loss", CLASSES, ids=repr)
@pytest.mark.parametrize(
    ("y_true", "error", "message"),
    [
        ([0, 3], ValueError, "class numbers from 0 to 2, .* row 1 is 3"),
        ([-1, 0], ValueError, "class numbers from 0 to 2, .* row 0 is -1"),
        ([0, 1.5], ValueError, "whole class numbers, but row 1 is 1.5"),
        ([0, math.nan], ValueError, "whole class numbers, but row 1 is nan"),
        ([0, 1, 2], ValueError, "indices of shape"),
        ([[0], [1]], ValueError, "indices of shape"),
        ([[1, 0, 0], [0, 1, 1]], ValueError, "row 1"),
        ([[1, 0, 0], [2, -1, 0]], ValueError, "row 1"),
        (["cat", "dog"], TypeError, "y must hold real numbers"),
        ([1j, 0], TypeError, "y must hold real numbers"),
    ],
)
def test_targets_that_are_no_classes_are_refused(
    loss: Loss, y_true: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loss.calculate(np.full((2, 3), 1 / 3), y_true)
    with pytest.raises(error, match=message):
        loss.backward(np.full((2, 3), 1 / 3), y_true)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool, np.uint64])
def test_whole_numbers_of_any_dtype_are_classes(dtype: type) -> None:
    labels = np.array([0, 1, 1]).astype(dtype)
    y_pred = np.full((3, 2), 0.5)
    assert CategoricalCrossentropy().calculate(y_pred, labels) == pytest.approx(math.log(2))


@pytest.mark.parametrize("loss", BINARY, ids=repr)
def test_binary_targets_lie_between_0_and_1(loss: Loss) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1, .* from 0 to 2"):
        loss.calculate(np.full((2, 1), 0.5), [0, 2])


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_samples_are_refused(loss: Loss) -> None:
    with pytest.raises(ValueError, match="at least one"):
        loss.calculate(np.zeros((0, 2)), np.zeros((0, 2)))


def test_penalties_are_those_of_the_layer_or_of_all_remembered_layers() -> None:
    first = Dense(1, 2, weight_regularizer_l1=0.1, weight_regularizer_l2=0.01)
    first.weights = [[-2.0, 3.0]]
    second = Dense(1, 1, bias_regularizer_l1=1.0, bias_regularizer_l2=2.0)
    second.biases = [[-0.5]]
    loss = CategoricalCrossentropy()
    assert loss.regularization_loss(first) == pytest.approx(0.1 * 5 + 0.01 * 13)
    assert loss.regularization_loss(second) == pytest.approx(0.5 + 2 * 0.25)
    assert loss.regularization_loss(object()) == 0
    loss.remember_trainable_layers([first, second])
    assert loss.regularization_loss() == pytest.approx(0.63 + 1.0)
    pair = loss.calculate([[0.5, 0.5]], [0], include_regularization=True)
    assert pair == pytest.approx((math.log(2), 1.63))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dinputs_keep_the_dtype_of_the_predictions(dtype: type) -> None:
    y_pred = np.full((2, 2), 0.5, dtype=dtype)
    for loss in [*REGRESSION, *BINARY]:
        assert loss.backward(y_pred, np.ones((2, 2))).dtype == dtype
    for loss in CLASSES:
        assert loss.backward(y_pred, [0, 1]).dtype == dtype
        assert loss.backward(y_pred, np.eye(2)).dtype == dtype
    for loss in LOSSES:
        example, targets = loss.example(np.random.default_rng(0), (2, 3))
        assert loss.backward(example.astype(dtype), targets).dtype == dtype


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@given(seed=st.integers(0, 1000), samples=st.integers(1, 6), outputs=st.integers(1, 5))
def test_dinputs_are_the_gradient_of_the_mean_loss(
    loss: Loss, seed: int, samples: int, outputs: int
) -> None:
    report = check_gradients(loss, *loss.example(np.random.default_rng(seed), (samples, outputs)))
    assert report.passed, report


def test_a_loss_without_a_check_of_its_own_takes_any_finite_numbers_one_for_each_sample() -> None:
    loss = Loss()
    np.testing.assert_array_equal(loss.check_targets([2, 0, 1], (3, 4)), [2, 0, 1])
    np.testing.assert_array_equal(loss.check_targets([[0.5, 1.0]], (1, 2)), [[0.5, 1.0]])
    for wrong in ([1.0, 2.0], 1.0, [1.0, np.nan, 2.0]):
        with pytest.raises(ValueError, match="y must"):
            loss.check_targets(wrong, (3, 4))
    with pytest.raises(TypeError, match="y must hold real numbers"):
        loss.check_targets(["a", "b", "c"], (3, 4))
