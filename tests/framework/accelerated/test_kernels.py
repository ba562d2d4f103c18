"""Each kernel computes what its specification, the NumPy class, computes."""

import copy
import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

import framework
from framework import (
    GELU,
    BatchNormalization,
    BinaryAccuracy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    DivergenceError,
    Dropout,
    Flatten,
    FusedLoss,
    Hinge,
    HingeAccuracy,
    Huber,
    MeanSquaredError,
    Model,
    Operation,
    Poisson,
    PReLU,
    RegressionAccuracy,
    ReLU,
    Reshape,
    Scale,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Softplus,
    Tanh,
)
from framework.accelerated.exponential import (
    exponential,
    exponential_minus_one,
    log_one_plus,
    logarithm,
)
from framework.accelerated.kernels import ACCURACIES, LOSSES, OPERATIONS, OPTIMIZERS
from framework.accelerated.kernels import takes as kernel_takes
from optimizers import SGD, Adam
from tests.every import takes
from tests.framework.accelerated.networks import assert_same_attributes
from tests.strategies import Array

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}

both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])

PENALTIES = {
    "weight_regularizer_l1": 0.01,
    "weight_regularizer_l2": 0.02,
    "bias_regularizer_l1": 0.03,
    "bias_regularizer_l2": 0.04,
}
WIDTH = 6

# Further arguments, which change what is computed, beside those of ``for_features``.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "BatchNormalization": [{"n_features": WIDTH, "momentum": 0.7, "epsilon": 0.01}],
    "Dense": [
        {"n_inputs": WIDTH, "n_neurons": WIDTH, "bias_initializer": "normal"},
        {"n_inputs": WIDTH, "n_neurons": WIDTH, "bias_initializer": "normal", **PENALTIES},
        {"n_inputs": WIDTH, "n_neurons": WIDTH, "use_bias": False},
    ],
    "Conv1D": [{"n_channels": WIDTH, "n_filters": 3, "kernel_size": 2, "padding": "causal"}],
    "Conv2D": [
        {
            "n_channels": WIDTH,
            "n_filters": 3,
            "kernel_size": (3, 2),
            "stride": (2, 1),
            "dilation": (1, 2),
            "padding": (1, 0),
            "bias_initializer": "normal",
            **PENALTIES,
        },
    ],
    "MaxPooling1D": [{"size": 3, "stride": 2, "padding": 1}],
    "MaxPooling2D": [{"size": (2, 3), "stride": 1, "padding": "same"}],
    "AveragePooling1D": [{"size": 3, "stride": 2, "padding": 1}],
    "AveragePooling2D": [{"size": (2, 3), "stride": 1, "padding": "same"}],
    "ZeroPadding2D": [{"padding": ((1, 0), (0, 2))}],
    "LayerNormalization": [{"n_features": WIDTH, "epsilon": 0.01}],
    "Permute": [{"dims": (1, 3, 2)}, {"dims": (2, 3, 1)}],
    "Reshape": [{"shape": (-1, 2)}],
    "GELU": [{"approximate": "none"}],
    "Dropout": [{"rate": 0.4}],
    "ELU": [{"alpha": 0.5}],
    "Huber": [{"delta": 0.2}],
    "LeakyReLU": [{"alpha": 0.3}],
    "PReLU": [{"initial_slope": -0.3}],
    "Scale": [{"factor": -0.5, "offset": 3}],
    "Softmax": [{"temperature": 1.5}],
    "SGD": [
        {"learning_rate": 0.1, "decay": 0.1, "momentum": 0.9},
        {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True},
        {"learning_rate": lambda step: 0.1 / (step + 1), "max_gradient_norm": 1e6},
    ],
    "RMSprop": [{"learning_rate": 0.01, "rho": 0.8, "epsilon": 1e-4}],
    "Adagrad": [{"learning_rate": 0.1, "epsilon": 1e-3}],
    "Adam": [
        {"learning_rate": 0.05, "decay": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4},
        {"learning_rate": 0.05, "max_gradient_norm": 0.05},
    ],
    "AdamW": [
        {"learning_rate": 0.05, "weight_decay": 0.1},
        {"learning_rate": 0.05, "weight_decay": 0.9, "decay_exclude": ("biases",)},
    ],
    "Nadam": [
        {"learning_rate": 0.05, "decay": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4},
        {"learning_rate": 0.05, "beta_1": 0.02, "momentum_decay": 0.5},
    ],
    "Lion": [{"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1}],
}


def objects_of(cls: Any) -> list[Any]:
    """Return one object with usual arguments, and one for each of its variants."""
    usual = cls.for_features(WIDTH) if issubclass(cls, Operation) else cls()
    return [usual, *(cls(**arguments) for arguments in VARIANTS.get(cls.__name__, []))]


def groups_of(kernel: Any) -> list[Any]:
    """Return the operations that ``kernel`` is tried with."""
    groups = list(zip(*(objects_of(cls) for cls in kernel.operations), strict=False))
    for first, *_ in groups if kernel.frozen else []:
        first.trainable = False
    return [group for group in groups if kernel_takes(kernel, group)]


GROUPS = [group for kernel in OPERATIONS for group in groups_of(kernel)]


def model_of(operations: Any, dtype: str, loss: Any, **options: Any) -> Model:
    """Return a model of copies of ``operations`` with parameters that do not depend on dtype."""
    model = Model(copy.deepcopy(operations), dtype=dtype)
    options = {"optimizer": SGD(0.05), **options}
    model.set(loss=copy.deepcopy(loss), **copy.deepcopy(options))
    return model


def trained(model: Model, accelerated: bool, X: Array, y: Array, **options: Any) -> Any:
    """Return the history of a few steps, the last with fewer samples."""
    framework.seed(1)
    model.finalize(accelerated=accelerated)
    assert (model.trainer is not None) == accelerated
    return model.train(
        X, y, **{"epochs": 2, "batch_size": 16, "shuffle": False, "progress": False, **options}
    )


def assert_same_training(
    operations: Any,
    dtype: str,
    X: Array,
    y: Array,
    loss: Any,
    tolerance: float = 1.0,
    **options: Any,
) -> None:
    """Train a plain and an accelerated model, and compare all that they leave behind."""
    of_train = {key: options.pop(key) for key in ("sample_weight", "epochs") if key in options}
    plain, accelerated = (model_of(operations, dtype, loss, **options) for _ in range(2))
    expected = trained(plain, False, X, y, **of_train)
    history = trained(accelerated, True, X, y, **of_train)
    tolerance *= TOLERANCE[dtype]
    for name in ("loss", "regularization_loss", "accuracy", "learning_rate"):
        np.testing.assert_allclose(
            getattr(history, name), getattr(expected, name), 10 * tolerance, tolerance, err_msg=name
        )
    for found, specification in zip(accelerated.layers, plain.layers, strict=True):
        assert type(found) is type(specification)
        assert_same_attributes(found, specification, tolerance)
    np.testing.assert_allclose(accelerated.output, plain.output, tolerance, tolerance)
    for found, gradient in zip(accelerated.gradients(), plain.gradients(), strict=True):
        assert (found is None) == (gradient is None)
        if gradient is not None:
            np.testing.assert_allclose(found, gradient, tolerance, tolerance)
    if isinstance(loss, FusedLoss):
        assert_same_attributes(accelerated.loss.activation, plain.loss.activation, tolerance)


random = np.random.default_rng(3)
X = random.normal(scale=2, size=(40, 4))
Y = random.normal(size=(40, 2))


def sample_shape(*operations: Any) -> tuple[int, ...]:
    """Return the shape of the samples that the first of ``operations`` is given."""
    return (*operations[0].example_axes, WIDTH) if operations else (WIDTH,)


def before_dense_layer(*operations: Any, n_outputs: int = 2) -> list[Any]:
    framework.seed(2)
    shape: Any = sample_shape(*operations)
    for operation in operations:
        shape = operation.output_shape(shape)
    flat = [Flatten()] if len(shape) > 1 else []
    return [*operations, *flat, Dense(math.prod(shape), n_outputs)]


def between_dense_layers(*operations: Any) -> list[Any]:
    framework.seed(2)
    shape = sample_shape(*operations)
    reshape = [Reshape(shape)] if len(shape) > 1 else []
    return [Dense(4, math.prod(shape)), *reshape, *before_dense_layer(*operations)]


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_an_operation_is_left_with_what_its_own_methods_store(group: Any, dtype: str) -> None:
    assert_same_training(between_dense_layers(*group), dtype, X, Y, MeanSquaredError())


@both_dtypes
@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_an_operation_can_be_first_where_it_is_given_the_data(group: Any, dtype: str) -> None:
    data = random.normal(size=(40, *sample_shape(*group)))
    assert_same_training(before_dense_layer(*group), dtype, data, Y, MeanSquaredError())


@both_dtypes
@pytest.mark.parametrize(
    "operation",
    [
        operation
        for kernel in OPERATIONS
        if takes(operation := kernel.operations[0].for_features(2), (3, 2, 2))
    ]
    + [PReLU()],
    ids=repr,
)
def test_images_go_through_in_their_own_shape(operation: Any, dtype: str) -> None:
    framework.seed(2)
    images = random.normal(size=(40, 3, 2, 2))
    (width,) = Flatten().output_shape(operation.output_shape((3, 2, 2)))
    operations = [operation, Flatten(), Dense(width, 2)]
    assert_same_training(operations, dtype, images, Y, MeanSquaredError())


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense_layers_go_through_sequences_step_by_step(use_bias: bool, dtype: str) -> None:
    framework.seed(2)
    sequences = random.normal(size=(40, 5, 3))
    dense = [Dense(n, 4, use_bias=use_bias, bias_initializer="normal") for n in (3, 4)]
    operations = [dense[0], ReLU(), dense[1], Tanh(), Flatten(), Dense(20, 2)]
    assert_same_training(operations, dtype, sequences, Y, MeanSquaredError(), 10)


@both_dtypes
def test_a_network_may_give_images(dtype: str) -> None:
    images = random.normal(size=(40, 3, 2, 2))
    assert_same_training([BatchNormalization(2), Tanh()], dtype, images, images[::-1], Huber())


@pytest.mark.usefixtures("threads")
@both_dtypes
def test_a_long_network_is_each_operation_in_turn(dtype: str) -> None:
    framework.seed(2)
    operations = [
        Scale(0.5),
        Dense(4, 7),
        ReLU(),
        Dropout(0.2),
        Dense(7, 5),
        Tanh(),
        Dropout(0.5),
        Dense(5, 4, **PENALTIES),
        ReLU(),
        ReLU(),
        Dense(4, 2),
    ]
    assert_same_training(operations, dtype, X, Y, MeanSquaredError(), 10)


@both_dtypes
@pytest.mark.parametrize("kernel", [k for k in OPERATIONS if not k.uniforms], ids=repr)
def test_saturated_inputs_give_what_the_specification_gives(kernel: Any, dtype: str) -> None:
    framework.seed(2)
    operations = groups_of(kernel)[0]
    extremes = [-1e4, -50, -1e-4, 0.0, 1e-4, 1e4]
    inputs = np.broadcast_to(extremes, (4, *sample_shape(*operations)))
    layers = before_dense_layer(*operations, n_outputs=1)
    plain, accelerated = (
        model_of(layers, dtype, MeanSquaredError(), optimizer=SGD(1e-20)) for _ in range(2)
    )
    for model in (plain, accelerated):
        trained(model, model is accelerated, inputs, np.zeros((4, 1)), epochs=1)
    last = len(operations) - 1
    expected = plain.layers[last].output
    np.testing.assert_allclose(accelerated.layers[last].output, expected, 1e-5, 1e-30)


@both_dtypes
@pytest.mark.parametrize("approximate", ["tanh", "none"])
def test_gelu_of_numbers_whose_powers_overflow_has_a_gradient(approximate: Any, dtype: str) -> None:
    far = 1e20 if dtype == "float32" else 1e200
    first, last = Dense(1, 4, dtype=dtype), Dense(4, 1, dtype=dtype)
    first.weights, last.weights = [[far, -far, 50, -50]], [[1 / far], [1 / far], [1], [1]]
    model = Model([first, GELU(approximate), last])
    model.set(loss=MeanSquaredError(), optimizer=SGD(1e-20))
    trained(model, True, np.ones((1, 1)), np.zeros((1, 1)), epochs=1)
    # The output is 51, so its square has the slope 102.
    np.testing.assert_allclose(first.dweights, [[102 / far, 0, 102, 0]], 1e-6, 1e-30)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_nan_passes_through_to_the_loss(group: Any) -> None:
    operations = between_dense_layers(*copy.deepcopy(group))
    operations[0].weights[0, 0] = np.nan
    with pytest.raises(DivergenceError):
        trained(model_of(operations, "float32", MeanSquaredError()), True, X, Y)


CLASSES = random.integers(0, 3, 40)
TARGETS: dict[str, Array] = {
    "classes": CLASSES,
    "rows": random.dirichlet(np.ones(3), 40),
    "bits": random.integers(0, 2, (40, 3)).astype(float),
    "counts": random.integers(0, 5, (40, 3)).astype(float),
    "numbers": random.normal(size=(40, 3)),
}


def targets_of(loss: type) -> list[str]:
    """The names of the targets that a loss takes."""
    if "Categorical" in loss.__name__:
        return ["classes", "rows"]
    if issubclass(loss, Poisson):
        return ["counts"]
    return ["bits"] if "Binary" in loss.__name__ or issubclass(loss, Hinge) else ["numbers"]


LOSS_CASES = [
    (loss, name)
    for kernel in LOSSES
    for loss in objects_of(kernel.loss)
    for name in targets_of(kernel.loss)
]


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize("weights", [None, np.linspace(0.2, 1, 40)], ids=["", "weighted"])
@pytest.mark.parametrize(("loss", "targets"), LOSS_CASES, ids=repr)
def test_a_loss_leads_to_the_same_steps(loss: Any, targets: str, weights: Any, dtype: str) -> None:
    framework.seed(2)
    operations: list[Any] = [Dense(4, WIDTH), Tanh(), Dense(WIDTH, 3)]
    if isinstance(loss, FusedLoss):
        if isinstance(loss, SoftmaxCategoricalCrossentropy):
            loss.activation.temperature = 1.5
    elif targets in ("classes", "rows"):
        operations += [Softmax(), Scale(1.0)]  # what is behind the softmax keeps them apart
    elif targets == "bits":
        operations += [Sigmoid(), Scale(1.0)]
    elif targets == "counts":
        operations += [Softplus()]
    assert_same_training(operations, dtype, X, TARGETS[targets], loss, 10, sample_weight=weights)


@pytest.mark.filterwarnings("ignore:3 updates of SGD")  # that change nothing, on purpose
@pytest.mark.parametrize("scale", [1e3, 1e5])
@pytest.mark.parametrize(("loss", "targets"), LOSS_CASES, ids=repr)
def test_a_loss_of_extreme_outputs_is_as_large_as_plain(
    loss: Any, targets: str, scale: float
) -> None:
    losses = []
    activation = {"classes": Softmax(), "rows": Softmax(), "bits": Sigmoid()}.get(targets)
    for accelerated in (False, True):
        layer = Dense(4, 3)
        layer.weights = scale * np.cos(np.arange(12)).reshape(4, 3)
        last = [] if activation is None or isinstance(loss, FusedLoss) else [activation, Scale(1)]
        model = model_of([layer, *last], "float32", loss, optimizer=SGD(1e-30))
        losses.append(trained(model, accelerated, X, TARGETS[targets], epochs=1).loss)
    np.testing.assert_allclose(losses[1], losses[0], 1e-4)


@pytest.mark.usefixtures("threads")
@both_dtypes
@pytest.mark.parametrize(
    "optimizer", [o for k in OPTIMIZERS for o in objects_of(k.optimizer)], ids=repr
)
def test_an_optimizer_updates_and_remembers_the_same(optimizer: Any, dtype: str) -> None:
    operations = between_dense_layers(Tanh())
    models = [model_of(operations, dtype, MeanSquaredError(), optimizer=optimizer) for _ in "ab"]
    for model in models:
        trained(model, model is models[1], X, Y, epochs=3)
    plain, accelerated = models
    tolerance = 10 * TOLERANCE[dtype]
    np.testing.assert_allclose(
        accelerated.parameters.weights, plain.parameters.weights, tolerance, tolerance
    )
    assert accelerated.optimizer.iterations == plain.optimizer.iterations == 9
    assert accelerated.optimizer.current_learning_rate == plain.optimizer.current_learning_rate
    remembered, expected = (m.optimizer.state(m.parameters)["weights"] for m in models[::-1])
    assert remembered.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(remembered[name], array, tolerance, tolerance, err_msg=name)


ACCURACY_TARGETS = {
    CategoricalAccuracy: ["classes", "rows"],
    BinaryAccuracy: ["bits"],
    RegressionAccuracy: ["numbers"],
    HingeAccuracy: ["bits", "numbers"],
}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("accuracy", "targets"),
    [
        (accuracy, name)
        for cls in ACCURACIES
        for accuracy in ([] if cls is type(None) else [cls()])
        for name in ACCURACY_TARGETS[cls]
    ]
    + [(RegressionAccuracy(0.5), "numbers")],
    ids=repr,
)
def test_an_accuracy_counts_the_same(accuracy: Any, targets: str) -> None:
    framework.seed(2)
    operations: list[Any] = [Dense(4, WIDTH), Tanh(), Dense(WIDTH, 3)]
    loss: Any = MeanSquaredError()
    if targets in ("classes", "rows"):
        loss, operations = CategoricalCrossentropy(), [*operations, Softmax()]
    y = TARGETS[targets]
    options: dict[str, Any] = {"accuracy": accuracy, "optimizer": Adam(0.05), "epochs": 5}
    assert_same_training(operations, "float32", X, y, loss, 10, **options)


@pytest.mark.parametrize("scale", [1, 1e3])
def test_the_precision_of_a_batch_is_taken_where_none_is_known(scale: float) -> None:
    class Forgetful(framework.Callback):
        def on_batch_end(self, training: Any) -> None:
            training.model.set(accuracy=RegressionAccuracy())

    accuracies = []
    for accelerated in (False, True):
        model = model_of(between_dense_layers(), "float32", MeanSquaredError())
        model.set(accuracy=RegressionAccuracy(), optimizer=Adam(0.05))
        history = trained(
            model, accelerated, X, scale * X[:, :2], epochs=20, callbacks=[Forgetful()]
        )
        accuracies.append(history.accuracy)
    np.testing.assert_allclose(accuracies[1], accuracies[0], atol=1e-6)


def test_a_binary_accuracy_refuses_targets_that_are_no_bits_whatever_the_loss_is() -> None:
    y = Y.copy()
    y[0] = 0.5
    for accelerated in (False, True):
        model = model_of(between_dense_layers(), "float32", MeanSquaredError())
        model.set(accuracy=BinaryAccuracy())
        with pytest.raises(ValueError, match="must lie between 0 and 1"):
            trained(model, accelerated, X, y)


FUNCTIONS = [
    (exponential, np.exp, (-86, 0)),
    (exponential_minus_one, np.expm1, (-86, 0)),
    (log_one_plus, np.log1p, (0, 1)),
    (logarithm, np.log, (1.0001, 1e6)),
]


@both_dtypes
@pytest.mark.parametrize(("function", "expected", "domain"), FUNCTIONS)
def test_a_fast_function_has_the_precision_of_its_type(
    function: Any, expected: Any, domain: tuple[float, float], dtype: str
) -> None:
    @numba.njit
    def values(x: Any, out: Any) -> None:
        for i in range(len(x)):
            out[i] = function(x[i])

    small = np.geomspace(1e-30, 1, 1000) * np.sign(sum(domain))
    x = np.concatenate([np.linspace(*domain, 100_001), small]).astype(dtype)
    x = x[(x >= domain[0]) & (x <= domain[1]) & (x != 0)]
    found = np.empty_like(x)
    values(x, found)
    exact = expected(x.astype(np.longdouble))
    assert np.abs(found / exact - 1).max() < {"float32": 2.5e-7, "float64": 5e-16}[dtype]
    broken = np.array([np.nan], dtype)
    values(broken, broken)
    assert np.isnan(broken[0])


def test_the_exponential_of_minus_infinity_is_almost_nothing() -> None:
    value = numba.njit(lambda x: exponential(x))(np.float32(-np.inf))
    assert 0 <= value < 2e-38
