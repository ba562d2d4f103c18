"""The check itself: it must see every wrong gradient, and change nothing it is shown."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    ELU,
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    Huber,
    LeakyReLU,
    Linear,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    ReLU,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Step,
    Tanh,
    check_gradients,
    nnfs_book,
)
from optimizers import Adam
from optimizers.optimizer import parameter_names
from tests.every import LOSSES, operations_for, suitable

chance = np.random.default_rng(0)
INPUTS = chance.normal(size=(4, 4))
CLASSES = chance.integers(0, 4, size=4)
PROBABILITIES = chance.uniform(0.1, 0.9, size=(4, 4))


def one_at(like: np.ndarray, place: int) -> np.ndarray:
    """Zeros, but for a one at this place."""
    values = np.zeros(like.size)
    values[place] = 1
    return values.reshape(like.shape)


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": lambda gradient: -gradient,
    "missing factor": lambda gradient: 2 * gradient,
    "slightly off": lambda gradient: 1.0001 * gradient,
    "missing 1/n": lambda gradient: len(INPUTS) * gradient,
    "transposed": lambda gradient: gradient.T,
    "zero": lambda gradient: 0 * gradient,
    "not a number": lambda gradient: gradient * math.nan,
    "one element": lambda gradient: gradient + one_at(gradient, 1 % gradient.size),
}


def break_backward(subject: Any, name: str, wrong: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Let ``subject`` store a wrong gradient ``name`` after its own, right backward."""
    cls = type(subject)

    class Broken(cls):  # type: ignore[misc,valid-type]
        def backward(self, *arguments: Any) -> Any:
            super().backward(*arguments)
            vars(self)[name] = wrong(getattr(self, name))

    subject.__class__ = Broken
    return subject


@pytest.mark.parametrize("mistake", WRONG)
def test_it_catches_every_mistake_in_every_gradient_of_every_operation(mistake: str) -> None:
    for index, operation in enumerate(operations_for(4, "float64")):
        inputs = suitable(operation, INPUTS)
        assert check_gradients(operation, inputs).passed
        operation.backward(1.5 + operation.forward(inputs))
        for name in ("dinputs", *("d" + name for name in parameter_names(operation))):
            gradient = getattr(operation, name)
            if np.array_equal(WRONG[mistake](gradient), gradient):
                continue  # such as the transpose of a single number
            broken = break_backward(operations_for(4, "float64")[index], name, WRONG[mistake])
            report = check_gradients(broken, inputs)
            assert not report.passed, f"{broken}.{name}: {mistake} was not seen"
            assert [a.name for a in report.arrays if not a.max_relative_error <= 1e-6] == [name]


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_it_catches_every_mistake_in_every_loss(loss: Loss, mistake: str) -> None:
    inputs, targets = loss.example(np.random.default_rng(0), INPUTS.shape)
    assert check_gradients(loss, inputs, targets).passed
    broken = break_backward(copy.deepcopy(loss), "dinputs", WRONG[mistake])
    assert not check_gradients(broken, inputs, targets).passed, f"{mistake} was not seen"


def model(**penalties: float) -> Model:
    network = Model(
        [
            Dense(4, 5, **penalties),
            BatchNormalization(5),
            Tanh(),
            Dropout(0.3),
            Dense(5, 4),
            Softmax(),
        ]
    )
    network.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    network.finalize()
    return network


def test_a_whole_model_with_penalties_passes() -> None:
    network = model(
        weight_regularizer_l1=0.1,
        weight_regularizer_l2=0.2,
        bias_regularizer_l1=0.3,
        bias_regularizer_l2=0.4,
    )
    report = check_gradients(network, INPUTS, CLASSES)
    assert report.passed, report
    assert [array.name for array in report.arrays] == [
        "dinputs",
        *(f"layers[{i}].d{name}" for i in (0, 1, 4) for name in ("weights", "biases")),
    ]
    assert check_gradients(network, INPUTS, CLASSES, training=False).passed


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize(("layer", "name"), [(0, "dweights"), (1, "dbiases"), (2, "dinputs")])
def test_a_mistake_anywhere_in_a_model_is_caught(layer: int, name: str, mistake: str) -> None:
    network = model(weight_regularizer_l2=0.1)
    break_backward(network.layers[layer], name, WRONG[mistake])
    try:
        assert not check_gradients(network, INPUTS, CLASSES).passed
    except ValueError as error:
        assert mistake == "transposed"
        assert "dvalues must have the shape" in str(error)


def test_penalties_that_the_gradient_forgets_are_missed() -> None:
    layer = Dense(4, 3, weight_regularizer_l2=0.1)

    class Forgetful(Dense):
        def parameter_gradients(self, dvalues: Any) -> None:
            super().parameter_gradients(dvalues)
            self.dweights -= 0.2 * self.weights

    assert check_gradients(layer, INPUTS).passed
    layer.__class__ = Forgetful
    assert not check_gradients(layer, INPUTS).passed


def test_a_square_gradient_that_is_transposed_is_caught_by_its_values() -> None:
    layer = break_backward(Dense(4, 4), "dweights", WRONG["transposed"])
    report = check_gradients(layer, INPUTS)
    assert [a.note for a in report.arrays] == ["", "", ""]
    assert not report.passed


def test_computing_in_float32_is_named_as_the_reason() -> None:
    class Narrow(Tanh):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            return super().forward(np.asarray(inputs, dtype=np.float32), training)

    report = check_gradients(Narrow(), INPUTS)
    assert not report.passed
    assert "forward computes in float32" in str(report)


def test_a_loss_that_keeps_an_output_is_still_a_loss() -> None:
    class Keeps(MeanSquaredError):
        def forward(self, y_pred: Any, y_true: Any) -> Any:
            self.output = super().forward(y_pred, y_true)
            return self.output

    assert check_gradients(Keeps(), INPUTS, PROBABILITIES).passed


def test_a_missing_gradient_fails() -> None:
    class Silent(Linear):
        def backward(self, dvalues: Any) -> Any:
            pass

    report = check_gradients(Silent(), INPUTS)
    assert not report.passed
    assert "is missing" in str(report)


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


def test_inputs_of_any_size_pass() -> None:
    for size in (1e-6, 255.0, 1e4, 1e9):
        assert check_gradients(BatchNormalization(4), size * INPUTS), size
        assert check_gradients(Dense(4, 3), size * INPUTS), size
    for seed in range(5):
        data = np.random.default_rng(seed)
        X, y = data.uniform(0, 255, size=(20, 2)), data.integers(0, 3, size=20)
        report = check_gradients(classifier(Tanh(), seed), X, y)
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


def test_chance_is_no_excuse() -> None:
    class Unseeded:
        def forward(self, inputs: np.ndarray) -> None:
            self.mask = np.random.default_rng().random(inputs.shape)
            self.output = inputs * self.mask

        def backward(self, dvalues: np.ndarray) -> None:
            self.dinputs = dvalues * self.mask

    report = check_gradients(Unseeded(), INPUTS)
    assert not report.passed
    assert report.at_kink == 0


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


def test_the_callers_object_and_arrays_are_left_as_they_were() -> None:
    layer = Dense(4, 3)
    dropout = Dropout(0.5)
    layer.forward(np.ones((1, 4)))
    layer.backward(np.ones((1, 3)))
    kept = {name: np.copy(value) for name, value in vars(layer).items() if hasattr(value, "shape")}
    inputs = INPUTS.astype(np.float32)
    check_gradients(layer, inputs)
    check_gradients(dropout, inputs)
    assert not hasattr(dropout, "output")
    for name, value in kept.items():
        np.testing.assert_array_equal(getattr(layer, name), value)
        assert getattr(layer, name).dtype == np.float32
    np.testing.assert_array_equal(inputs, INPUTS.astype(np.float32))
    network = model()
    before = [np.copy(array) for arrays in network.get_parameters() for array in arrays]
    check_gradients(network, INPUTS, CLASSES)
    after = [array for arrays in network.get_parameters() for array in arrays]
    for array, same in zip(before, after, strict=True):
        np.testing.assert_array_equal(array, same)
        assert same.dtype == np.float32


def test_chance_goes_on_as_if_nothing_had_been_checked() -> None:
    class GlobalDropout(Dropout):
        """As in the book: a mask from NumPy's global generator."""

        def _draw_mask(self, inputs: np.ndarray) -> np.ndarray:
            return np.random.binomial(1, 1 - self.rate, inputs.shape) / (1 - self.rate)

    expected, numpys = Dense(3, 3).weights, np.random.get_state()
    framework.seed(0)
    assert check_gradients(Dropout(0.5), INPUTS).passed
    assert check_gradients(GlobalDropout(0.5), INPUTS).passed
    np.testing.assert_array_equal(Dense(3, 3).weights, expected)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys[1])  # type: ignore[index]


def test_the_report_is_a_table_and_a_truth_value() -> None:
    report = check_gradients(Dense(4, 3), INPUTS)
    assert report
    text = str(report)
    assert text.startswith("Dense(4, 3): passed, largest relative error")
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["dinputs", "dweights", "dbiases"]
    wrong = check_gradients(break_backward(Sigmoid(), "dinputs", WRONG["missing factor"]), INPUTS)
    assert not wrong
    assert "FAILED" in str(wrong)
    (array,) = wrong.arrays
    assert array.index is not None
    assert array.analytic == pytest.approx(2 * array.numerical)
    assert wrong.max_relative_error == pytest.approx(0.5)


def test_the_tolerance_decides() -> None:
    slightly_off = break_backward(Tanh(), "dinputs", WRONG["slightly off"])
    assert not check_gradients(slightly_off, INPUTS)
    assert check_gradients(slightly_off, INPUTS, tolerance=1e-3)


def test_images_pass_through_flatten() -> None:
    assert check_gradients(Flatten(), np.ones((2, 3, 4, 1))).passed


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ReLU(), np.zeros((0, 2))), ValueError, "inputs are empty"),
        ((ReLU(), [[math.nan]]), ValueError, "row 0 has NaN"),
        ((ReLU(), [["a"]]), TypeError, "real numbers"),
        ((ReLU(), [[1.0]], [0]), ValueError, "ReLU takes no targets"),
        ((MeanSquaredError(), [[1.0]]), ValueError, "MeanSquaredError needs targets"),
        ((5, [[1.0]]), TypeError, "with forward and backward methods, received 5"),
        ((ReLU, [[1.0]]), TypeError, "received <class"),
        ((Step(), [[1.0]]), NotImplementedError, "cannot be trained by gradients"),
        ((Model([Dense(1, 1)]), [[1.0]]), ValueError, "Model needs targets"),
        ((Model([Dense(1, 1)]), [[1.0]], [[1.0]]), RuntimeError, "not finalized"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_gradients(*arguments)
