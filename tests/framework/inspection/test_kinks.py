"""Elements at a kink are counted and not checked; those beside it are."""

from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    ELU,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Huber,
    LeakyReLU,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    ReLU,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    check_gradients,
    nnfs_book,
)
from tests.framework.inspection.mistakes import (
    CLASSES,
    INPUTS,
    PROBABILITIES,
    WRONG,
    break_backward,
)


def test_elements_at_a_kink_are_counted_and_the_others_checked() -> None:
    inputs = np.array([[0.0, 1e-7, -1e-7, 1.0, -1.0]])
    report = check_gradients(ReLU(), inputs)
    assert report.passed
    assert (report.at_kink, report.checked) == (3, 2)
    assert "3 of 5 at a kink, not checked" in str(report)
    assert "this proves little" in str(report)
    assert not check_gradients(break_backward(ReLU(), "dinputs", WRONG["sign"]), inputs).passed


def test_a_step_that_does_not_reach_the_kink_checks_the_element() -> None:
    report = check_gradients(ReLU(), [[1e-7, -1e-7]], step=1e-8)
    assert report.passed
    assert report.at_kink == 0


def test_a_report_without_a_checked_element_claims_nothing() -> None:
    report = check_gradients(ReLU(), [[0.0]])
    assert report.passed
    assert report.checked == 0
    assert str(report).startswith("ReLU(): NOTHING CHECKED\n")
    assert "passed" not in str(report)
    broken = break_backward(ReLU(), "dinputs", WRONG["not a number"])
    assert not check_gradients(broken, [[0.0]]).passed


class OwnLeakyReLU:
    """An operation of one's own that says nothing of its kink."""

    def forward(self, inputs: np.ndarray) -> None:
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, 0.1 * inputs)

    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = np.where(self.inputs > 0, dvalues, 0.1 * dvalues)


class OwnMaximum:
    """The larger one of every two neighbours, silent about where the two change places."""

    def forward(self, inputs: np.ndarray) -> None:
        self.pairs = inputs.reshape(len(inputs), -1, 2)
        self.output = self.pairs.max(axis=2)

    def backward(self, dvalues: np.ndarray) -> None:
        largest = np.arange(2) == self.pairs.argmax(axis=2)[..., np.newaxis]
        self.dinputs = (dvalues[..., np.newaxis] * largest).reshape(len(dvalues), -1)


class SpeakingMaximum(OwnMaximum):
    def forward(self, inputs: np.ndarray) -> None:
        super().forward(inputs)

    def kink_sides(self) -> np.ndarray:
        return self.pairs.argmax(axis=2)


class LoggedReLU(ReLU):
    """With a ``forward`` of its own, which silences what it inherits."""

    def forward(self, inputs: Any, training: bool = True) -> Any:
        return super().forward(inputs, training)


def classifier(activation: Any, seed: int, neurons: int = 16) -> Model:
    framework.seed(seed)
    first = Dense(2, 2 * neurons) if isinstance(activation, OwnMaximum) else Dense(2, neurons)
    network = Model([first, activation, Dense(neurons, 3), Softmax()])
    network.set(loss=CategoricalCrossentropy())
    network.finalize()
    return network


@pytest.mark.parametrize(
    "activation",
    [ReLU, LeakyReLU, ELU, Tanh, OwnLeakyReLU, OwnMaximum, SpeakingMaximum, LoggedReLU],
)
def test_untrained_networks_pass_on_a_spiral_that_begins_at_the_origin(activation: type) -> None:
    np.random.seed(0)
    X, y = spiral_data(10, 3)
    assert not X[0].any()
    for seed in range(20):
        report = check_gradients(classifier(activation(), seed), X, y)
        assert report.passed, report
        # Only the biases of the first layer, and the inputs that are 0, can be at the kink.
        by_name = {array.name: array.at_kink for array in report.arrays}
        assert by_name["layers[2].dweights"] == by_name["layers[2].dbiases"] == 0
        assert report.checked > report.at_kink


def test_the_smallest_network_on_its_kinks_passes_and_says_what_was_not_checked() -> None:
    for seed in range(20):
        report = check_gradients(classifier(ReLU(), seed, neurons=4), [[0.0, 0.0]], [1])
        assert report.passed, report
        # With inputs of 0, weights move no neuron; biases and inputs move all of them.
        counts = {array.name: (array.at_kink, array.size) for array in report.arrays}
        assert counts == {
            "dinputs": (2, 2),
            "layers[0].dweights": (0, 8),
            "layers[0].dbiases": (4, 4),
            "layers[2].dweights": (0, 12),
            "layers[2].dbiases": (0, 3),
        }
        assert "among them all of dinputs, layers[0].dbiases" in str(report)


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU])
def test_wide_networks_pass_on_random_data(activation: type) -> None:
    for seed in range(20):
        data = np.random.default_rng(seed)
        X, y = data.normal(size=(20, 2)), data.integers(0, 3, size=20)
        report = check_gradients(classifier(activation(), seed, neurons=128), X, y)
        assert report.passed, report


class WithoutMask(ReLU):
    def backward(self, dvalues: Any) -> Any:
        self.dinputs = dvalues.copy()


class WrongSlope(LeakyReLU):
    def backward(self, dvalues: Any) -> Any:
        self.dinputs = np.where(self.inputs > 0, dvalues, 2 * self.alpha * dvalues)


class SlightlyOff(ReLU):
    def backward(self, dvalues: Any) -> Any:
        self.dinputs = 1.0001 * dvalues * (self.output > 0)


class OwnWithoutSlope(OwnLeakyReLU):
    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = dvalues.copy()


class OwnWithWrongSlope(OwnLeakyReLU):
    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = np.where(self.inputs > 0, dvalues, 0.1001 * dvalues)


class OwnFirstOfTwo(OwnMaximum):
    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = np.stack([dvalues, 0 * dvalues], axis=2).reshape(len(dvalues), -1)


@pytest.mark.parametrize(
    "wrong",
    [WithoutMask, WrongSlope, SlightlyOff, OwnWithoutSlope, OwnWithWrongSlope, OwnFirstOfTwo],
)
def test_wrong_slopes_away_from_the_kink_are_caught_in_a_model(wrong: type) -> None:
    np.random.seed(0)
    X, y = spiral_data(10, 3)
    for seed in range(10):
        assert not check_gradients(classifier(wrong(), seed), X, y)


def test_forgotten_cross_terms_are_caught_behind_a_relu() -> None:
    class WithoutCrossTerms(Softmax):
        def backward(self, dvalues: Any) -> Any:
            self.dinputs = dvalues * self.output * (1 - self.output)

    np.random.seed(0)
    X, y = spiral_data(10, 3)
    for seed in range(10):
        framework.seed(seed)
        network = Model([Dense(2, 8), ReLU(), Dense(8, 3), WithoutCrossTerms()])
        network.set(loss=CategoricalCrossentropy())
        network.finalize()
        assert not check_gradients(network, X, y)


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "at_kink"),
    [
        (MeanAbsoluteError(), [[1.0, 2.0, 4.0]], [[1.0, 3.0, 3.0]], 1),
        # The slope is continuous at ±delta, but a difference across is off by step / 4.
        (Huber(delta=0.5), [[1.5, 0.5, 1.2, 2.0]], [[1.0, 1.0, 1.0, 1.0]], 2),
        (CategoricalCrossentropy(), [[0.0, 1.0], [0.5, 0.5]], [0, 1], 1),
        (CategoricalCrossentropy(), [[0.0, 1.0], [0.5, 0.5]], [[1, 0], [0, 1]], 1),
        (BinaryCrossentropy(), [[0.0, 1.0, 0.5]], [[1, 0, 1]], 2),
        (MeanSquaredError(), [[1.0, 2.0]], [[1.0, 3.0]], 0),
        (SigmoidBinaryCrossentropy(), [[0.0, 40.0]], [[1.0, 0.0]], 0),
        (SoftmaxCategoricalCrossentropy(), [[0.0, 0.0, 40.0]], [0], 0),
    ],
)
def test_losses_say_where_their_kinks_are(
    loss: Any, predictions: Any, targets: Any, at_kink: int
) -> None:
    report = check_gradients(loss, predictions, targets)
    assert report.passed, report
    assert report.at_kink == at_kink


def test_clipped_probabilities_are_not_checked_where_the_loss_is_flat_and_backward_is_not() -> None:
    class OwnSoftmax(Softmax):
        """Of another class, it is not fused with the loss, which therefore clips."""

    for size in (1, 10, 20):
        network = Model([OwnSoftmax()])
        network.set(loss=CategoricalCrossentropy())
        network.finalize()
        report = check_gradients(network, size * INPUTS, CLASSES)
        assert report.passed, report
    # Logits 20 apart give the true class e⁻²⁰ < 1e-7: both of them move it.
    assert check_gradients(network, [[0.0, 20.0], [1.0, 2.0]], [0, 1]).at_kink == 2


def test_a_loss_of_ones_own_may_have_kinks() -> None:
    class OwnAbsoluteError:
        def forward(self, y_pred: np.ndarray, y_true: np.ndarray) -> Any:
            return np.abs(y_pred - y_true).mean(axis=1)

        def backward(self, y_pred: np.ndarray, y_true: np.ndarray) -> None:
            self.dinputs = np.where(y_pred < y_true, -1, 1) / y_pred.size

    class Doubled(OwnAbsoluteError):
        def backward(self, y_pred: np.ndarray, y_true: np.ndarray) -> None:
            super().backward(y_pred, y_true)
            self.dinputs *= 2

    targets = PROBABILITIES.copy()
    targets[1] = INPUTS[1]
    report = check_gradients(OwnAbsoluteError(), INPUTS, targets)
    assert report.passed, report
    assert report.at_kink == 4
    assert not check_gradients(Doubled(), INPUTS, targets)


def test_weights_at_the_kink_of_an_l1_penalty_are_not_checked() -> None:
    layer = Dense(2, 2, weight_regularizer_l1=0.1, bias_regularizer_l1=0.1)
    layer.weights = [[0.0, 1.0], [1e-6, -1.0]]
    report = check_gradients(layer, INPUTS[:, :2])
    assert report.passed, report
    assert [array.at_kink for array in report.arrays] == [0, 2, 2]
    layer.biases = [[1.0, -1.0]]
    assert check_gradients(layer, INPUTS[:, :2]).at_kink == 2


def test_elu_is_at_a_kink_at_zero_also_where_its_slope_is_continuous() -> None:
    for alpha in (1.0, 0.5):
        report = check_gradients(ELU(alpha), [[0.0, 1.0]])
        assert report.passed
        assert report.at_kink == 1


def test_the_books_classes_say_where_their_kinks_are() -> None:
    network = nnfs_book.Model(
        [
            nnfs_book.Layer_Dense(2, 8),
            nnfs_book.Activation_ReLU(),
            nnfs_book.Layer_Dense(8, 3),
            nnfs_book.Activation_Softmax(),
        ]
    )
    network.set(loss=nnfs_book.Loss_CategoricalCrossentropy())
    network.finalize()
    report = check_gradients(network, [[0.0, 0.0], [1.0, -1.0]], [1, 2])
    assert report.passed, report
    assert {a.name: a.at_kink for a in report.arrays if a.at_kink} == {
        "dinputs": 2,
        "layers[0].dbiases": 8,
    }
