"""One model predicts and evaluates in several threads as it does in one."""

import copy
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    FusedLoss,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    ReLU,
    Scale,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Step,
    nnfs_book,
)
from framework.data.micro_batches import evaluation_batch_size
from tests.framework.test_every_operation import operations_for

THREADS = 8
REPETITIONS = 60
# Data of each thread, of another size, so that a mixture would often be noticed as an error.
DATA = [
    np.random.default_rng(i).normal(size=(20 + i, 4)).astype(np.float32) for i in range(THREADS)
]


def data_for(operation: Any) -> list[Any]:
    """Return data of each thread that ``operation`` takes, with four features or channels."""
    axes = getattr(operation, "example_axes", ())
    shapes = [(len(X), *axes, 4) for X in DATA]
    return [np.random.default_rng(shape[0]).normal(size=shape) for shape in shapes]


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Have Python go from one thread to another as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def assert_same_in_threads(call: Callable[[int], Any]) -> None:
    """Compare what ``call(i)`` returns in a thread for each i with what it returns alone."""
    expected = [call(i) for i in range(THREADS)]
    found: list[list[Any]] = [[] for _ in range(THREADS)]
    together = threading.Barrier(THREADS, timeout=60)

    def run(i: int) -> None:
        together.wait()
        for _ in range(REPETITIONS):
            found[i].append(call(i))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, results in enumerate(found):
        assert len(results) == REPETITIONS
        for result in results:
            np.testing.assert_equal(result, expected[i])


class Handing:
    """An object that hands over to other threads whenever one of its attributes is set.

    Made a base of a class, it makes certain what a switch of threads makes rare: whatever a
    method stores is another thread's when it is read again.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if threads := _between.get(id(self)):
            threads(name)


_between: dict[int, Callable[[str], None]] = {}


def interrupted(subject: Any, call: Callable[[Any], Any], other: Callable[[Any], Any]) -> Any:
    """Return ``call(subject)``, with a call of ``other`` after each attribute that it stores."""
    kind = type(subject)
    subject.__class__ = type(kind.__name__, (Handing, kind), {})
    active = []

    def between(name: str) -> None:
        if not active:
            active.append(name)
            other(subject)
            active.pop()

    _between[id(subject)] = between
    try:
        return call(subject)
    finally:
        del _between[id(subject)]
        subject.__class__ = kind


BOOK = [
    nnfs_book.Layer_Dense(4, 3),
    nnfs_book.Layer_Dropout(0.5),
    nnfs_book.Activation_ReLU(),
    nnfs_book.Activation_Softmax(),
    nnfs_book.Activation_Sigmoid(),
    nnfs_book.Activation_Linear(),
]
every_operation = pytest.mark.parametrize(
    "operation", [*operations_for(4), Step(), *BOOK], ids=lambda operation: repr(operation)
)


@every_operation
def test_what_forward_returns_is_its_own_whenever_another_thread_comes_in_between(
    operation: Any,
) -> None:
    operation, data = copy.deepcopy(operation), data_for(operation)
    expected = operation.forward(data[0], training=False)
    found = interrupted(
        operation,
        lambda op: op.forward(data[0], training=False),
        lambda op: op.forward(data[1], training=False),
    )
    np.testing.assert_array_equal(found, expected)


def test_the_books_layer_returns_its_own_output_after_nnfs_init_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nnfs_book.layers, "nnfs_multiplies", lambda: True)
    layer = nnfs_book.Layer_Dense(4, 3)
    expected = layer.forward(DATA[0])
    found = interrupted(layer, lambda op: op.forward(DATA[0]), lambda op: op.forward(DATA[1]))
    np.testing.assert_array_equal(found, expected)


@every_operation
def test_forward_in_threads_returns_what_it_returns_alone(operation: Any) -> None:
    operation, data = copy.deepcopy(operation), data_for(operation)
    assert_same_in_threads(lambda i: operation.forward(data[i], training=False))


LOSSES = [
    CategoricalCrossentropy(),
    BinaryCrossentropy(),
    MeanSquaredError(),
    MeanAbsoluteError(),
    Huber(),
    SoftmaxCategoricalCrossentropy(),
    SigmoidBinaryCrossentropy(),
    nnfs_book.Activation_Softmax_Loss_CategoricalCrossentropy(),
]


def rows_of(i: int) -> np.ndarray:
    """Probabilities, which are logits as well."""
    return Softmax().forward(DATA[i])


@pytest.mark.parametrize(
    ("loss", "method"),
    [
        *((loss, method) for loss in LOSSES for method in ("forward", "backward")),
        *((loss, "outputs_and_losses") for loss in LOSSES if isinstance(loss, FusedLoss)),
    ],
    ids=repr,
)
def test_what_a_loss_returns_is_its_own_whenever_another_thread_comes_in_between(
    loss: Any, method: str
) -> None:
    def call(i: int) -> Callable[[Any], Any]:
        targets = np.eye(4)[np.arange(len(DATA[i])) % 4]
        return lambda loss: getattr(loss, method)(rows_of(i), targets)

    loss = copy.deepcopy(loss)
    expected = call(0)(loss)
    np.testing.assert_equal(interrupted(loss, call(0), call(1)), expected)


def classifier(last: Any, loss: Any, accuracy: Any, outputs: int = 4, **options: Any) -> Model:
    framework.seed(0)
    layers = [Flatten(), Scale(2, 0.1), Dense(4, 16), BatchNormalization(16), ReLU(), Dropout(0.3)]
    model = Model([*layers, Dense(16, outputs), *last])
    model.set(loss=loss, accuracy=accuracy)
    if options:
        pytest.importorskip("numba", reason="numba is not installed: nothing is accelerated")
    model.finalize(**options)
    return model


MODELS: dict[str, Callable[[], Model]] = {
    "fused": lambda: classifier([Softmax()], CategoricalCrossentropy(), CategoricalAccuracy()),
    "accelerated": lambda: classifier(
        [Softmax()], CategoricalCrossentropy(), CategoricalAccuracy(), accelerated=True
    ),
    "after logits": lambda: classifier([], SoftmaxCategoricalCrossentropy(), CategoricalAccuracy()),
    "not fused": lambda: classifier([Softmax()], MeanSquaredError(), CategoricalAccuracy()),
    "sigmoids": lambda: classifier([Sigmoid()], BinaryCrossentropy(), BinaryAccuracy()),
    "numbers": lambda: classifier([], Huber(), RegressionAccuracy(0.5)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_a_model_evaluates_and_predicts_in_threads_as_it_does_alone(
    make: Callable[[], Model],
) -> None:
    model = make()
    targets = [np.eye(4)[np.arange(len(X)) % 4] for X in DATA]
    weights = [np.arange(len(X)) % 3 for X in DATA]
    classes = isinstance(model.accuracy, (CategoricalAccuracy, BinaryAccuracy))

    def everything(i: int) -> list[Any]:
        X, y = DATA[i], targets[i]
        return [
            model.evaluate(X, y),
            model.evaluate(X, y, batch_size=7),
            model.evaluate(X, y, sample_weight=weights[i]),
            model.evaluate([(X, y)]),
            model.predict(X),
            model.predict_classes(X) if classes else None,
        ]

    assert_same_in_threads(everything)


def test_another_thread_does_not_change_the_size_of_its_micro_batches() -> None:
    model = classifier([Softmax()], CategoricalCrossentropy(), CategoricalAccuracy())
    wide = np.zeros((5000, 4), np.float32)
    for layer in model.layers:
        alone = evaluation_batch_size(model, wide[:1])
        found = interrupted(
            layer, lambda _: evaluation_batch_size(model, wide[:1]), lambda _: model.predict(wide)
        )
        assert found == alone


class Remembering:
    """Stores its output and returns nothing, which is enough for one thread."""

    def forward(self, inputs: Any) -> None:
        self.output = 2 * inputs

    def backward(self, dvalues: Any) -> None:
        self.dinputs = 2 * dvalues


def test_an_operation_that_only_stores_its_output_is_read_there() -> None:
    model = Model([Remembering(), Remembering()])
    model.finalize()
    np.testing.assert_array_equal(model.predict(DATA[0]), 4 * DATA[0])


def test_evaluating_leaves_the_outputs_of_a_loop_by_hand_alone() -> None:
    model = classifier([Softmax()], CategoricalCrossentropy(), CategoricalAccuracy())
    model.calculate_loss(DATA[0], np.zeros(20, int), training=False)
    outputs = model.output
    model.evaluate(DATA[1], np.zeros(21, int))
    assert model.output is outputs


def test_a_fused_loss_of_ones_own_may_write_its_losses_alone() -> None:
    class Squares(FusedLoss):
        def __init__(self) -> None:
            self.activation, self.loss = Sigmoid(), MeanSquaredError()

        def losses(self, inputs: Any, y_true: Any) -> Any:
            self._store(self.activation.forward(inputs))
            return self.loss.forward(self.output, y_true)

    class Nothing(FusedLoss):
        def __init__(self) -> None:
            self.activation, self.loss = Sigmoid(), MeanSquaredError()

    model, X, y = Model([Dense(4, 4)]), DATA[0], np.zeros((20, 4))
    model.set(loss=Squares(), accuracy=RegressionAccuracy(0.5))
    model.finalize()
    outputs = model.predict(X)
    loss, accuracy = model.evaluate(X, y)
    assert loss == pytest.approx(np.square(outputs).mean())
    assert accuracy == np.mean(outputs <= 0.5)
    with pytest.raises(NotImplementedError, match="Nothing has no outputs_and_losses method"):
        Nothing().forward(X, y)
