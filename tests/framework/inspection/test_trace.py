"""``trace``: one training step with every number."""

import copy
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Container,
    Dense,
    Dropout,
    MeanSquaredError,
    Model,
    ReLU,
    Sequential,
    Softmax,
    Trace,
    trace,
)
from optimizers import SGD, Adam

X = np.random.default_rng(0).normal(size=(70, 2))
Y = np.arange(70) % 3


def network(*operations: Any, optimizer: Any = None) -> Model:
    model = Model(operations or [Dense(2, 64), ReLU(), Dense(64, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=optimizer or Adam(0.05))
    model.finalize()
    return model


def test_it_has_what_the_operations_store_in_a_training_step() -> None:
    model = network()
    found = trace(model, X, Y)
    loss = model.calculate_loss(X, Y)
    model.backward(Y)
    for one, operation in zip(found.operations, model.layers, strict=False):
        np.testing.assert_array_equal(one.output, operation.output)
        np.testing.assert_array_equal(one.dinputs, operation.dinputs)
        for parameter in one.parameters:
            gradient = getattr(operation, "d" + parameter.name)
            np.testing.assert_array_equal(parameter.gradient, gradient)
    np.testing.assert_array_equal(found.operations[1].inputs, model.layers[0].output)
    np.testing.assert_array_equal(found.operations[0].dvalues, model.layers[1].dinputs)
    assert found.loss.value == loss
    np.testing.assert_array_equal(found.loss.output, model.output)
    np.testing.assert_array_equal(found.loss.targets, np.eye(3)[Y])


def test_its_update_is_that_of_training() -> None:
    model = network(
        Dense(2, 4), BatchNormalization(4), ReLU(), Dropout(0.5), Dense(4, 3), Softmax()
    )
    for _ in range(3):
        found = trace(model, X, Y)
        model.train(X, Y, batch_size=None, shuffle=False, progress=False)
        after = [parameter.after for one in found.operations for parameter in one.parameters]
        np.testing.assert_array_equal(
            np.concatenate([array.ravel() for array in after]), model.parameters.weights
        )
    assert (found.step, found.samples, found.learning_rate) == (3, 70, 0.05)


def test_the_state_of_the_optimizer_is_shown_before_and_after() -> None:
    model = network()
    first = trace(model, X, Y).operations[0].parameters[0]
    assert not first.state_before
    np.testing.assert_allclose(first.state_after["momentum"], 0.1 * first.gradient, rtol=1e-6)
    model.train(X, Y, batch_size=None, progress=False)
    second = trace(model, X, Y).operations[0].parameters[0]
    np.testing.assert_array_equal(second.state_before["cache"], first.state_after["cache"])


def test_the_model_its_optimizer_and_its_random_numbers_stay_as_they_are() -> None:
    model = network(Dense(2, 4), BatchNormalization(4), Dropout(0.5), Dense(4, 3), Softmax())
    model.train(X, Y, progress=False)
    before = [array.copy() for array in model.stored_arrays()]
    stored = [vars(layer).copy() for layer in model.layers]
    state = copy.deepcopy(model.optimizer.state(model.parameters))
    numbers = framework.utils.rng.rng_state()["ours"]
    trace(model, X, Y)
    assert framework.utils.rng.rng_state()["ours"] == numbers
    for one, other in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    for layer, attributes in zip(model.layers, stored, strict=True):
        assert vars(layer).keys() == attributes.keys()
        assert all(vars(layer)[name] is value for name, value in attributes.items())
    np.testing.assert_equal(model.optimizer.state(model.parameters), state)
    assert model.optimizer.iterations == 3


def test_a_neuron_is_worked_out_with_the_names_of_the_features() -> None:
    layer = Dense(2, 1, dtype="float64")
    layer.weights, layer.biases = [[0.31], [-1.2]], [[0.05]]
    model = Model([layer])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    found = trace(model, [[1.0, 2.0]], [0.0]).operations[0]
    assert found.line("output", (0, 0), {"inputs": "xy"}) == (
        "output[0, 0] = 0.31·x + -1.2·y + 0.05 = -2.04"
    )
    assert found.line("output", (5, 0)) == ""
    assert found.line("anything", (0, 0)) == ""


def test_penalties_are_in_the_arithmetic_of_their_gradients() -> None:
    layer = Dense(2, 3, weight_regularizer_l2=0.01, bias_regularizer_l1=0.1)
    layer.biases += 1
    found = trace(network(layer, Softmax()), X, Y)
    assert "2·0.01·" in found.operations[0].line("dweights", (0, 2))
    assert "0.1·sign(1)" in found.operations[0].line("dbiases", (0, 1))
    assert found.loss.penalties == pytest.approx(0.01 * (layer.weights**2).sum() + 0.3)


class Twice:
    """An operation that stores, and returns nothing."""

    def forward(self, inputs: Any) -> None:
        self.output = 2 * inputs

    def backward(self, dvalues: Any) -> None:
        self.dinputs = 2 * dvalues


class Slotted:
    """An operation whose methods cannot be replaced."""

    __slots__ = ("dinputs", "output")

    def forward(self, inputs: Any) -> None:
        self.output = 3 * inputs

    def backward(self, dvalues: Any) -> None:
        self.dinputs = 3 * dvalues


class Residual(Container):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> Any:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = inputs + self.inner.forward(inputs=inputs, training=training)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = dvalues + self.inner.backward(dvalues)
        return self.dinputs


def test_operations_of_ones_own_are_in_it_as_they_are() -> None:
    model = network(Twice(), Slotted(), Dense(2, 3), Softmax())
    twice, slotted, dense = trace(model, X, Y).operations
    assert twice.name == "Twice()" and not twice.formulas
    inputs = X.astype(np.float32)
    np.testing.assert_array_equal(twice.inputs, inputs)
    np.testing.assert_array_equal(twice.output, 2 * inputs)
    np.testing.assert_array_equal(slotted.inputs, 2 * inputs)
    np.testing.assert_array_equal(slotted.dvalues, dense.dinputs)
    np.testing.assert_array_equal(twice.dvalues, 3 * dense.dinputs)


def test_operations_inside_a_container_of_ones_own_follow_it() -> None:
    inner = Sequential([Dense(2, 2), ReLU()])
    model = network(Sequential([Residual(inner), Dense(2, 3)]), Softmax())
    found = trace(model, X, Y).operations
    assert [one.position for one in found] == ["1", "1.1", "1.2", "2"]
    assert [one.name.partition("(")[0] for one in found] == ["Residual", "Dense", "ReLU", "Dense"]
    outer, dense, relu, _ = found
    np.testing.assert_array_equal(dense.inputs, outer.inputs)
    np.testing.assert_array_equal(relu.inputs, dense.output)
    np.testing.assert_array_equal(relu.dvalues, outer.dvalues)
    assert [parameter.name for parameter in dense.parameters] == ["weights", "biases"]
    assert not outer.parameters


class PlainSteps:
    """An optimizer that knows only the protocol of the book."""

    def pre_update_params(self) -> None:
        pass

    def update_params(self, layer: Any) -> None:
        layer.weights -= layer.dweights
        layer.biases -= layer.dbiases

    def post_update_params(self) -> None:
        pass


def test_an_optimizer_of_another_kind_is_shown_before_and_after() -> None:
    found = trace(network(optimizer=PlainSteps()), X, Y)
    weights = found.operations[0].parameters[0]
    np.testing.assert_allclose(weights.after, weights.before - weights.gradient, rtol=1e-6)
    assert weights.lines((0, 0)) == [] and found.step is None
    assert "PlainSteps()" in repr(found)


def test_it_prints_as_text_of_80_columns() -> None:
    model = network(
        Dense(2, 64, weight_regularizer_l1=1e-3),
        ReLU(),
        BatchNormalization(64),
        Dense(64, 3),
        Softmax(),
    )
    text = repr(trace(model, X, Y))
    assert max(map(len, text.splitlines())) <= 80
    assert "output   = inputs @ weights + biases" in text
    assert "… 60 more" in text and "… 67 more" in text
    assert "70×64" in text
    assert "corrected_momentum = momentum / (1 - beta_1ᵗ)" in text
    assert "\n   parameter = " in text


def test_large_arrays_fit_as_well() -> None:
    model = Model([Dense(20_000, 1), Dense(1, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    text = repr(trace(model, np.zeros((2, 20_000)), [0, 1]))
    assert max(map(len, text.splitlines())) <= 80
    assert "… 19997 more" in text


def test_it_shows_in_a_notebook_as_html() -> None:
    class Tricky(Twice):
        """``output = <b> & inputs``"""

        def __repr__(self) -> str:
            return "<script>"

    html = trace(network(Tricky(), Dense(2, 3), Softmax()), X, Y)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "&lt;b&gt; &amp;" in html
    assert html.count("<details") == html.count("</details>") >= 5
    assert "… 67 more" in html


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda model: setattr(model, "loss", None), RuntimeError, r"call set\(loss="),
        (lambda model: setattr(model, "optimizer", None), RuntimeError, r"optimizer=\.\.\.\)"),
        (lambda model: model.add(ReLU()), RuntimeError, "call finalize"),
    ],
)
def test_a_model_that_takes_no_steps_is_refused(change: Any, error: Any, message: str) -> None:
    model = network()
    change(model)
    with pytest.raises(error, match=message):
        trace(model, X, Y)


def test_data_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expects inputs of shape \(samples, 2\)"):
        trace(network(), np.zeros((3, 5)), [0, 1, 2])
    assert isinstance(trace(network(), X, Y), Trace)
