"""Models in files: that they come back as they were, and that no file can do any harm."""

import copy
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import framework
import optimizers
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    Huber,
    Loss,
    MeanSquaredError,
    Model,
    Operation,
    RegressionAccuracy,
    ReLU,
    SavedFileError,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    initializers,
)
from framework.containers import Container
from framework.losses import BinaryCrossentropy, MeanAbsoluteError
from framework.parameters import stored_names
from framework.saving import model_file
from framework.utils import rng
from optimizers import SGD, Adagrad, Adam, AdamW, RMSprop, schedules
from optimizers.optimizer import parameter_names
from tests.every import ACTIVATIONS, operations_for
from tests.strategies import Array, generator

INITIALIZERS: list[Any] = [
    "zeros",
    "he_normal",
    initializers.constant(0.3),
    initializers.normal(0.2),
    initializers.uniform(-0.5, 0.7),
    initializers.glorot_uniform(),
    initializers.glorot_normal(),
    initializers.he_uniform(),
]
RATES: list[Any] = [
    0.05,
    schedules.StepDecay(0.1, every=3),
    schedules.ExponentialDecay(0.1, every=2, factor=0.9),
    schedules.CosineDecay(0.1, steps=50, final=0.01),
    schedules.LinearWarmup(3, then=0.1),
    schedules.LinearWarmup(3, then=schedules.CosineDecay(0.1, steps=7)),
]
OPTIMIZERS = [
    lambda rate: SGD(rate, decay=0.1),
    lambda rate: SGD(rate, momentum=0.9, nesterov=True, max_gradient_norm=1.5),
    lambda rate: Adagrad(rate, epsilon=1e-5),
    lambda rate: RMSprop(rate, rho=0.8),
    lambda rate: Adam(rate, beta_1=0.8, beta_2=0.99),
    lambda rate: AdamW(rate, weight_decay=0.1),
]


def classifier(**options: Any) -> Model:
    model = Model(
        [Dense(2, 4), BatchNormalization(4), ReLU(), Dropout(0.2), Dense(4, 3), Softmax()],
        **options,
    )
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


def finalized(*operations: Any, **parts: Any) -> Model:
    model = Model(operations)
    model.set(**parts)
    model.finalize()
    return model


def there_and_back(model: Model, path: Path, *own: Any) -> Model:
    model.save(path)
    return Model.load(path, custom_operations=own)


def assert_equal(loaded: Model, model: Model) -> None:
    assert repr(loaded) == repr(model)
    for part in ("loss", "optimizer", "accuracy"):
        assert repr(getattr(loaded, part)) == repr(getattr(model, part))
        assert type(getattr(loaded, part)) is type(getattr(model, part))
    assert (loaded.dtype, loaded.input_shape) == (model.dtype, model.input_shape)
    for one, other in zip(loaded.stored_arrays(), model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


# There and back


@st.composite
def models(draw: st.DrawFn) -> tuple[Model, Array, Array]:
    """A model of any architecture that has seen data, and these data."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    chance = generator(draw)
    layers: list[Any] = []
    width = draw(st.integers(1, 5))
    X = chance.normal(size=(7, width))
    if draw(st.booleans()):
        X, layers = X[:, np.newaxis, :, np.newaxis], [Flatten()]
    for _ in range(draw(st.integers(0, 3))):
        others = [Dropout(0.3), BatchNormalization(width, momentum=0.7, dtype=dtype), *ACTIVATIONS]
        layers.append(copy.deepcopy(draw(st.sampled_from(others))))
        neurons = draw(st.integers(1, 5))
        first, second = (draw(st.sampled_from(INITIALIZERS)) for _ in range(2))
        penalty = draw(st.sampled_from([0.0, 0.01]))
        layers.append(
            Dense(
                width,
                neurons,
                weight_initializer=first,
                bias_initializer=second,
                weight_regularizer_l1=penalty,
                bias_regularizer_l2=penalty,
                dtype=dtype,
            )
        )
        width = neurons
    layers += [Dense(width, 3, dtype=dtype), *draw(st.sampled_from([(), (Softmax(),)]))]
    model = Model(layers, dtype=draw(st.sampled_from([None, dtype])))
    probabilities = isinstance(layers[-1], Softmax)
    losses = [Huber(0.5), MeanSquaredError(), MeanAbsoluteError()]
    losses += [CategoricalCrossentropy() if probabilities else SoftmaxCategoricalCrossentropy()]
    losses += [BinaryCrossentropy()] if probabilities else [SigmoidBinaryCrossentropy()]
    model.set(
        loss=draw(st.sampled_from(losses)),
        optimizer=draw(st.sampled_from(OPTIMIZERS))(draw(st.sampled_from(RATES))),
        accuracy=draw(st.sampled_from([None, CategoricalAccuracy(), RegressionAccuracy(0.2)])),
    )
    model.finalize()
    return model, X, np.eye(3)[chance.integers(0, 3, size=7)]


@settings(max_examples=60)
@given(drawn=models())
def test_a_model_of_any_architecture_comes_back_as_it_was(
    drawn: tuple[Model, Array, Array], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model, X, y = drawn
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    if not any(type(layer).__name__ == "Step" for layer in model.layers):
        model.train(X, y, batch_size=3, progress=False)
    loaded = there_and_back(model, path)
    assert_equal(loaded, model)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    before = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == before, "the same model makes the same file"


def public(base: type) -> set[type]:
    found = [getattr(package, name) for package in (framework, optimizers) for name in dir(package)]
    abstract = {Operation, Loss, framework.Activation, framework.FusedLoss, framework.Accuracy}
    return {
        cls
        for cls in found
        if isinstance(cls, type) and issubclass(cls, base) and cls not in abstract
        if not issubclass(cls, Container)
    } - {optimizers.Optimizer}


def test_every_operation_comes_back(tmp_path: Path) -> None:
    operations = [*operations_for(3), framework.Step()]
    assert {type(operation) for operation in operations} == public(Operation)
    for operation in operations:
        loaded = there_and_back(finalized(operation), tmp_path / "it").layers[0]
        assert type(loaded) is type(operation)
        assert loaded.configuration().keys() == operation.configuration().keys()
        assert repr(loaded) == repr(operation)


@pytest.mark.parametrize("loss", sorted(public(Loss), key=repr))
@pytest.mark.parametrize("accuracy", sorted(public(framework.Accuracy), key=repr))
def test_every_loss_and_accuracy_comes_back(
    loss: type[Loss], accuracy: type[Any], tmp_path: Path
) -> None:
    model = finalized(Dense(2, 3), loss=loss(), accuracy=accuracy())
    assert_equal(there_and_back(model, tmp_path / "it"), model)


def test_every_optimizer_and_schedule_is_among_the_random_architectures() -> None:
    made = [make(0.1) for make in OPTIMIZERS]
    assert {type(optimizer) for optimizer in made} == public(optimizers.Optimizer)
    known = {cls for cls in vars(schedules).values() if isinstance(cls, type)}
    assert {type(rate) for rate in RATES[1:]} == {c for c in known if c.__module__.endswith("les")}


def test_another_process_predicts_the_same_bits(tmp_path: Path) -> None:
    model, X = classifier(), np.random.default_rng(0).normal(size=(100, 2))
    model.train(X, X[:, 0] > 0, epochs=2, progress=False)
    model.save(tmp_path / "model.safetensors")
    np.save(tmp_path / "X.npy", X)
    script = (
        "import sys, numpy as np; from framework import Model; "
        "model = Model.load('model.safetensors'); np.save('y.npy', model.predict(np.load('X.npy')))"
        "; sys.exit('pickle' in sys.modules and 'framework' not in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(X), strict=True)


def test_what_the_model_knows_of_its_data_comes_back(tmp_path: Path) -> None:
    model = classifier(dtype="float64")
    assert there_and_back(model, tmp_path / "it").class_names is None
    model.predict([[0.0, 1.0]])
    model.save(tmp_path / "it", class_names=("ä", "漢", ""))
    loaded = Model.load(tmp_path / "it")
    assert loaded.class_names == model.class_names == ["ä", "漢", ""]
    assert loaded.input_shape == (2,)
    assert loaded.dtype == "float64"
    assert there_and_back(loaded, tmp_path / "it").class_names == ["ä", "漢", ""]


def test_class_names_can_be_any_that_can_be_gone_through(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "it", class_names=(name for name in "abc"))
    assert Model.load(tmp_path / "it").class_names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("names", "error"),
    [(["a"], ValueError), ("abc", TypeError), ([1, 2, 3], TypeError), (3, TypeError)],
)
def test_class_names_that_do_not_fit_are_refused_before_writing(
    names: Any, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error, match="class_names must be"):
        classifier().save(tmp_path / "it", class_names=names)
    model = finalized(Dense(2, 3))
    model.class_names = ["a", "b", "c"]
    model.add(Dense(3, 4))
    model.finalize()
    with pytest.raises(ValueError, match="class_names must be 4 names, received 3"):
        model.save(tmp_path / "it")
    assert os.listdir(tmp_path) == []


def test_what_was_seen_before_the_operations_changed_does_not_matter(tmp_path: Path) -> None:
    model = classifier()
    model.predict([[0.0, 1.0]])
    model.layers[0] = Dense(3, 4)
    model.finalize()
    assert there_and_back(model, tmp_path / "it").input_shape is None


def test_what_an_accuracy_has_learned_comes_back(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    accuracy = RegressionAccuracy()
    model = finalized(Dense(2, 1), loss=MeanSquaredError(), optimizer=SGD(0.1), accuracy=accuracy)
    model.train(X, 100 * X[:, 0], progress=False)
    loaded = there_and_back(model, tmp_path / "it").accuracy
    assert loaded.current_precision == accuracy.current_precision
    assert loaded.current_precision == pytest.approx(np.std(100 * X[:, 0]) / 250)
    assert loaded.precision is None


def test_a_model_without_loss_and_optimizer_comes_back(tmp_path: Path) -> None:
    loaded = there_and_back(finalized(Dense(2, 3)), tmp_path / "it")
    assert (loaded.loss, loaded.optimizer, loaded.accuracy) == (None, None, None)


def test_a_loaded_model_trains_on(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0) * 2
    model = classifier()
    loaded = there_and_back(model, tmp_path / "it")
    framework.seed(1)
    history = loaded.train(X, y, epochs=3, progress=False)
    framework.seed(1)
    assert history.loss == model.train(X, y, epochs=3, progress=False).loss


def test_a_subclass_of_model_loads_itself_and_chance_is_left_alone(tmp_path: Path) -> None:
    class OwnModel(Model):
        pass

    classifier().save(tmp_path / "it")
    before = rng.generator().bit_generator.state
    assert type(OwnModel.load(tmp_path / "it")) is OwnModel
    assert rng.generator().bit_generator.state == before


def test_a_class_of_ours_that_is_not_public_is_saved_as_the_public_one(tmp_path: Path) -> None:
    class Twin(Dense):
        """As compiled twins may be: ours, derived from what they stand in for."""

        def __init__(self, *arguments: int, threads: int = 1) -> None:
            super().__init__(*arguments)

    Twin.__module__ = "framework.somewhere"
    model = finalized(Twin(2, 3))
    loaded = there_and_back(model, tmp_path / "it")
    assert type(loaded.layers[0]) is Dense
    np.testing.assert_array_equal(loaded.predict([[1.0, 2.0]]), model.predict([[1.0, 2.0]]))


@pytest.mark.parametrize("operation", [op for op in operations_for(3) if stored_names(op)])
def test_shapes_are_known_before_an_operation_is_made(operation: Operation) -> None:
    arrays = {name: getattr(operation, name).shape for name in stored_names(operation)}
    assert type(operation).stored_shapes(operation.configuration()) == arrays


# Classes and functions of one's own


class Gain:
    """Not even derived from Operation."""

    def __init__(self, n_features: int, start: Any = 1.0) -> None:
        self.n_features, self.start = n_features, start
        self.weights = np.full((1, n_features), 1.0) * start
        self.dweights = np.zeros_like(self.weights)

    def forward(self, inputs: Array) -> Array:
        self.inputs = inputs
        self.output = inputs * self.weights
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dweights = (dvalues * self.inputs).sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights
        return self.dinputs

    @classmethod
    def stored_shapes(cls, arguments: Any) -> Any:
        return {"weights": (1, arguments["n_features"])}


class Narrowing(Dense):
    """Has other arguments than its base."""

    def __init__(self, n_inputs: int) -> None:
        super().__init__(n_inputs, 2)


class OwnLoss(Loss):
    def __init__(self, weights: Any, notes: Any = None) -> None:
        self.weights, self.notes = weights, notes

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return ((np.asarray(y_pred) - y_true) ** 2 * self.weights).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) * self.weights / np.size(y_pred)
        return self.dinputs

    def check_targets(self, y_true: Any, shape: tuple[int, ...]) -> Array:
        return np.asarray(y_true).reshape(shape)


class OwnOptimizer(optimizers.Optimizer):
    def update(self, parameter: Array, gradient: Array, state: Any) -> None:
        parameter -= self.current_learning_rate * np.sign(gradient)


class OwnAccuracy(framework.Accuracy):
    state = ("seen",)
    seen = None

    def init(self, y: Any, reinit: bool = False) -> None:
        self.seen = len(y)

    def compare(self, predictions: Any, y: Any) -> Any:
        return np.isclose(predictions, y)


class OwnSchedule:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, iterations: int) -> float:
        return self.rate


def own_initializer(shape: tuple[int, ...], chance: np.random.Generator) -> Array:
    return np.full(shape, 0.25)


OWN = (
    Gain,
    Narrowing,
    OwnLoss,
    OwnOptimizer,
    OwnAccuracy,
    OwnSchedule,
    own_initializer,
)


def own_model() -> Model:
    notes = {"a": [1, None, (True, "text")], "b": np.float32(0.1), "c": np.dtype("int8")}
    return finalized(
        Dense(3, 3, weight_initializer=own_initializer),
        Gain(3, start=np.array([1.0, 2.0, 3.0])),
        Narrowing(3),
        loss=OwnLoss(np.array([[1, 2]], dtype=np.int16), notes),
        optimizer=OwnOptimizer(OwnSchedule(0.1)),
        accuracy=OwnAccuracy(),
    )


def test_classes_and_functions_of_ones_own_come_back(tmp_path: Path) -> None:
    model, X = own_model(), np.random.default_rng(0).normal(size=(8, 3))
    model.train(X, X[:, :2], progress=False)
    loaded = there_and_back(model, tmp_path / "it", *OWN)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    assert [type(layer) for layer in loaded.layers] == [Dense, Gain, Narrowing]
    assert loaded.layers[0].weight_initializer is own_initializer
    np.testing.assert_array_equal(loaded.layers[1].start, [1, 2, 3])
    assert loaded.loss.weights.dtype == np.int16
    expected = {"a": [1, None, (True, "text")], "b": float(np.float32(0.1)), "c": "int8"}
    assert loaded.loss.notes == expected
    assert loaded.optimizer.learning_rate.rate == 0.1
    assert loaded.accuracy.seen == 8


@pytest.mark.parametrize("missing", OWN)
def test_a_class_or_function_that_is_not_given_is_named(missing: Any, tmp_path: Path) -> None:
    own_model().save(tmp_path / "it")
    others = [thing for thing in OWN if thing is not missing]
    with pytest.raises(SavedFileError, match=f"'{missing.__name__}'.*custom_operations"):
        Model.load(tmp_path / "it", custom_operations=others)


def test_only_classes_and_functions_can_be_given_and_each_name_once(tmp_path: Path) -> None:
    own_model().save(tmp_path / "it")
    with pytest.raises(TypeError, match="must be classes and functions, received 'Gain'"):
        Model.load(tmp_path / "it", custom_operations=["Gain"])
    other = type("Gain", (), {})
    with pytest.raises(ValueError, match="two of the name Gain"):
        Model.load(tmp_path / "it", custom_operations=[Gain, other])
    with pytest.raises(SavedFileError, match="'own_initializer'|cannot|callable|must be"):
        pretender = type("own_initializer", (), {})
        Model.load(tmp_path / "it", custom_operations=[*OWN[:-1], pretender])


class Forgetful(ReLU):
    def __init__(self, strength: float) -> None:
        pass


class Anything(ReLU):
    def __init__(self, **anything: Any) -> None:
        pass


class Around(ReLU):
    def __init__(self, inner: Any) -> None:
        self.inner = inner


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Forgetful(1.0), "operations.0: .*keep every constructor argument.*strength"),
        (Anything(a=1), r"operations.0: .*takes \* or \*\*"),
        (Around(Dense(2, 2)), r"operations.0.inner: Dense\(2, 2\) cannot be saved"),
        (Around(ReLU), "operations.0.inner: .*ReLU.* cannot be saved"),
        (Around([Path("a")]), "operations.0.inner.0: .*'a'.* cannot be saved"),
        (Around({1, 2}), "operations.0.inner: {1, 2} cannot be saved"),
        (Around({1: 2}), "operations.0.inner: {1: 2} cannot be saved"),
        (Around(1j), "operations.0.inner: 1j cannot be saved"),
        (Around(np.array(["text"])), "operations.0.inner: .* cannot be saved"),
        (Around(lambda: 0), "operations.0.inner: .* has no name: use def"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(
    operation: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=message):
        finalized(operation).save(tmp_path / "it")
    assert os.listdir(tmp_path) == []


def test_two_classes_of_one_name_cannot_be_saved_together(tmp_path: Path) -> None:
    other = type("Gain", (ReLU,), {"__module__": "elsewhere"})
    with pytest.raises(TypeError, match="cannot be saved beside another Gain"):
        finalized(Gain(2), other()).save(tmp_path / "it")


# Parameters alone


def test_parameters_go_from_one_model_to_an_equal_one(tmp_path: Path) -> None:
    model, other = classifier(), classifier()
    model.train(np.eye(2), [0, 1], progress=False)
    model.save_parameters(tmp_path / "parameters")
    other.load_parameters(tmp_path / "parameters")
    for one, array in zip(model.stored_arrays(), other.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array, strict=True)
    model.save(tmp_path / "model")
    third = classifier()
    third.load_parameters(tmp_path / "model")
    np.testing.assert_array_equal(third.predict(np.eye(2)), model.predict(np.eye(2)))
    with pytest.raises(SavedFileError, match="parameters only: make the model, then load_param"):
        Model.load(tmp_path / "parameters")


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([Dense(2, 4), Dense(4, 3)], "it has layers.1.running_mean.*which the model has not"),
        ([Dense(2, 4), BatchNormalization(4), BatchNormalization(4)], "it has no layers.2.biases"),
        ([Dense(3, 4), BatchNormalization(4)], r"shape \(2, 4\) in it, and float32 of shape \(3"),
        (
            [Dense(2, 4, dtype="float64"), BatchNormalization(4, dtype="float64")],
            "is float32 of shape .* in it, and float64",
        ),
    ],
)
def test_parameters_of_another_model_are_refused_and_nothing_changes(
    operations: list[Any], message: str, tmp_path: Path
) -> None:
    finalized(Dense(2, 4), BatchNormalization(4)).save_parameters(tmp_path / "it")
    model = finalized(*operations)
    before = [array.copy() for array in model.stored_arrays()]
    with pytest.raises(SavedFileError, match=message) as raised:
        model.load_parameters(tmp_path / "it")
    assert str(raised.value).startswith(f"{tmp_path}/it: ")
    for one, array in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array)


def test_a_model_that_is_not_finalized_has_nothing_to_save_or_load(tmp_path: Path) -> None:
    classifier().save(tmp_path / "it")
    for action in (Model.save, Model.save_parameters, Model.load_parameters):
        with pytest.raises(RuntimeError, match="call finalize"):
            action(Model([Dense(2, 3)]), tmp_path / "it")


# Writing


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "model"
    classifier().save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        for save in (Model.save, Model.save_parameters):
            with pytest.raises(OSError, match="File too large"):
                save(finalized(Dense(100, 100)), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        classifier().save(tmp_path / "nowhere" / "model")


# Damaged and hostile files


def attempt(content: bytes, path: Path) -> bool:
    """Whether a model is read; if not, then with no other error than the one there is."""
    path.write_bytes(content)
    try:
        Model.load(path, custom_operations=[Gain])
    except SavedFileError as error:
        assert str(error).startswith(f"{path}: ")
        return False
    return True


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    model = classifier()
    model.save(tmp_path / "whole", class_names=["a", "b", "c"])
    return (tmp_path / "whole").read_bytes()


def test_a_file_that_is_cut_off_is_refused(content: bytes, tmp_path: Path) -> None:
    for length in [*range(0, len(content), 64), len(content) - 1]:
        assert not attempt(content[:length], tmp_path / "cut"), length
    assert attempt(content, tmp_path / "cut")


def test_a_flipped_bit_is_noticed_wherever_it_is(content: bytes, tmp_path: Path) -> None:
    for position in range(0, 8 * len(content), 23):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        if attempt(bytes(damaged), tmp_path / "damaged"):
            # Only the name of a tensor's dtype or the spaces after the header have such bits.
            assert_equal(Model.load(tmp_path / "damaged"), Model.load(tmp_path / "whole"))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04K\x01.", b"<html>", bytes(1000), b"PK\x03\x04" + bytes(50)], ids=repr
)
def test_what_is_no_safetensors_file_is_refused(content: bytes, tmp_path: Path) -> None:
    assert not attempt(content, tmp_path / "it")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_called_one_and_not_read(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(pickle.dumps(classifier(), protocol))
    for read in (Model.load, classifier().load_parameters):
        with pytest.raises(SavedFileError, match="no safetensors file; it looks like a pickle"):
            read(tmp_path / "it")


@pytest.mark.parametrize("header_bytes", [0x280, 0x480])
def test_a_damaged_file_that_begins_as_a_pickle_does_is_not_called_one(
    header_bytes: int, tmp_path: Path
) -> None:
    (tmp_path / "it").write_bytes(struct.pack("<Q", header_bytes) + b'{"weights": ')
    with pytest.raises(SavedFileError, match="it is no safetensors file, or a damaged one"):
        Model.load(tmp_path / "it")


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    save_file({"weights": np.ones(3)}, tmp_path / "it", {"format": "pt"})
    with pytest.raises(SavedFileError, match="not one that dinputs has written"):
        Model.load(tmp_path / "it")
    save_file({}, tmp_path / "it", {"dinputs": "no JSON"})
    with pytest.raises(SavedFileError, match="its metadata are not JSON"):
        Model.load(tmp_path / "it")


def header(entries: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


ONE = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10**12) + b"{}",
        header(b"[" * 1_000_000),
        header({"__metadata__": {"dinputs": "[" * 1_000_000}}),
        header({"__metadata__": {"dinputs": "9" * 10_000}}),
        header({"__metadata__": {"dinputs": '{"version": 1e999}'}}),
        header({"__metadata__": {"dinputs": "null"}}),
        header({"__metadata__": {"dinputs": '{"version": true}'}}),
        header({"__metadata__": {"dinputs": {"version": 1}}}),
        header(f'{{"a":{ONE},"a":{ONE}}}'.encode(), bytes(4)),
        header(b'{"__metadata__":{"dinputs":"{}","dinputs":"{}"}}'),
        header({"a": {"dtype": "F32", "shape": [0, 10**12], "data_offsets": [0, 0]}}),
        header({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 0]}}),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_hostile_header_is_refused(content: bytes, tmp_path: Path) -> None:
    assert not attempt(content, tmp_path / "it")


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3"])
def test_numbers_of_a_kind_that_numpy_lacks_are_refused(dtype: str, tmp_path: Path) -> None:
    size = 2 if dtype == "BF16" else 1
    entry = {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}
    metadata = {"dinputs": '{"version": 1}'}
    assert not attempt(header({"__metadata__": metadata, "a": entry}, bytes(size)), tmp_path / "it")


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Array]], None]) -> None:
    """Change what is in a file, and give it the checksum of a file that is whole."""
    description, arrays = model_file.read(path)
    change(description, arrays)
    path.write_bytes(model_file.content(description, arrays))


def operation(number: int, **changes: Any) -> Callable[[Any, Any], None]:
    def change(description: Any, arrays: Any) -> None:
        description["model"]["operations"][number]["arguments"].update(changes)

    return change


def named(number: int, name: str, **arguments: Any) -> Callable[[Any, Any], None]:
    def change(description: Any, arrays: Any) -> None:
        new = {"class": name, "arguments": arguments}
        description["model"]["operations"][number] = new

    return change


def part(name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda description, arrays: description["model"].update({name: value})


def tensor(name: str, values: Any) -> Callable[[Any, Any], None]:
    return lambda description, arrays: arrays.update({name: np.asarray(values)})


HUGE = {"class": "framework.Dense", "arguments": {"n_inputs": 10**6, "n_neurons": 10**6}}
BILLION = {"class": "framework.initializers.constant", "arguments": {"value": 10**4000}}
HOSTILE: list[tuple[Callable[[Any, Any], None], str]] = [
    (lambda d, a: d.update(version=2), "version 2 of the format, and this release .* version 1"),
    (lambda d, a: d.update(version="1"), "no version"),
    (lambda d, a: d.update(model=None), "its model needs dtype, operations"),
    (part("operations", 5), r"not hold what it should \(TypeError: 'int' object is not iterable\)"),
    (lambda d, a: d["model"]["operations"][0].pop("class"), "no object is described by"),
    (lambda d, a: d["model"].pop("dtype"), "its model needs dtype, operations"),
    (lambda d, a: d["model"].update(code="import os"), "no less and no more"),
    (operation(0, n_neurons=10**12), r"needs weights of shape \(2, 1000000000000\); there is \(2"),
    (operation(0, n_inputs=10**6, n_neurons=10**6), "operation 1, Dense, needs weights"),
    (operation(1, n_features=10**12), "operation 2, BatchNormalization, needs weights of shape"),
    (operation(0, n_inputs="2"), r"needs weights of shape \('2', 4\)"),
    (operation(0, n_inputs=2.0), "n_inputs must be a whole number"),
    (operation(0, n_inputs=None), "needs weights of shape"),
    (operation(0, self=1), "multiple values for argument 'self'"),
    (operation(0, dtype="float16"), "dtype must be"),
    (operation(0, weight_initializer=HUGE), "'framework.Dense' is not the name of a class that"),
    (operation(0, weight_initializer=BILLION), "too large|OverflowError|digits"),
    (operation(0, weight_initializer={"function": "eval"}), "'eval', which is none of ours"),
    (operation(0, weight_initializer={"array": "layers.0.weights"}), "must be the name of an"),
    (operation(0, weight_initializer={"array": "nothing"}), "there is no tensor 'nothing'"),
    (operation(0, weight_initializer={"module": "os"}), "nothing is described by"),
    (operation(0, weight_initializer={"class": "framework.initializers.normal"}), "no object is"),
    (named(2, "os.system", command="touch pwned"), "'os.system' is not the name of a class"),
    (named(2, "subprocess.Popen", args=["touch", "pwned"]), "is not the name of a class"),
    (
        named(2, "framework.errors.SavedFileError"),
        "is not the name of a class that can stand",
    ),
    (named(2, "framework.Model"), "the model is not finalized"),
    (named(2, "framework.np"), "'framework.np' is not the name of a class"),
    (named(2, "optimizers.Adam"), "'optimizers.Adam' is not the name of a class that can stand"),
    (named(2, "framework.initializers.normal"), "is not the name of a class that can stand there"),
    (named(2, "framework.nnfs_book."), "."),
    (named(2, "framework"), "it has 'framework', which is none of ours"),
    (named(2, ""), "it has '', which is none of ours"),
    (named(2, "eval"), "it has 'eval', which is none of ours: give that class .* in custom_oper"),
    (named(2, "Operation"), "it has 'Operation', which is none of ours"),
    (named(2, "Gain", n_features=10**13), r"Gain, needs weights of shape \(1, 10000000000000\)"),
    (named(5, "Narrowing", n_inputs=3), "it has no layers.5.biases, layers.5.weights, which the"),
    (named(2, "Narrowing", n_inputs=-4), "n_inputs must be at least 1"),
    (named(0, "framework.ReLU"), "it has layers.0.biases, layers.0.weights, which the model has n"),
    (part("operations", []), "the model has no operations"),
    (part("operations", None), "."),
    (part("operations", [[]]), "no object is described by"),
    (part("operations", [{"class": 1, "arguments": {}}]), "no object is described by"),
    (part("loss", HUGE), "'framework.Dense' is not the name of a class that can stand there"),
    (part("loss", {"class": "Gain", "arguments": {"n_features": [1]}}), "."),
    (
        part("optimizer", {"class": "optimizers.Adam", "arguments": {"learning_rate": -1}}),
        "greater",
    ),
    (part("accuracy", {"class": "framework.ReLU", "arguments": {}}), "is not the name of a class"),
    (part("learned_by_accuracy", {"predictions": 1}), "needs the numbers"),
    (part("dtype", "object"), "dtype must be"),
    (part("dtype", "float64"), "is float32 of shape .* in it, and float64"),
    (part("class_names", "abc"), "class_names must be"),
    (part("class_names", ["one"]), "class_names must be 3 names"),
    (part("class_names", 5), "."),
    (part("input_shape", [10**12]), "expects inputs of shape"),
    (part("input_shape", "2"), "each number of input_shape"),
    (lambda d, a: a.pop("layers.4.biases"), r"needs biases of shape \(1, 3\); there is none"),
    (tensor("layers.9.weights", [1.0]), "it has layers.9.weights, which the model has not"),
    (tensor("more", [1.0]), "nothing in it needs the tensor 'more'"),
    (tensor("layers.0.weights", np.ones((4, 2))), r"needs weights of shape \(2, 4\); there is \(4"),
    (tensor("layers.0.weights", np.ones((2, 4))), "layers.0.weights is float64 of shape"),
    (tensor("layers.0.weights", np.ones((2, 4), dtype=np.int8)), "layers.0.weights is int8"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_a_hostile_file_is_refused_and_takes_no_memory_and_runs_no_code(
    change: Callable[[Any, Any], None],
    message: str,
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "whole"
    rewritten(path, change)
    tracemalloc.start()
    try:
        with pytest.raises(SavedFileError, match=message):
            Model.load(path, custom_operations=[Gain, Narrowing])
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert os.listdir(tmp_path) == ["whole"]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a description, with every key that it has."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


STRANGE = [
    None,
    True,
    -1,
    0,
    1,
    10**12,
    10**400,
    1e308,
    float("nan"),
    "",
    "zeros",
    "framework.Dense",
]
STRANGE += [[], {}, [1], {"array": "layers.0.weights"}, {"tuple": []}, {"dict": {"a": 1}}]
STRANGE += [HUGE, {"class": "Gain", "arguments": {"n_features": 2}}]


@settings(max_examples=25)
@given(data=st.data())
def test_scrambled_descriptions_give_one_kind_of_error_or_another_model(
    data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "scrambled"
    classifier().save(path)
    description, arrays = model_file.read(path)
    chance = generator(data.draw)
    for _ in range(15):
        scrambled = copy.deepcopy(description)
        for _ in range(chance.integers(1, 4)):
            found = places(scrambled)
            container, key = found[chance.integers(len(found))]
            if chance.random() < 0.2:
                del container[key]
            else:
                container[key] = copy.deepcopy(STRANGE[chance.integers(len(STRANGE))])
        attempt(model_file.content(scrambled, arrays), path)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    for path, error in ((tmp_path / "no", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(error):
            Model.load(path)
        with pytest.raises(error):
            classifier().load_parameters(path)


def test_sigmoid_networks_say_their_classes_after_loading(tmp_path: Path) -> None:
    model = finalized(
        Dense(2, 1), loss=SigmoidBinaryCrossentropy(), accuracy=BinaryAccuracy(), optimizer=Adam()
    )
    X = np.random.default_rng(0).normal(size=(9, 2))
    loaded = there_and_back(model, tmp_path / "it")
    np.testing.assert_array_equal(loaded.predict_classes(X), model.predict_classes(X))
    assert parameter_names(loaded.layers[0]) == ("weights", "biases")
