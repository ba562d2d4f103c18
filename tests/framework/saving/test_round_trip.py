"""A model comes back from a file as it was."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import framework
import optimizers
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Flatten,
    Huber,
    Loss,
    MeanSquaredError,
    Model,
    Operation,
    RegressionAccuracy,
    ReLU,
    Sequential,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    initializers,
)
from framework.accuracies import Accuracy
from framework.losses import BinaryCrossentropy, MeanAbsoluteError
from framework.parameters import stored_names
from framework.utils import rng
from framework.utils.exports import exported
from optimizers import SGD, Adam, Optimizer, schedules
from tests.every import ACCURACIES, LOSSES, WITHOUT_GRADIENT, operations_for, takes
from tests.framework.saving.helpers import (
    Gain,
    assert_equal,
    classifier,
    finalized,
    there_and_back,
)
from tests.strategies import Array, generator

INITIALIZERS: list[Any] = [
    "zeros",
    "he_normal",
    initializers.zeros(),
    initializers.he_normal(),
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
OPTIMIZERS: list[Callable[[Any], Optimizer]] = [
    *(partial(cls, decay=0.1) for cls in exported(optimizers, Optimizer).values()),
    lambda rate: SGD(rate, momentum=0.9, nesterov=True, max_gradient_norm=1.5),
    lambda rate: Adam(rate, beta_1=0.8, beta_2=0.99),
]


@st.composite
def models(draw: st.DrawFn) -> tuple[Model, Array, Array]:
    """A model of any architecture that has seen data, and these data."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    random = generator(draw)
    layers: list[Any] = []
    width = draw(st.integers(1, 5))
    X = random.normal(size=(7, width))
    if draw(st.booleans()):
        X, layers = X[:, np.newaxis, :, np.newaxis], [Flatten()]
    for _ in range(draw(st.integers(0, 3))):
        others = [
            op
            for op in operations_for(width, dtype)
            if takes(op, (width,)) and op.output_shape((width,)) == (width,)
        ]
        layers.append(draw(st.sampled_from(others)))
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
    return model, X, np.eye(3)[random.integers(0, 3, size=7)]


@settings(max_examples=60)
@given(drawn=models())
def test_a_model_of_any_architecture_comes_back_as_it_was(
    drawn: tuple[Model, Array, Array], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model, X, y = drawn
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    model.train(X, y, batch_size=3, progress=False)
    loaded = there_and_back(model, path)
    assert_equal(loaded, model)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    before = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == before, "the same model makes the same file"


@pytest.mark.parametrize("operation", [*operations_for(3), *WITHOUT_GRADIENT], ids=repr)
def test_every_operation_comes_back(operation: Operation, tmp_path: Path) -> None:
    loaded = there_and_back(finalized(operation), tmp_path / "it").layers[0]
    assert type(loaded) is type(operation)
    assert loaded.configuration().keys() == operation.configuration().keys()
    assert repr(loaded) == repr(operation)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("accuracy", ACCURACIES, ids=repr)
def test_every_loss_and_accuracy_comes_back(loss: Loss, accuracy: Accuracy, tmp_path: Path) -> None:
    model = finalized(Dense(2, 3), loss=loss, accuracy=accuracy)
    assert_equal(there_and_back(model, tmp_path / "it"), model)


@pytest.mark.parametrize("rate", RATES, ids=repr)
@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda make: repr(make(0.1)))
def test_every_optimizer_and_learning_rate_comes_back(
    make: Callable[[Any], Optimizer], rate: Any, tmp_path: Path
) -> None:
    model = finalized(Dense(2, 3), optimizer=make(rate))
    assert_equal(there_and_back(model, tmp_path / "it"), model)


def test_every_schedule_and_initializer_is_tested() -> None:
    for module, examples in ((schedules, RATES), (initializers, INITIALIZERS)):
        public = {
            value
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__
        }
        assert public <= {type(example) for example in examples}


def test_saving_does_not_change_the_model(tmp_path: Path) -> None:
    class Guarded(Model):
        """Raises if an attribute is set while it is being saved."""

        guarded = False

        def __setattr__(self, name: str, value: Any) -> None:
            assert not self.guarded, name
            super().__setattr__(name, value)

    model = Guarded([Dense(2, 3), Softmax()])
    model.finalize()
    model.predict([[0.0, 1.0]])
    model.class_names = ["a", "b", "c"]
    Guarded.guarded = True
    model.save(tmp_path / "it")
    assert Model.load(tmp_path / "it").class_names == ["a", "b", "c"]


def nested() -> Model:
    inner = Sequential([Dense(4, 3, weight_initializer=initializers.normal(0.5)), Gain(3)])
    return finalized(
        Dense(2, 4), Sequential([BatchNormalization(4), inner]), Model([ReLU(), Dense(3, 3)])
    )


def test_operations_in_containers_come_back(tmp_path: Path) -> None:
    model, X = nested(), np.random.default_rng(0).normal(size=(5, 2))
    loaded = there_and_back(model, tmp_path / "it", Gain)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    assert repr(loaded.layers[1]) == repr(model.layers[1])
    # A model inside another is its operations alone.
    assert repr(loaded.layers[2]) == "Sequential([ReLU(), Dense(3, 3)])"
    other = nested()
    other.load_parameters(tmp_path / "it")
    np.testing.assert_array_equal(other.predict(X), model.predict(X), strict=True)


def test_another_process_predicts_the_same_bits(tmp_path: Path) -> None:
    model, X = classifier(), np.random.default_rng(0).normal(size=(100, 2))
    model.train(X, X[:, 0] > 0, epochs=2, progress=False)
    model.save(tmp_path / "model.safetensors")
    np.save(tmp_path / "X.npy", X)
    script = (
        "import sys, numpy as np; from framework import Model; "
        "model = Model.load('model.safetensors'); np.save('y.npy', model.predict(np.load('X.npy')))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), model.predict(X), strict=True)


def test_class_names_input_shape_and_dtype_come_back(tmp_path: Path) -> None:
    model = classifier(dtype="float64")
    assert there_and_back(model, tmp_path / "it").class_names is None
    model.predict([[0.0, 1.0]])
    model.save(tmp_path / "it", class_names=("ä", "漢", ""))
    loaded = Model.load(tmp_path / "it")
    assert loaded.class_names == model.class_names == ["ä", "漢", ""]
    assert loaded.input_shape == (2,)
    assert loaded.dtype == "float64"
    assert there_and_back(loaded, tmp_path / "it").class_names == ["ä", "漢", ""]


def test_class_names_can_be_any_iterable(tmp_path: Path) -> None:
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


def test_the_input_shape_is_forgotten_when_the_operations_change(tmp_path: Path) -> None:
    model = classifier()
    model.predict([[0.0, 1.0]])
    model.layers[0] = Dense(3, 4)
    model.finalize()
    assert there_and_back(model, tmp_path / "it").input_shape is None


def test_the_state_of_an_accuracy_comes_back(tmp_path: Path) -> None:
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


def test_a_subclass_of_model_loads_as_itself_and_uses_no_random_numbers(tmp_path: Path) -> None:
    class OwnModel(Model):
        pass

    classifier().save(tmp_path / "it")
    before = rng.generator().bit_generator.state
    assert type(OwnModel.load(tmp_path / "it")) is OwnModel
    assert rng.generator().bit_generator.state == before


def test_a_private_class_of_this_library_is_saved_as_its_public_base(tmp_path: Path) -> None:
    class Private(Dense):
        """A class of this library that it does not export."""

        def __init__(self, *arguments: int, threads: int = 1) -> None:
            super().__init__(*arguments)

    Private.__module__ = "framework.somewhere"
    model = finalized(Private(2, 3))
    loaded = there_and_back(model, tmp_path / "it")
    assert type(loaded.layers[0]) is Dense
    np.testing.assert_array_equal(loaded.predict([[1.0, 2.0]]), model.predict([[1.0, 2.0]]))


@pytest.mark.parametrize("operation", [op for op in operations_for(3) if stored_names(op)])
def test_shapes_are_known_before_an_operation_is_made(operation: Operation) -> None:
    arrays = {name: getattr(operation, name).shape for name in stored_names(operation)}
    assert type(operation).stored_shapes(operation.configuration()) == arrays


def test_a_loaded_sigmoid_network_predicts_the_same_classes(tmp_path: Path) -> None:
    model = finalized(
        Dense(2, 1), loss=SigmoidBinaryCrossentropy(), accuracy=BinaryAccuracy(), optimizer=Adam()
    )
    X = np.random.default_rng(0).normal(size=(9, 2))
    loaded = there_and_back(model, tmp_path / "it")
    np.testing.assert_array_equal(loaded.predict_classes(X), model.predict_classes(X))
