"""Each compiled twin computes what its specification, the NumPy class, computes."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

import framework
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    FusedLoss,
    LeakyReLU,
    Model,
    Operation,
    ReLU,
    Scale,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
)
from framework.accelerated.exponential import exponential
from framework.accelerated.stretch import Stretch
from framework.accelerated.trainer import Trainer
from framework.accelerated.updater import Updater
from framework.data.batches import ArrayBatches
from framework.parameters import ParameterVector
from optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from tests.strategies import Array, batches

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}

both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def operations_for(features: int, dtype: str) -> list[Operation]:
    penalties = {
        "weight_regularizer_l1": 0.1,
        "weight_regularizer_l2": 0.2,
        "bias_regularizer_l1": 0.3,
        "bias_regularizer_l2": 0.4,
    }
    return [
        Dense(features, 3, bias_initializer="normal", dtype=dtype),
        Dense(features, 2, bias_initializer="normal", dtype=dtype, **penalties),
        ReLU(),
        LeakyReLU(alpha=0.3),
        Sigmoid(),
        Tanh(),
        Dropout(0.4),
        BatchNormalization(features, momentum=0.7, epsilon=0.01, dtype=dtype),
        Scale(-0.5, 3),
    ]


def run(operation: Any, inputs: Array, dvalues: Array, training: bool) -> None:
    """Forward and backward, with the same chance for every caller."""
    framework.seed(1)
    operation.forward(inputs, training)
    operation.backward(dvalues)


def assert_same_state(twin: Any, specification: Any, tolerance: float) -> None:
    """Every array that the one object holds is in the other too, of equal values and type."""
    assert vars(twin).keys() == vars(specification).keys()
    for name, expected in vars(specification).items():
        found = getattr(twin, name)
        if isinstance(expected, np.ndarray):
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype), name
            np.testing.assert_allclose(found, expected, tolerance, tolerance, err_msg=name)
        else:
            assert repr(found) == repr(expected), name


@both_dtypes
@given(inputs=batches(max_samples=40, max_features=20), training=st.booleans())
def test_an_operation_is_left_with_what_its_own_methods_store(
    dtype: str, inputs: Array, training: bool
) -> None:
    inputs = inputs.astype(dtype)
    for specification in operations_for(inputs.shape[1], dtype):
        operation = copy.deepcopy(specification)
        dvalues = np.cos(np.arange(len(inputs) * 20)).astype(dtype)
        shape = specification.output_shape(inputs.shape[1:])
        assert shape is not None
        dvalues = np.resize(dvalues, (len(inputs), *shape))
        run(specification, inputs, dvalues, training)
        twin = Stretch([operation], ParameterVector([operation], np.dtype(dtype)))
        run(twin, inputs, dvalues, training)
        assert_same_state(operation, specification, TOLERANCE[dtype])
        np.testing.assert_array_equal(twin.output, operation.output)
        np.testing.assert_array_equal(twin.dinputs, operation.dinputs)


@both_dtypes
@given(inputs=batches(max_samples=40, max_features=6))
def test_a_stretch_of_operations_is_each_of_them_in_turn(dtype: str, inputs: Array) -> None:
    features = inputs.shape[1]
    specification = [
        BatchNormalization(features, dtype=dtype),
        Dense(features, 7, dtype=dtype),
        ReLU(),
        Dropout(0.2),
        Dense(7, 5, dtype=dtype),
        Tanh(),
        Dropout(0.5),
        LeakyReLU(),
        Dense(5, 4, dtype=dtype),
    ]
    operations = copy.deepcopy(specification)
    framework.seed(2)
    output = inputs.astype(dtype)
    for operation in specification:
        output = operation.forward(output)
    gradient = np.sin(output)
    for operation in reversed(specification):
        gradient = operation.backward(gradient)
    framework.seed(2)
    stretch = Stretch(operations, ParameterVector(operations, np.dtype(dtype)))
    stretch.forward(inputs.astype(dtype))
    stretch.backward(np.sin(output))
    for operation, expected in zip(operations, specification, strict=True):
        assert_same_state(operation, expected, 10 * TOLERANCE[dtype])


@both_dtypes
def test_saturated_and_broken_inputs_give_what_the_specification_gives(dtype: str) -> None:
    inputs = np.array([[-np.inf, -1e4, -1e-4, 0.0, 1e-4, 1e4, np.inf, np.nan]], dtype)
    for specification in (ReLU(), LeakyReLU(), Sigmoid(), Tanh()):
        operation: Any = copy.deepcopy(specification)
        with np.errstate(invalid="ignore"):
            expected = specification.forward(inputs)
        found = Stretch([operation], ParameterVector([], np.dtype(dtype))).forward(inputs)
        np.testing.assert_allclose(found, expected, 1e-6, 1e-30, err_msg=repr(operation))


def targets(kind: str, samples: int, outputs: int, dtype: str) -> Array:
    chance = np.random.default_rng(3)
    if kind == "classes":
        return chance.integers(0, outputs, samples)
    if kind == "rows":
        return chance.dirichlet(np.ones(outputs), samples).astype(dtype)
    return chance.integers(0, 2, (samples, outputs)).astype(dtype)


@both_dtypes
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("fused", "kind"),
    [
        (SoftmaxCategoricalCrossentropy(), "classes"),
        (SoftmaxCategoricalCrossentropy(), "rows"),
        (SigmoidBinaryCrossentropy(), "binary"),
    ],
    ids=["classes", "rows", "binary"],
)
@given(inputs=batches(max_samples=30, max_features=4), scale=st.sampled_from([1, 1e3]))
def test_a_fused_loss_is_left_with_what_its_own_methods_store(
    fused: FusedLoss, kind: str, dtype: str, weighted: bool, inputs: Array, scale: float
) -> None:
    samples, features = inputs.shape
    layer = Dense(features, 3, dtype=dtype)
    layer.weights = scale * np.cos(np.arange(3 * features)).reshape(features, 3)
    fused = copy.deepcopy(fused)
    if isinstance(fused.activation, Softmax):
        fused.activation.temperature = 1.5
    model = Model([layer])
    model.set(loss=fused, optimizer=SGD(1e-6))
    model.finalize()
    specification = copy.deepcopy(model)
    X, y = inputs.astype(dtype), targets(kind, samples, 3, dtype)
    weights = np.linspace(0.2, 1, samples) if weighted else None

    loss = specification.calculate_loss(X, y, sample_weight=weights)
    specification.backward(y, all_operations=False, sample_weight=weights)
    (batch,) = ArrayBatches(X, y, weights).epoch()
    figures = Trainer(model, model.layers, fused).take_steps(batch)

    np.testing.assert_allclose(figures[0, 0], loss, 10 * TOLERANCE[dtype])
    tolerance = TOLERANCE[dtype] * scale
    assert_same_state(fused.activation, specification.loss.activation, tolerance)
    np.testing.assert_allclose(fused.dinputs, specification.loss.dinputs, tolerance, tolerance)
    np.testing.assert_array_equal(model.output, fused.output)
    np.testing.assert_allclose(
        layer.dweights, specification.layers[0].dweights, tolerance, tolerance
    )


OPTIMIZERS = [
    SGD(0.1),
    SGD(0.1, decay=0.1, momentum=0.9),
    SGD(0.1, momentum=0.8, nesterov=True),
    RMSprop(0.01, rho=0.8, epsilon=1e-4),
    Adam(0.05, decay=0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-4),
    AdamW(0.05, weight_decay=0.1),
    Adam(0.05, max_gradient_norm=0.5),
    SGD(lambda step: 0.1 / (step + 1), max_gradient_norm=1e6),
]


@both_dtypes
@pytest.mark.parametrize("specification", OPTIMIZERS, ids=repr)
@given(start=batches(max_samples=40, max_features=20))
def test_an_optimizer_updates_and_remembers_the_same(
    specification: Optimizer, dtype: str, start: Array
) -> None:
    specification = copy.deepcopy(specification)
    optimizer = copy.deepcopy(specification)
    holders = []
    for update, rule in ((specification, specification), (Updater(optimizer), optimizer)):
        layer = Dense(*start.shape, dtype=dtype)
        layer.weights = start
        vector = ParameterVector([layer], np.dtype(dtype))
        for _ in range(4):
            layer.dweights = np.sin(3 * layer.weights)
            layer.dbiases = np.cos(layer.biases)
            rule.pre_update_params()
            update.update_params(vector)
            rule.post_update_params()
        holders.append((vector, rule.state(vector)["weights"]))
    (expected, remembered), (found, kept) = holders
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(found.weights, expected.weights, tolerance, tolerance)
    assert kept.keys() == remembered.keys()
    for name, array in remembered.items():
        np.testing.assert_allclose(kept[name], array, tolerance, tolerance)


def test_the_exponential_has_the_precision_of_its_type() -> None:
    from framework.accelerated.compiled import compiled

    @compiled
    def exponentials(x: Any, out: Any) -> None:
        for i in range(len(x)):
            out[i] = exponential(x[i])

    for dtype, tolerance in ((np.float32, 1.5e-7), (np.float64, 4e-16)):
        x = np.linspace(-86, 0, 100_001).astype(dtype)
        found = np.empty_like(x)
        exponentials(x, found)
        expected = np.exp(x.astype(np.longdouble))
        assert np.abs(found / expected - 1).max() < tolerance
    broken = np.array([-np.inf, np.nan], np.float32)
    exponentials(broken, broken)
    assert broken[0] < 2e-38
    assert np.isnan(broken[1])


def test_binary_crossentropy_swapped_for_its_fused_form_has_a_twin_as_well() -> None:
    model = Model([Dense(3, 2), Sigmoid()])
    model.set(loss=BinaryCrossentropy(), optimizer=Adam())
    model.finalize(accelerated=True)
    assert isinstance(model.trainer, Trainer)
    model.set(loss=CategoricalCrossentropy())
    assert model.trainer is None  # the sigmoid stays an operation, and the loss has no twin
