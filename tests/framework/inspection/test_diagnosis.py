"""What a model says about itself, against networks made to be ill in one way each."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Diagnosis,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Step,
    Tanh,
)
from framework.initializers import normal
from framework.inspection.diagnosis import _findings
from framework.inspection.operation_states import OperationState
from framework.utils import rng
from optimizers import Adam

X, y = spiral_data(50, 3, seed=0)


def network(activation: type[Operation], depth: int, initializer: Any, width: int = 32) -> Model:
    framework.seed(0)
    model = Model()
    sizes = [2, *[width] * depth]
    for inputs, outputs in pairwise(sizes):
        model.add(Dense(inputs, outputs, weight_initializer=initializer))
        model.add(activation())
    model.add(Dense(width, 3, weight_initializer=initializer))
    model.add(Softmax())
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    return model


def beginnings(diagnosis: Diagnosis) -> list[str]:
    return [finding.split(":")[0] for finding in diagnosis.findings]


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [(ReLU, "he_normal"), (LeakyReLU, "he_uniform"), (Tanh, "glorot_uniform")],
)
def test_a_healthy_network_has_nothing_conspicuous(
    activation: type[Operation], initializer: Any
) -> None:
    diagnosis = network(activation, 4, initializer).diagnose(X, y)
    assert diagnosis.findings == ()
    assert str(diagnosis).endswith("Nothing conspicuous.")


def test_vanishing_gradients_are_named() -> None:
    diagnosis = network(Sigmoid, 5, "glorot_uniform").diagnose(X, y)
    assert beginnings(diagnosis) == ["Gradients vanish"]
    first, last = diagnosis.operations[0], diagnosis.operations[-2]
    assert f"{last.gradient / first.gradient:,.0f} times smaller" in diagnosis.findings[0]


def test_exploding_gradients_and_signals_are_named() -> None:
    diagnosis = network(ReLU, 6, normal(1.0)).diagnose(X, y)
    assert beginnings(diagnosis)[:2] == ["Gradients explode", "The signal blows up"]


def test_a_signal_that_dies_out_is_named() -> None:
    diagnosis = network(Linear, 4, normal(0.01)).diagnose(X, y)
    assert beginnings(diagnosis) == ["Gradients vanish", "The signal dies out"]


def test_dead_units_are_named_with_their_number() -> None:
    model = network(ReLU, 1, "he_normal")
    model.layers[0].biases = np.where(np.arange(32) < 20, -100, 1)[np.newaxis]
    diagnosis = model.diagnose(X, y)
    assert diagnosis.operations[1].dead == 20
    assert beginnings(diagnosis) == ["Many units are dead"]
    assert "20 of operation 2 (ReLU, 32 units)" in diagnosis.findings[0]
    assert "  20 dead" in str(diagnosis)


def test_units_that_are_silent_for_a_few_samples_are_not_called_dead() -> None:
    model = network(ReLU, 1, "he_normal")
    model.layers[0].biases = np.where(np.arange(32) < 20, -100, 1)[np.newaxis]
    for samples in (1, 5, 19):
        diagnosis = model.diagnose(X[5 : 5 + samples], y[5 : 5 + samples])
        assert diagnosis.operations[1].dead == 20
        assert diagnosis.findings == ()
    assert str(model.diagnose(X[5:6], y[5:6])).startswith("1 sample, loss")


def test_where_all_units_are_dead_nothing_is_said_of_a_signal_that_dies_out() -> None:
    model = network(ReLU, 1, "he_normal")
    model.layers[0].biases = np.full((1, 32), -100)
    assert beginnings(model.diagnose(X, y)) == [
        "No gradient comes back through operation 2 (ReLU, 32 units)",
        "Many units are dead",
    ]


def test_inputs_of_zeros_are_named_and_no_signal_blows_up() -> None:
    model = network(ReLU, 1, "he_normal")
    model.layers[2].biases = [[0.1, 0.2, 0.3]]
    findings = model.diagnose(np.zeros((50, 2)), y[:50]).findings
    assert findings[0].startswith("The inputs are all 0")
    assert not any("signal" in finding for finding in findings)


def test_inputs_that_are_all_the_same_are_named_and_kill_no_units() -> None:
    diagnosis = network(ReLU, 1, "he_normal").diagnose(np.full((50, 2), 0.5), y[:50])
    assert diagnosis.operations[1].dead >= 8
    (finding,) = diagnosis.findings
    assert finding.startswith("All 50 samples have the same inputs")


def test_inputs_that_are_not_scaled_are_named() -> None:
    model = network(ReLU, 1, "he_normal")
    assert "The inputs are large" in beginnings(model.diagnose(X * 255, y))
    assert "The inputs are large" not in beginnings(model.diagnose(X * 10, y))


@pytest.mark.parametrize(
    ("outputs", "loss", "activation"),
    [(3, CategoricalCrossentropy(), Softmax()), (1, BinaryCrossentropy(), Sigmoid())],
)
def test_a_crossentropy_of_what_is_no_probability_is_named(
    outputs: int, loss: Any, activation: Operation
) -> None:
    targets = y if outputs == 3 else (y > 0).reshape(-1, 1)
    model = Model([Dense(2, outputs)])
    model.set(loss=loss)
    model.finalize()
    findings = model.diagnose(X, targets).findings
    assert any(f"Add {activation!r} at the end" in finding for finding in findings)
    model.add(activation)
    model.finalize()
    assert model.diagnose(X, targets).findings == ()


def test_a_softmax_of_ones_own_gives_probabilities_too() -> None:
    class Probabilities:
        def forward(self, inputs):
            self.softmax = Softmax()
            self.output = self.softmax.forward(inputs)

        def backward(self, dvalues):
            self.dinputs = self.softmax.backward(dvalues)

    model = Model([Dense(2, 3), Probabilities()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    assert model.diagnose(X, y).findings == ()


def test_a_gradient_that_is_zero_after_the_last_layer_too_is_no_error() -> None:
    state = OperationState(1, "Dense", True, 2, 2, 1.0, 0.0, 1.0, 0.0, 0, 0.0)
    after = replace(state, position=2, gradient=1.0, channel_gradient=1.0)
    end = replace(state, position=3, trained=False)
    findings = list(_findings((state, after, end), X))
    assert findings == [
        "No gradient comes back through operation 2 (Dense, 2 units): nothing before it is trained."
    ]


def test_dead_units_are_counted_where_they_die_and_dropout_kills_none() -> None:
    model = Model([Dense(2, 32), ReLU(), Dropout(0.9), ReLU(), Dense(32, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    model.layers[0].biases = np.where(np.arange(32) == 0, -100, 100)[np.newaxis]
    diagnosis = model.diagnose(X[:1], y[:1])
    assert [operation.dead for operation in diagnosis.operations] == [0, 1, 0, 0, 0, 0]


def test_an_activation_of_ones_own_can_have_dead_units() -> None:
    class Rectifier:
        def forward(self, inputs):
            self.output = np.maximum(inputs, 0)

        def backward(self, dvalues):
            self.dinputs = dvalues * (self.output > 0)

    model = Model([Dense(2, 4), Rectifier(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    model.layers[0].biases = [[-100, -100, -100, 100]]
    assert model.diagnose(X, y).operations[1].dead == 3


@pytest.mark.parametrize("activation", [Sigmoid, Tanh])
def test_saturated_activations_are_named(activation: type[Operation]) -> None:
    model = network(activation, 1, normal(30.0))
    diagnosis = model.diagnose(X, y)
    hidden = diagnosis.operations[1]
    inputs = X @ model.layers[0].weights
    slope_share = 1 / np.cosh(inputs / 2 if activation is Sigmoid else inputs) ** 2
    # Within 1 % of a limit, s (1 - s) is below 0.01 * 0.99, of at most 0.25.
    assert hidden.saturated == pytest.approx(np.mean(slope_share < 4 * 0.01 * 0.99))
    assert "Most outputs are saturated" in beginnings(diagnosis)


def test_a_sure_output_is_not_called_saturated() -> None:
    model = Model([Dense(2, 1, weight_initializer=normal(1e6)), Sigmoid()])
    model.set(loss=MeanSquaredError())
    model.finalize()
    assert not any(state.saturated for state in model.diagnose(X, y > 0).operations)


def test_what_cuts_the_gradient_off_is_named() -> None:
    model = network(ReLU, 2, "he_normal")
    model.layers[2].weights = np.zeros((32, 32))
    model.layers[4].biases = [[0.1, 0.2, 0.3]]
    assert model.diagnose(X, y).findings == (
        "No gradient comes back through operation 4 (ReLU, 32 units): nothing before it is "
        "trained.",
    )


def test_a_loss_without_a_gradient_is_named() -> None:
    model = Model([Dense(2, 1, weight_initializer="zeros")])
    model.set(loss=MeanSquaredError())
    model.finalize()
    (finding,) = model.diagnose(X, np.zeros(len(X))).findings
    assert finding.startswith("No gradient comes from the loss")


def test_the_first_output_that_is_not_finite_is_named() -> None:
    model = network(ReLU, 2, "he_normal")
    model.layers[2].weights[0, 0] = np.inf
    with np.errstate(all="ignore"):
        diagnosis = model.diagnose(X, y)
    assert diagnosis.findings == ("Not finite: the output of operation 3 (Dense, 32 units).",)


def test_the_first_gradient_on_the_way_back_that_is_not_finite_is_named() -> None:
    class Explosive(Linear):
        def backward(self, dvalues: Any) -> Any:
            self.dinputs = np.full_like(dvalues, np.inf)
            return self.dinputs

    model = Model([Dense(2, 4), Linear(), Explosive(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    findings = model.diagnose(X, y).findings
    assert findings == ("Not finite: the gradient of operation 2 (Linear, 4 units).",)


def test_sizes_are_root_mean_squares_of_outputs_and_of_what_comes_back() -> None:
    model = network(Tanh, 2, "glorot_uniform")
    diagnosis = model.diagnose(X, y)
    assert diagnosis.loss == model.calculate_loss(X, y)
    assert diagnosis.samples == 150
    model.backward(y)
    for state, layer, following in zip(
        diagnosis.operations, model.layers, [*model.layers[1:], None], strict=True
    ):
        assert state.output == pytest.approx(np.sqrt(np.mean(layer.output**2)))
        if following is None:
            assert state.gradient is None
        else:
            assert state.gradient == pytest.approx(np.sqrt(np.mean(following.dinputs**2)))


def test_operations_inside_a_residual_come_before_their_sum() -> None:
    framework.seed(0)
    hidden, across = Dense(16, 16), Dense(16, 16)
    residual = Residual([Sequential([ReLU(), hidden]), ReLU()], shortcut=[across, Tanh()])
    model = Model([Dense(2, 16), residual, Dense(16, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    hidden.biases = np.where(np.arange(16) < 8, -5, 5)[np.newaxis]
    across.biases = np.full((1, 16), 5.0)
    diagnosis = model.diagnose(X, y)
    names = ["Dense", "ReLU", "Dense", "ReLU", "Dense", "Tanh", "Residual", "Dense", "Softmax"]
    states = diagnosis.operations
    assert [state.name for state in states] == names
    assert [state.position for state in states] == list(range(1, 10))
    assert [state.trained for state in states] == [name == "Dense" for name in names]
    assert states[3].dead == 8
    assert states[5].saturated == 1.0
    assert beginnings(diagnosis) == ["Many units are dead", "Most outputs are saturated"]
    assert "8 of operation 4 (ReLU, 16 units)" in diagnosis.findings[0]
    # The sum hands its gradient to the end of both branches.
    model.calculate_loss(X, y)
    model.backward(y)
    relu, dense = residual.operations[0].layers
    for state, gradient in (
        (states[0], residual.dinputs),
        (states[1], dense.dinputs),
        (states[2], residual.operations[1].dinputs),
        (states[3], model.layers[2].dinputs),
        (states[4], residual.shortcut[1].dinputs),
        (states[5], model.layers[2].dinputs),
        (states[6], model.layers[2].dinputs),
    ):
        assert state.gradient == pytest.approx(np.sqrt(np.mean(gradient**2)))
    assert states[1].output == pytest.approx(np.sqrt(np.mean(relu.output**2)))


@pytest.mark.parametrize("first", [Scale(1 / 255), Scale(1.0)], ids=repr)
def test_inputs_are_as_large_as_the_first_trained_operation_receives_them(first: Scale) -> None:
    framework.seed(0)
    model = Model([Flatten(), first, Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    found = beginnings(model.diagnose(255 * (X + 1), y))
    assert ("The inputs are large" in found) == (first.factor == 1)


def stored_by(layer: Any) -> dict[str, Any]:
    """The arrays that ``layer`` shows, by name."""
    names = (
        *("weights", "biases", "dweights", "dbiases", "running_mean", "running_variance"),
        *("output", "dinputs", "mask"),
    )
    return {name: getattr(layer, name) for name in names if hasattr(layer, name)}


def test_diagnosing_leaves_everything_as_it_was() -> None:
    model = Model([BatchNormalization(2), Dense(2, 8), Dropout(0.5), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    model.train(X, y, epochs=2, progress=False)
    stored = {layer: stored_by(layer) for layer in model.layers}
    copies = {layer: {n: a.copy() for n, a in arrays.items()} for layer, arrays in stored.items()}
    optimizer_state = {
        name: {key: array.copy() for key, array in state.items()}
        for name, state in model.optimizer.state(model.parameters).items()
    }
    iterations = model.optimizer.iterations
    framework.seed(5)
    np.random.seed(5)
    expected = rng.generator().random(), np.random.random()
    framework.seed(5)
    np.random.seed(5)

    model.diagnose(X, y)

    assert (rng.generator().random(), np.random.random()) == expected
    assert model.optimizer.iterations == iterations
    for name, state in model.optimizer.state(model.parameters).items():
        for key, array in state.items():
            np.testing.assert_array_equal(array, optimizer_state[name][key])
    for layer, arrays in stored.items():
        assert stored_by(layer).keys() == arrays.keys()
        for name, array in stored_by(layer).items():
            np.testing.assert_array_equal(array, copies[layer][name])
            assert np.shares_memory(array, arrays[name])


def test_diagnosing_twice_says_the_same() -> None:
    model = Model([Dense(2, 8), Dropout(0.5), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    assert model.diagnose(X, y) == model.diagnose(X, y)


def test_a_model_that_cannot_go_back_says_why() -> None:
    model = Model([Dense(2, 2), Step(), Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    with pytest.raises(NotImplementedError, match="cannot be trained by gradients"):
        model.diagnose(X, y)


def test_data_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"X and y must have the same length"):
        network(ReLU, 1, "he_normal").diagnose(X, y[:-1])


class Recorder:
    """Passes everything on, and remembers what it was given."""

    def forward(self, inputs):
        self.output = np.array(inputs)

    def backward(self, dvalues):
        self.dvalues = dvalues
        self.dinputs = np.array(dvalues)


def test_gradients_are_what_the_operations_were_given() -> None:
    recorders = [Recorder(), Recorder()]
    model = Model([Flatten(), Dense(2, 4), recorders[0], Dense(4, 3), recorders[1]])
    model.set(loss=MeanSquaredError())
    model.finalize()
    targets = np.eye(3)[y]
    model.calculate_loss(X, targets)
    model.backward(targets)
    gradients = model.gradients()
    assert gradients[0] is None  # before the first trained operation
    for position, recorder in ((2, recorders[0]), (4, recorders[1])):
        np.testing.assert_array_equal(gradients[position], recorder.dvalues)
    np.testing.assert_array_equal(gradients[3], recorders[1].dinputs)


def test_gradients_by_the_logits_are_known_however_softmax_is_fused() -> None:
    dense = Dense(2, 3)
    expected = None
    for operations, loss in (
        ([dense, Softmax()], CategoricalCrossentropy()),
        ([dense], SoftmaxCategoricalCrossentropy()),
    ):
        model = Model(operations)
        model.set(loss=loss)
        model.finalize()
        model.calculate_loss(X, y)
        model.backward(y)
        gradient, *rest = model.gradients()
        assert rest in ([None], [])
        probabilities = np.exp(dense.output) / np.exp(dense.output).sum(axis=1, keepdims=True)
        expected = (probabilities - np.eye(3)[y]) / len(X)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_gradients_before_a_backward_pass_are_refused() -> None:
    model = network(ReLU, 1, "he_normal")
    with pytest.raises(RuntimeError, match="no gradients of one batch"):
        model.gradients()
    model.calculate_loss(X, y)
    with pytest.raises(RuntimeError, match="no gradients of one batch"):
        model.gradients()
