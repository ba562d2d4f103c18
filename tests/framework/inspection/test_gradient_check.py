"""The check itself: it must see every wrong gradient, and change nothing it is shown."""

import copy
import math
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    Linear,
    Loss,
    MeanSquaredError,
    Model,
    ReLU,
    Softmax,
    Step,
    Tanh,
    check_gradients,
)
from optimizers import Adam
from optimizers.optimizer import parameter_names
from tests.every import LOSSES, operations_for, suitable
from tests.framework.inspection.mistakes import (
    CLASSES,
    INPUTS,
    PROBABILITIES,
    WRONG,
    break_backward,
)


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


def test_randomness_is_no_excuse() -> None:
    class Unseeded:
        def forward(self, inputs: np.ndarray) -> None:
            self.mask = np.random.default_rng().random(inputs.shape)
            self.output = inputs * self.mask

        def backward(self, dvalues: np.ndarray) -> None:
            self.dinputs = dvalues * self.mask

    report = check_gradients(Unseeded(), INPUTS)
    assert not report.passed
    assert report.at_kink == 0


def test_the_callers_object_and_arrays_are_left_as_they_were() -> None:
    layer = Dense(4, 3)
    dropout = Dropout(0.5)
    layer.forward(np.ones((1, 4)))
    layer.backward(np.ones((1, 3)))
    names = ("weights", "biases", "output", "dweights", "dbiases", "dinputs")
    copies = {name: getattr(layer, name).copy() for name in names}
    inputs = INPUTS.astype(np.float32)
    check_gradients(layer, inputs)
    check_gradients(dropout, inputs)
    assert not hasattr(dropout, "output")
    for name, value in copies.items():
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


def test_random_numbers_go_on_as_if_nothing_had_been_checked() -> None:
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
        ((ReLU(), 0.5), ValueError, "received a single number"),
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
