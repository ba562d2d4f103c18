"""A Residual adds two branches: its values, gradients and errors, in a network and alone."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import framework
from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LayerNormalization,
    Model,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    Tanh,
    check_gradients,
)
from optimizers import SGD, Adam
from tests.strategies import Array, generator

INPUTS = np.random.default_rng(0).normal(size=(5, 4))
IMAGES = np.random.default_rng(1).normal(size=(24, 6, 5, 2))
CLASSES = np.arange(24) % 3


def block() -> Residual:
    """One that halves images and widens them, with everything inside that a network may have."""
    return Residual(
        [
            Conv2D(2, 4, 3, stride=2, padding="same", weight_regularizer_l2=1e-2),
            Sequential([BatchNormalization(4), ReLU(), Dropout(0.2)]),
            Residual([Conv2D(4, 4, 3, padding="same"), LayerNormalization(4)]),
        ],
        shortcut=[Conv2D(2, 4, 1, stride=2, bias_regularizer_l1=1e-2)],
    )


def classifier(*operations: Any, **options: Any) -> Model:
    framework.seed(3)
    layers = operations or (block(), Flatten(), Dense(36, 3), Softmax())
    model = Model(layers, **options)
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


def test_output_and_gradients_are_those_of_the_formula() -> None:
    first, last = Dense(4, 6, dtype="float64"), Dense(6, 3, dtype="float64")
    across = Dense(4, 3, dtype="float64")
    residual = Residual([first, Tanh(), last], shortcut=[across])
    dvalues = np.random.default_rng(2).normal(size=(5, 3))
    output, dinputs = residual.forward(INPUTS), residual.backward(dvalues)
    hidden = np.tanh(INPUTS @ first.weights + first.biases)
    computed = hidden @ last.weights + last.biases
    np.testing.assert_allclose(output, computed + INPUTS @ across.weights + across.biases)
    inside = dvalues @ last.weights.T * (1 - hidden**2)
    np.testing.assert_allclose(dinputs, inside @ first.weights.T + dvalues @ across.weights.T)
    np.testing.assert_allclose(first.dweights, INPUTS.T @ inside)
    np.testing.assert_allclose(last.dweights, hidden.T @ dvalues)
    np.testing.assert_allclose(across.dweights, INPUTS.T @ dvalues)
    assert residual.output is output
    assert residual.dinputs is dinputs


def test_without_a_shortcut_the_inputs_and_dvalues_are_added_as_they_are() -> None:
    residual = Residual([Tanh()])
    dvalues = np.full_like(INPUTS, 2.0)
    np.testing.assert_allclose(residual.forward(INPUTS), INPUTS + np.tanh(INPUTS))
    np.testing.assert_allclose(residual.backward(dvalues), 2 + 2 * (1 - np.tanh(INPUTS) ** 2))
    np.testing.assert_array_equal(dvalues, 2)


@st.composite
def residuals(draw: st.DrawFn, depth: int = 2) -> Callable[[int], Residual]:
    """A function of the number of features that makes a Residual of random operations."""
    kinds = ["dense", "tanh", "normalization", "layer normalization", "dropout"]
    kinds += ["residual", "sequential"] if depth else []
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    widths = [draw(st.integers(1, 4)) for _ in chosen]
    has_shortcut = draw(st.booleans())
    inner = draw(residuals(depth - 1)) if depth else None

    def make(features: int) -> Residual:
        operations: list[Any] = []
        width = features
        for kind, wider in zip(chosen, widths, strict=True):
            if kind == "dense":
                operations.append(Dense(width, wider, weight_regularizer_l2=0.1))
                width = wider
            elif inner is not None and kind in ("residual", "sequential"):
                made = inner(width)
                operations.append(made if kind == "residual" else Sequential([made, Tanh()]))
                width = (made.output_shape((width,)) or ())[-1]
            else:
                operations.append(
                    {
                        "tanh": Tanh,
                        "normalization": lambda w=width: BatchNormalization(w, epsilon=0.1),
                        "layer normalization": lambda w=width: LayerNormalization(w, epsilon=0.1),
                        "dropout": lambda: Dropout(0.4),
                    }[kind]()
                )
        across = [Dense(features, width)] if has_shortcut or width != features else []
        return Residual(operations, shortcut=across)

    return make


@settings(max_examples=40)
@given(data=st.data(), training=st.booleans())
def test_its_gradients_are_those_of_differences(data: st.DataObject, training: bool) -> None:
    shape = [data.draw(st.integers(1, 3)) for _ in range(data.draw(st.integers(2, 4)))]
    inputs = generator(data.draw).normal(size=shape)
    residual = data.draw(residuals())(shape[-1])
    report = check_gradients(residual, inputs, training=training)
    assert report.passed, report
    assert residual.output_shape(tuple(shape[1:])) == residual.forward(inputs).shape[1:]


@settings(max_examples=20)
@given(data=st.data())
def test_gradients_of_blocks_of_images_and_sequences_are_those_of_differences(
    data: st.DataObject,
) -> None:
    draw = data.draw
    axes, stride = draw(st.sampled_from([1, 2])), draw(st.integers(1, 2))
    convolution: Any = [Conv1D, Conv2D][axes - 1]
    channels, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    inside = [
        convolution(channels, filters, draw(st.integers(1, 3)), stride=stride, padding="same"),
        BatchNormalization(filters, epsilon=0.1),
        Tanh(),
        convolution(filters, filters, 3, padding="same", use_bias=False),
    ]
    across = [convolution(channels, filters, 1, stride=stride)]
    shape = [draw(st.integers(1, 4)) for _ in range(axes + 1)]
    report = check_gradients(
        Residual(inside, shortcut=across), generator(draw).normal(size=(*shape, channels))
    )
    assert report.passed, report
    names = [array.name for array in report.arrays]
    assert "operations[0].dweights" in names
    assert "shortcut[0].dbiases" in names


def test_a_wrong_gradient_inside_is_found_and_named() -> None:
    class Wrong(Tanh):
        def backward(self, dvalues: Any) -> Array:
            self.dinputs = 1.1 * super().backward(dvalues)
            return self.dinputs

    model = classifier(Dense(4, 4), Residual([Dense(4, 4), Wrong()]), Dense(4, 3), Softmax())
    report = check_gradients(model, INPUTS, CLASSES[:5])
    assert not report.passed
    wrong = [array.name for array in report.arrays if array.max_relative_error > 1e-3]
    assert "layers[1].operations[0].dweights" in wrong
    assert "layers[2].dweights" not in wrong


def test_a_network_of_blocks_passes_the_gradient_check() -> None:
    assert check_gradients(classifier(), IMAGES, CLASSES).passed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inputs", [INPUTS, INPUTS.astype(np.float32), np.arange(8).reshape(2, 4)])
def test_the_dtype_is_that_of_the_parameters_alone_and_in_a_network(
    dtype: Any, inputs: Array
) -> None:
    for residual in (
        Residual([Dense(4, 4, dtype=dtype), ReLU()]),
        Residual([ReLU()], shortcut=[Dense(4, 4, dtype=dtype)]),
    ):
        for network in (residual, Sequential([residual])):
            output = network.forward(inputs)
            assert output.dtype == dtype
            assert network.backward(np.ones_like(output, np.float64)).dtype == dtype


def test_dropout_inside_draws_from_the_one_generator_and_is_off_in_prediction() -> None:
    residual, dropout = Residual([Dropout(0.5)]), Dropout(0.5)
    framework.seed(4)
    output = residual.forward(INPUTS)
    framework.seed(4)
    np.testing.assert_allclose(output, INPUTS + dropout.forward(INPUTS))
    np.testing.assert_allclose(residual.forward(INPUTS, training=False), 2 * INPUTS)


def test_penalties_inside_count() -> None:
    model = classifier()
    block: Any = model.layers[0]
    expected = 1e-2 * (block.operations[0].weights ** 2).sum()
    expected += 1e-2 * np.abs(block.shortcut[0].biases).sum()
    assert model.regularization_loss() == pytest.approx(float(expected))


def test_it_trains_and_predicts_as_the_same_steps_by_hand() -> None:
    model = classifier(Dense(4, 3), Residual([Dense(3, 3), Tanh()]), Softmax(), dtype="float64")
    model.set(optimizer=SGD(0.5))
    outer, inner = model.layers[0], model.layers[1].operations[0]
    y = CLASSES[:5]
    arrays = [a.copy() for a in (outer.weights, outer.biases, inner.weights, inner.biases)]
    model.train(INPUTS, y, batch_size=None, progress=False)
    W, b, V, c = arrays
    hidden = INPUTS @ W + b
    computed = np.tanh(hidden @ V + c)
    scores = np.exp(hidden + computed)
    gradient = (scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[y]) / 5
    inside = gradient * (1 - computed**2)
    before = gradient + inside @ V.T
    for array, old, dvalues in (
        (outer.weights, W, INPUTS.T @ before),
        (outer.biases, b, before.sum(axis=0)),
        (inner.weights, V, hidden.T @ inside),
        (inner.biases, c, inside.sum(axis=0)),
    ):
        np.testing.assert_allclose(array, old - 0.5 * dvalues, rtol=1e-12, atol=1e-14)


def test_it_comes_back_from_a_file(tmp_path: Path) -> None:
    model = classifier()
    model.train(IMAGES, CLASSES, epochs=2, progress=False)
    model.save(tmp_path / "it")
    loaded = Model.load(tmp_path / "it")
    assert repr(loaded) == repr(model)
    np.testing.assert_array_equal(loaded.predict(IMAGES), model.predict(IMAGES))
    for network in (loaded, model):
        framework.seed(9)
        network.set(optimizer=SGD(0.1))
        network.train(IMAGES, CLASSES, progress=False)
    for one, other in zip(loaded.stored_arrays(), model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    other = classifier()
    other.load_parameters(tmp_path / "it")
    assert not np.array_equal(other.predict(IMAGES), model.predict(IMAGES))


class Halved:
    """An operation of the user's own, derived from nothing."""

    def forward(self, inputs: Array) -> None:
        self.output = inputs / 2

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues / 2


def test_operations_of_ones_own_run_inside(tmp_path: Path) -> None:
    residual = Residual([Halved()], shortcut=[Halved(), Halved()])
    np.testing.assert_array_equal(residual.forward(INPUTS), 0.75 * INPUTS)
    np.testing.assert_array_equal(residual.backward(np.ones((5, 4))), np.full((5, 4), 0.75))
    assert repr(residual) == "Residual([Halved()], shortcut=[Halved(), Halved()])"
    model = classifier(residual, Dense(4, 3), Softmax())
    model.train(INPUTS, CLASSES[:5], progress=False)
    model.save(tmp_path / "it")
    loaded = Model.load(tmp_path / "it", custom_operations=[Halved])
    np.testing.assert_array_equal(loaded.predict(INPUTS), model.predict(INPUTS))


def test_a_model_inside_is_its_operations() -> None:
    inner = classifier(Dense(4, 4), Softmax())
    residual = Residual([inner])
    expected = INPUTS + inner.predict(INPUTS)
    np.testing.assert_allclose(Sequential([residual]).forward(INPUTS), expected, rtol=1e-5)
    assert check_gradients(residual, INPUTS).passed


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_are_independent(copied: Callable[[Any], Any]) -> None:
    model = classifier()
    other = copied(model)
    np.testing.assert_array_equal(other.predict(IMAGES), model.predict(IMAGES))
    other.parameters.weights[...] = 0.0
    assert not other.layers[0].operations[0].weights.any()
    assert model.layers[0].operations[0].weights.any()


def test_the_optimizer_updates_it_alone_in_one_call() -> None:
    network = Sequential([Residual([Dense(4, 4)], shortcut=[Dense(4, 4)])])
    network.finalize()
    assert len(network.trained_layers) == 2
    before = network.parameters.weights.copy()
    network.forward(INPUTS)
    network.backward(np.ones((5, 4)))
    SGD(0.1).update_params(network.parameters)
    expected = before - np.float32(0.1) * network.parameters.dweights
    np.testing.assert_allclose(network.parameters.weights, expected, rtol=1e-6)


@pytest.mark.parametrize("branch", ["operations", "shortcut"])
def test_a_change_of_a_branch_is_noticed_until_the_next_finalize(branch: str) -> None:
    residual = Residual([Dense(4, 4)], shortcut=[Dense(4, 4)])
    model = classifier(residual, Dense(4, 3), Softmax())
    getattr(residual, branch)[0] = Dense(4, 4)
    assert not model.finalized
    with pytest.raises(RuntimeError, match=r"operations changed, so call finalize\(\) again"):
        model.train(INPUTS, CLASSES[:5], progress=False)
    model.finalize()
    model.train(INPUTS, CLASSES[:5], progress=False)


def test_an_operation_stands_in_one_branch_only() -> None:
    shared = Dense(4, 4)
    with pytest.raises(ValueError, match=r"already operation 1\.operations\.1 of the sequential"):
        Sequential([Residual([shared], shortcut=[shared])]).finalize()


def test_it_cannot_contain_itself() -> None:
    residual = Residual([ReLU()])
    residual.operations.append(residual)
    assert repr(residual) == "Residual([ReLU(), Residual([...])])"
    with pytest.raises(ValueError, match="the residual contains itself"):
        Sequential([residual])


REFUSED: list[tuple[list[Any], str]] = [
    (
        [Dense(2, 4), Residual([Dense(4, 8)])],
        "Residual([Dense(4, 8)]) expects its operations to give the shape of its inputs, or a "
        "shortcut=[...]: they give (samples, 8), received (samples, 4): the operation before it, "
        "Dense(2, 4), gives 4 values per sample",
    ),
    (
        [Dense(2, 4), Residual([Dense(4, 8)], shortcut=[Dense(4, 7)])],
        "Residual([Dense(4, 8)], shortcut=[Dense(4, 7)]) expects its operations and its shortcut "
        "to give the same shape: they give (samples, 8) and (samples, 7), received (samples, 4): "
        "the operation before it, Dense(2, 4), gives 4 values per sample",
    ),
    (
        [Dense(2, 4), Residual([ReLU(), Dense(5, 4)])],
        "Dense(5, 4) expects inputs of shape (samples, 5), received (samples, 4): the operation "
        "before it, ReLU(), gives 4 values per sample",
    ),
    (
        [Dense(2, 4), Residual([Dense(4, 4)], shortcut=[Dense(3, 4)])],
        "Dense(3, 4) expects inputs of shape (samples, 3), received (samples, 4): the operation "
        "before it, Dense(2, 4), gives 4 values per sample",
    ),
    (
        [Residual([Dense(2, 4)], shortcut=[Dense(2, 4)]), Dense(3, 1)],
        "Dense(3, 1) expects inputs of shape (samples, 3), received (samples, 4): the operation "
        "before it, Residual([Dense(2, 4)], shortcut=[Dense(2, 4)]), gives 4 values per sample",
    ),
]


@pytest.mark.parametrize(("operations", "message"), REFUSED)
def test_what_does_not_fit_is_refused_at_finalize_naming_both(
    operations: list[Any], message: str
) -> None:
    network = Sequential(operations)
    with pytest.raises(ValueError) as raised:
        network.finalize()
    assert str(raised.value) == message
    assert not network.finalized


def test_images_of_another_size_are_refused_before_anything_has_changed() -> None:
    valid = Residual([Conv2D(2, 2, 3)])
    model = classifier(valid, Flatten(), Dense(60, 3), Softmax())
    before = model.parameters.weights.copy()
    with pytest.raises(ValueError) as raised:
        model.train(IMAGES, CLASSES, progress=False)
    assert str(raised.value) == (
        "Residual([Conv2D(2, 2, 3)]) expects its operations to give the shape of its inputs, or a "
        "shortcut=[...]: they give (samples, 4, 3, 2), received (samples, 6, 5, 2): these are the "
        "data"
    )
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_shapes_that_nothing_tells_before_are_compared_in_forward() -> None:
    class Sums:
        """Would be broadcast to the shape of its inputs."""

        def forward(self, inputs: Array) -> None:
            self.output = inputs.sum(axis=1, keepdims=True)

        def backward(self, dvalues: Array) -> None:
            raise NotImplementedError

    with pytest.raises(ValueError) as raised:
        Residual([Sums()]).forward(INPUTS)
    assert str(raised.value) == (
        "Residual([Sums()]) expects its operations to give the shape of its inputs, or a "
        "shortcut=[...]: they give (samples, 1), received (samples, 4)"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([],), {}, ValueError, "operations must be at least one, received none"),
        ((Dense(2, 2),), {}, TypeError, "operations must be a list of operations, received Dense"),
        (([ReLU],), {}, TypeError, "an operation needs forward and backward methods"),
        (([ReLU()],), {"shortcut": Tanh()}, TypeError, "shortcut must be a list of operations"),
        (([ReLU()],), {"shortcut": ["relu"]}, TypeError, "an operation needs forward and backward"),
    ],
)
def test_impossible_arguments_are_refused(
    arguments: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Residual(*arguments, **options)


def test_backward_checks_what_it_is_given() -> None:
    residual = Residual([Tanh()])
    with pytest.raises(RuntimeError, match=r"Residual\(\[Tanh\(\)\]\): backward was called before"):
        residual.backward(INPUTS)
    residual.forward(INPUTS)
    with pytest.raises(ValueError, match="dvalues must have the shape of the last output"):
        residual.backward(INPUTS[:2])
