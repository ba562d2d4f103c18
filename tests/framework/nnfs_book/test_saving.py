"""Models of the book in files, copied, and handed over."""

import contextlib
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import framework
from framework import nnfs_book as book
from framework.saving import file_format
from tests.framework.nnfs_book.support import (
    binary,
    classifier,
    data_for,
    regression,
    run,
    spiral,
)


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_a_saved_model_comes_back_as_it_was(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make()
    X, y = data_for(model)
    model.train(X, y, epochs=3)
    model.save(tmp_path / "book.model")
    with randomness_unchanged():
        loaded = book.Model.load(tmp_path / "book.model")
    capsys.readouterr()
    for network in (model, loaded):
        assert type(network) is book.Model
        network.evaluate(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    assert list(map(type, loaded.layers)) == list(map(type, model.layers))
    assert_array_equal(loaded.predict(X), model.predict(X))
    for layer, other in zip(loaded.trainable_layers, model.trainable_layers, strict=True):
        assert layer.configuration() == other.configuration()
    loaded.train(X, y)


TRAINING_ON = """
import sys
import numpy as np
from nnfs.datasets import spiral_data
from framework.nnfs_book import *
INITIALIZE
np.random.seed(0)
X, y = spiral_data(30, 3)
for optimizer in (
    Optimizer_SGD(0.5, decay=1e-2, momentum=0.9),
    Optimizer_SGD(0.5),
    Optimizer_Adagrad(0.1),
    Optimizer_RMSprop(0.01, decay=1e-3),
    Optimizer_Adam(0.05, decay=1e-3),
):
    model = Model()
    for layer in (Layer_Dense(2, 8, 0, 1e-3), Activation_ReLU(), Layer_Dense(8, 3)):
        model.add(layer)
    model.add(Activation_Softmax())
    accuracy = Accuracy_Categorical()
    model.set(loss=Loss_CategoricalCrossentropy(), optimizer=optimizer, accuracy=accuracy)
    model.finalize()
    model.train(X, y, epochs=7, print_every=100)
    if not optimizer.decay:
        optimizer.current_learning_rate *= 0.5
    model.save(sys.argv[1])
    loaded = Model.load(sys.argv[1])
    assert loaded.optimizer.current_learning_rate == optimizer.current_learning_rate
    for network in (loaded, model):  # and so, in between, the one is not part of the other
        network.train(X, y, epochs=3)
        for layer in network.trainable_layers:
            names = "weight_momentums", "weight_cache", "bias_momentums", "bias_cache"
            found = [name for name in names if hasattr(layer, name)]
            print([(name, getattr(layer, name).tolist()) for name in found])
        print(network.predict(X).tolist())
"""


@pytest.mark.parametrize("initialize", ["", "import nnfs; nnfs.init()"], ids=["", "nnfs.init"])
def test_a_loaded_model_trains_on_as_if_it_had_never_been_saved(
    initialize: str, tmp_path: Path
) -> None:
    program = TRAINING_ON.replace("INITIALIZE", initialize)
    lines = run("-c", program, str(tmp_path / "book.model")).splitlines()
    assert len(lines) == 5 * 2 * 6
    for start in range(0, len(lines), 12):
        loaded, never_saved = lines[start : start + 6], lines[start + 6 : start + 12]
        assert loaded == never_saved
        assert "lr: " in loaded[2]


def test_a_saved_model_shows_what_its_optimizer_remembers(tmp_path: Path) -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    model.save(tmp_path / "book.model")
    loaded = book.Model.load(tmp_path / "book.model")
    for layer, other in zip(loaded.trainable_layers, model.trainable_layers, strict=True):
        for name in ("weight_momentums", "weight_cache", "bias_momentums", "bias_cache"):
            assert_array_equal(getattr(layer, name), getattr(other, name))
    # Loaded as a model of the framework, it goes on as well.
    assert framework.Model.load(tmp_path / "book.model").optimizer.iterations == 2


def arrays_of_memory(**arrays: Any) -> Any:
    def change(description: Any, tensors: Any) -> None:
        states = description["remembered"]["dict"]["memory"]["dict"]
        for key, array in arrays.items():
            name = key.replace("_", " ")
            states[name] = {"dict": {"cache": {"array": f"remembered.{name}"}}}
            tensors[f"remembered.{name}"] = array

    return change


def counted(value: Any) -> Any:
    return lambda description, tensors: description["remembered"]["dict"].update(iterations=value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (counted(-1), "iterations must be at least 0"),
        (counted("1"), "iterations must be a whole number"),
        (
            lambda d, a: d["model"].update(optimizer=None),
            "it has the state of an optimizer, but no optimizer",
        ),
        (arrays_of_memory(weights=np.ones(3, np.float32)), "does not fit its model"),
        (arrays_of_memory(weights=np.ones(99, np.float64)), "does not fit its model"),
        (arrays_of_memory(weights_0=np.ones((2, 15))), "does not fit its model"),
        (arrays_of_memory(weights_0=np.ones((2, 16), int)), "does not fit its model"),
        (lambda d, a: d.pop("remembered"), "nothing in it needs the tensor 'remembered"),
    ],
)
def test_a_file_whose_optimizer_remembers_something_else_is_refused(
    change: Any, message: str, tmp_path: Path
) -> None:
    X, y = spiral()
    model = classifier()
    assert len(model.parameters) == 99
    model.train(X, y)
    model.save(tmp_path / "it")
    description, arrays = file_format.read(tmp_path / "it")
    change(description, arrays)
    (tmp_path / "it").write_bytes(file_format.encode(description, arrays))
    with pytest.raises(framework.SavedFileError, match=message):
        book.Model.load(tmp_path / "it")


@contextlib.contextmanager
def randomness_unchanged() -> Iterator[None]:
    before = np.random.get_state()[1:3]
    yield
    after = np.random.get_state()[1:3]
    assert_array_equal(before[0], after[0])
    assert before[1] == after[1]


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_a_model_is_handed_over_to_other_programs(make: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    model = make()
    X, _ = data_for(model)
    model.export_onnx(tmp_path / "book.onnx")
    back = framework.Model.from_onnx(tmp_path / "book.onnx")
    assert_allclose(back.predict(X), model.predict(X), rtol=1e-5)
    # What leaves every value as it is has no place in the file.
    idle = (framework.Dropout, framework.Linear)
    kinds = [type(layer).__name__ for layer in back.layers]
    assert kinds == [
        type(layer).__name__.partition("_")[2]
        for layer in model.layers
        if not isinstance(layer, idle)
    ]


def test_parameters_go_to_a_model_without_an_optimizer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = spiral()
    trained = classifier()
    trained.train(X, y, epochs=3)
    trained.save_parameters(tmp_path / "book.parms")
    capsys.readouterr()
    trained.evaluate(X, y)
    model = book.Model()
    for layer in (
        book.Layer_Dense(2, 16),
        book.Activation_ReLU(),
        book.Layer_Dropout(0.1),
        book.Layer_Dense(16, 3),
        book.Activation_Softmax(),
    ):
        model.add(layer)
    model.set(loss=book.Loss_CategoricalCrossentropy(), accuracy=book.Accuracy_Categorical())
    model.finalize()
    for bring in (
        lambda: model.load_parameters(tmp_path / "book.parms"),
        lambda: model.set_parameters(trained.get_parameters()),
    ):
        bring()
        model.evaluate(X, y)
        model.set_parameters([[0 * array for array in pair] for pair in model.get_parameters()])
    for parameters, layer in zip(trained.get_parameters(), model.trainable_layers, strict=True):
        layer.set_parameters(*parameters)
    model.evaluate(X, y)
    assert len(set(capsys.readouterr().out.splitlines())) == 1


def test_parameters_that_were_got_stay_as_they_are() -> None:
    X, y = spiral()
    model = classifier()
    parameters = model.get_parameters()
    kept = copy.deepcopy(parameters)
    model.train(X, y)
    assert_array_equal(parameters[0][0], kept[0][0])


def test_predictions_are_outputs_that_the_last_activation_reads() -> None:
    X, _ = spiral()
    model = classifier()
    confidences = model.predict(X[:5])
    assert_allclose(confidences.sum(axis=1), np.ones(5), rtol=1e-6)
    assert_array_equal(confidences, model.predict(X[:5], batch_size=2))
    classes = model.output_layer_activation.predictions(confidences)
    assert_array_equal(classes, confidences.argmax(axis=1))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_model_goes_on_as_the_model_itself(duplicate: Any) -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    other = duplicate(model)
    results = []
    for network in (model, other):
        np.random.seed(2)
        network.train(X, y, epochs=2)
        results.append(network.predict(X))
    assert_array_equal(*results)


def test_a_model_shows_what_its_optimizer_remembers() -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    for layer in model.trainable_layers:
        for name in ("momentums", "cache"):
            assert getattr(layer, f"weight_{name}").shape == layer.weights.shape
            assert getattr(layer, f"bias_{name}").shape == layer.biases.shape
            assert getattr(layer, f"weight_{name}").any()
