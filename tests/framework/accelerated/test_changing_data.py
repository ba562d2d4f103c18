"""What was checked before a training may change while it runs: compiled code checks it again.

A mistake here may end the process, so that everything runs in another one than the tests.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    BinaryAccuracy,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    ReLU,
    Sigmoid,
    Softmax,
    Training,
)
from framework.accelerated.loss_and_optimizer import optimizer_instruction, optimizer_state
from framework.parameters import ParameterVector
from optimizers import SGD, Adam

SAMPLES, CLASSES = 430, 3
random = np.random.default_rng(0)
X = random.normal(size=(SAMPLES, 4)).astype("float32")
LABELS = random.integers(0, CLASSES, SAMPLES)
ONE_HOT = np.eye(CLASSES, dtype="float32")[LABELS]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[..., Any]]:
    """Call a function of this module in another process, whose end is a failure of the test."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        yield lambda function, *arguments: process.submit(function, *arguments).result()


def network(targets: str) -> Model:
    framework.seed(5)
    head: tuple[Any, ...] = Softmax(), CategoricalCrossentropy(), CategoricalAccuracy()
    if targets == "bits":
        head = Sigmoid(), BinaryCrossentropy(), BinaryAccuracy()
    activation, loss, accuracy = head
    model = Model([Dense(4, 16), ReLU(), Dropout(0.1), Dense(16, CLASSES), activation])
    model.set(loss=loss, optimizer=Adam(0.01, decay=1e-3), accuracy=accuracy)
    return model


TARGETS = {"labels": LABELS, "one-hot": ONE_HOT, "bits": ONE_HOT}


def set_target(value: Any) -> Callable[[Training], None]:
    def change(training: Any) -> None:
        training.data.y[200] = value

    return change


def replace(name: str, value: Any) -> Callable[[Training], None]:
    return lambda training: setattr(training.data, name, value)


def set_all_rows(value: int) -> Callable[[Training], None]:
    def change(training: Any) -> None:
        training.data.rows[...] = value

    return change


def reshape_in_place(training: Any) -> None:
    training.data.X.shape = (2 * SAMPLES, 2)


# What becomes of which targets, and the error and a part of what it says. None: it is as good.
CHANGES: dict[str, tuple[str, Callable[[Training], None], type | None, str]] = {
    **{
        f"label {label}": (
            "labels",
            set_target(label),
            ValueError,
            rf"y must be class numbers from 0 to 2, since there are 3 outputs, "
            rf"but row \d+ is {label}$",
        )
        for label in (2**31, -1, 100, CLASSES, -(2**63), 2**63 - 1)
    },
    "label after a transform": ("transformed", set_target(100), ValueError, "is 100$"),
    "row without a class": ("one-hot", set_target(0), ValueError, "one-hot rows.*adding up to 1"),
    "negative row": ("one-hot", set_target([2, -1, 0]), ValueError, "one-hot rows"),
    "row of NaN": ("one-hot", set_target(np.nan), ValueError, "one-hot rows"),
    "bit of 2": ("bits", set_target(2), ValueError, "y must lie between 0 and 1"),
    "negative bit": ("bits", set_target(-0.5), ValueError, "y must lie between 0 and 1"),
    "bit of NaN": ("bits", set_target(np.nan), ValueError, "y must be finite"),
    "small labels": ("labels", replace("y", LABELS.astype("int8")), None, ""),
    "labels as floats": ("labels", replace("y", LABELS.astype(float)), None, ""),
    "rows for labels": ("labels", replace("y", ONE_HOT.astype(float)), None, ""),
    "labels for rows": ("one-hot", replace("y", LABELS), None, ""),
    "label of a half": ("labels", replace("y", LABELS + 0.5), ValueError, "whole class numbers"),
    "small wrong label": (
        "labels",
        replace("y", np.full(SAMPLES, 3, "uint8")),
        ValueError,
        "but row 0 is 3",
    ),
    "huge unsigned": (
        "labels",
        replace("y", np.full(SAMPLES, 2**64 - 1, "uint64")),
        ValueError,
        "class numbers from 0 to 2",
    ),
    "labels as text": ("labels", replace("y", LABELS.astype(str)), TypeError, "real numbers"),
    "narrow rows": ("one-hot", replace("y", ONE_HOT[:, :2]), ValueError, "one-hot rows of shape"),
    "narrow bits": ("bits", replace("y", ONE_HOT[:, :2]), ValueError, "shape of the predictions"),
    "labels for bits": ("bits", replace("y", LABELS), ValueError, "shape of the predictions"),
    "few targets": ("labels", replace("y", LABELS[:7]), IndexError, "out of bounds"),
    "few samples": ("labels", replace("X", X[:7]), IndexError, "out of bounds"),
    "few weights": ("weighted", replace("sample_weight", np.ones(7)), IndexError, "out of bounds"),
    "wide weights": (
        "weighted",
        replace("sample_weight", np.ones((SAMPLES, 2))),
        ValueError,
        "sample_weight",
    ),
    "rows behind the end": ("labels", set_all_rows(10**12), IndexError, "out of bounds"),
    "rows before the start": ("labels", set_all_rows(-(10**12)), IndexError, "out of bounds"),
    "rows from the end": ("labels", set_all_rows(-2), None, ""),
    "fractional rows": ("labels", replace("rows", np.full(SAMPLES, 0.5)), TypeError, "cast"),
    "narrow samples": (
        "labels",
        replace("X", X[:, :3].copy()),
        ValueError,
        r"inputs of shape \(samples, 4\), received \(43, 3\)",
    ),
    "images": (
        "labels",
        replace("X", np.zeros((SAMPLES, 2, 2), "float32")),
        ValueError,
        r"inputs of shape \(samples, …, 4\), received \(43, 2, 2\)",
    ),
    "another shape": (
        "labels",
        reshape_in_place,
        ValueError,
        r"\(samples, 4\), received \(43, 2\)",
    ),
}


class After(Callback):
    """Makes a change when some steps have been taken."""

    def __init__(self, change: Callable[[Training], None]) -> None:
        self.change = change

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch == 2:
            self.change(training)


class AfterBatch(After):
    """The same amid an epoch. As it looks at each batch, every step is a call of its own."""

    def on_epoch_end(self, training: Training) -> None: ...

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == (2, 7):
            self.change(training)


def divide_steps(threads: int) -> None:
    """Let so many threads share the steps, however little there is to do."""
    from framework.accelerated import trainer
    from tests.framework.accelerated.all_threads import AllThreads

    trainer.ThreadChoice = AllThreads  # type: ignore[misc]
    trainer.available = lambda: threads
    trainer.SAMPLES_OF_PART = trainer.WORK_OF_PART = 1


def outcome(name: str, callback: type[After], accelerated: bool, threads: int) -> Any:
    """Return the error of a training with a change, and what is left of the model."""
    targets, change, *_ = CHANGES[name]
    if accelerated:
        divide_steps(threads)
    model = network(targets)
    model.finalize(accelerated=accelerated)
    weights = np.linspace(0.5, 1, SAMPLES) if targets == "weighted" else None
    y = TARGETS.get(targets, LABELS).copy()
    framework.seed(7)
    error = None
    try:
        model.train(
            X.copy(),
            y,
            batch_size=43,
            epochs=4,
            sample_weight=weights,
            transform=np.tanh if targets == "transformed" else None,
            callbacks=[callback(change)],
            progress=False,
        )
    except (IndexError, TypeError, ValueError) as caught:
        error = caught
    return error, model.optimizer.iterations, model.parameters.weights.copy()


@pytest.mark.parametrize("threads", [1, 2], ids="{} threads".format)
@pytest.mark.parametrize("callback", [After, AfterBatch])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_while_training_has_the_same_end_as_in_plain_training(
    name: str, callback: type[After], threads: int, elsewhere: Any
) -> None:
    *_, kind, words = CHANGES[name]
    error, iterations, weights = elsewhere(outcome, name, callback, True, threads)
    expected_error, expected_iterations, expected = outcome(name, callback, False, threads)
    assert type(error) is type(expected_error) is (type(None) if kind is None else kind)
    if kind is not None:
        with pytest.raises(kind, match=words):
            raise error
    if name != "wide weights":  # of which plain training says less
        assert str(error) == str(expected_error)
    assert iterations == expected_iterations
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-4)


def error_of_a_change_by_another_thread(threads: int, label: int) -> Any:
    divide_steps(threads)
    model, y = network("labels"), LABELS.copy()
    model.finalize(accelerated=True)

    def disturb() -> None:
        while model.optimizer.iterations < 1000:
            time.sleep(0.001)
        y[5] = label

    other = threading.Thread(target=disturb)
    other.start()
    try:
        model.train(X, y, batch_size=43, epochs=10**6, progress=False)
    except ValueError as error:
        return error, np.isfinite(model.parameters.weights).all()
    finally:
        other.join()


@pytest.mark.parametrize("threads", [1, 2], ids="{} threads".format)
@pytest.mark.parametrize("label", [2**31, -1, 100, CLASSES])
def test_a_label_that_another_thread_changes_ends_the_training(
    label: int, threads: int, elsewhere: Any
) -> None:
    error, parameters_are_finite = elsewhere(error_of_a_change_by_another_thread, threads, label)
    assert f"since there are {CLASSES} outputs, but row" in str(error)
    assert str(error).endswith(f"is {label}")
    assert parameters_are_finite


def error_of_a_changed_attribute(name: str, value: int, threads: int) -> Any:
    divide_steps(threads)
    model = network("labels")
    model.finalize(accelerated=True)
    callback = After(lambda training: setattr(training.model.layers[3], name, value))
    try:
        model.train(X, LABELS, batch_size=43, epochs=4, callbacks=[callback], progress=False)
    except ValueError as error:
        return error


@pytest.mark.parametrize("threads", [1, 2], ids="{} threads".format)
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("n_neurons", 10**6, "17000000 parameters.* holds 51"),
        ("n_neurons", 1, "17 parameters.* holds 51"),
        ("n_inputs", 10**6, r"expects inputs of shape \(samples, 1000000\), received \(43, 16\)"),
    ],
)
def test_a_layer_that_says_another_size_than_its_parameters_have_is_refused(
    name: str, value: int, words: str, threads: int, elsewhere: Any
) -> None:
    with pytest.raises(ValueError, match=words):
        raise elsewhere(error_of_a_changed_attribute, name, value, threads)


def test_a_layer_that_lists_its_parameters_itself_trains_these_alone() -> None:
    trained = []
    for accelerated in (False, True):
        model = network("labels")
        model.layers[0].parameters = ("weights",)
        model.layers[0].biases = np.full((1, 16), 0.25)
        if accelerated:
            with pytest.warns(UserWarning, match=r"Dense\(4, 16.*was given its own parameters"):
                model.finalize(accelerated=True)
        else:
            model.finalize()
        framework.seed(7)
        model.train(X, LABELS, batch_size=43, epochs=3, progress=False)
        np.testing.assert_array_equal(model.layers[0].biases, np.full((1, 16), 0.25))
        trained.append(model.predict(X))
    np.testing.assert_allclose(trained[1], trained[0], rtol=0, atol=1e-4)


def test_an_optimizer_has_memory_for_the_momentum_it_was_asked_for() -> None:
    layer, optimizer = Dense(4, 16), SGD(0.1, momentum=0.9)
    parameters = ParameterVector([layer], np.dtype("float32"))
    instruction = optimizer_instruction(optimizer, np.dtype("float32"))
    optimizer.momentum = 0.0  # by another thread, when the momentum has been taken
    velocity, _ = optimizer_state(instruction, optimizer, parameters)
    assert velocity.shape == (len(parameters),)
