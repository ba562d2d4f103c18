"""Operations, losses, optimizers and accuracies of the user's own, in a model."""

from typing import Any

import numpy as np
import pytest

from framework import (
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Operation,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    check_gradients,
)
from optimizers import SGD, Adam
from tests.framework.networks import X, classifier, y


class BookDense:
    """A layer as in the book: no base class, no training flag, arrays bound anew."""

    def __init__(self, n_inputs: int, n_neurons: int) -> None:
        self.weights = 0.1 * np.random.default_rng(0).normal(size=(n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs: np.ndarray) -> None:
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues: np.ndarray) -> None:
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Cube:
    def forward(self, inputs: np.ndarray, training: bool) -> None:
        self.inputs, self.was_training = inputs, training
        self.output = inputs**3

    def backward(self, dvalues: np.ndarray) -> None:
        self.dinputs = 3 * dvalues * self.inputs**2


def test_a_users_own_classes_are_trained_and_checked_like_ours() -> None:
    model = Model([BookDense(2, 6), Cube(), Dense(6, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.05), accuracy=CategoricalAccuracy())
    model.finalize()
    assert model.dtype == np.float32, "a class that declares no dtype follows the others"
    report = check_gradients(model, X, y)
    assert report.passed, report
    history = model.train(X, y, epochs=300, batch_size=None, progress=False)
    assert history.loss[-1] < 0.9 * history.loss[0]
    assert model.layers[1].was_training
    model.predict(X)
    assert not model.layers[1].was_training


def test_a_users_own_loss_optimizer_and_accuracy_need_only_the_methods() -> None:
    class Quartic:
        def forward(self, y_pred: np.ndarray, y_true: np.ndarray) -> np.ndarray:
            return ((y_pred - y_true) ** 4).mean(axis=1)

        def backward(self, y_pred: np.ndarray, y_true: np.ndarray) -> None:
            self.dinputs = 4 * (y_pred - y_true) ** 3 / y_pred.size

    class Plain:
        def pre_update_params(self) -> None: ...

        def update_params(self, layer: Any) -> None:
            layer.weights[...] -= 0.1 * layer.dweights

        def post_update_params(self) -> None: ...

    class Close:
        def calculate(self, predictions: np.ndarray, y: np.ndarray) -> float:
            return float((np.abs(predictions - y) < 0.5).mean())

    targets = X @ np.array([[1.0], [-1.0]])
    report = check_gradients(Quartic(), X[:, :1], targets)
    assert report.passed, report
    model = Model([Dense(2, 1)])
    model.set(loss=Quartic(), optimizer=Plain(), accuracy=Close())
    model.finalize()
    history = model.train(X, targets, epochs=50, progress=False)
    assert history.loss[-1] < history.loss[0]
    assert history.accuracy[-1] == 1


class Repeat(Operation):
    """A user's subclass with parameters, a shape that changes, and none of our conveniences."""

    def __init__(self) -> None:
        self.weights = np.array([[1.0, 2.0]])
        self.dweights = np.zeros((1, 2))

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.inputs = np.asarray(inputs)
        self.output = np.concatenate([self.inputs * self.weights, self.inputs], axis=1)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dweights = (dvalues[:, :2] * self.inputs).sum(axis=0, keepdims=True)
        self.dinputs = dvalues[:, :2] * self.weights + dvalues[:, 2:]
        return self.dinputs


def test_a_subclass_need_not_list_its_parameters_nor_tell_its_shape() -> None:
    layer = Repeat()
    report = check_gradients(layer, X[:5])
    assert report.passed, report
    assert [array.name for array in report.arrays] == ["dinputs", "dweights"]
    model = Model([layer, Dense(4, 2), Repeat(), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.05))
    model.finalize()
    assert model.output_shapes() == [None, (2,), None, None]
    model.train(X, y + 1, epochs=5, progress=False)
    assert (layer.weights != [[1.0, 2.0]]).all()


def test_labels_are_checked_before_training_also_after_a_users_own_operation() -> None:
    model = Model([Dense(2, 2), Repeat()])
    model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    before = model.parameters.weights.copy()
    labels = y.astype(int)
    labels[-1] = 7
    with pytest.raises(ValueError, match="from 0 to 3, .* row 59 is 7"):
        model.train(X, labels, shuffle=False, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize(
    ("operations", "loss", "accuracy"),
    [
        ([Dense(2, 3), Softmax()], CategoricalCrossentropy(), BinaryAccuracy()),
        ([Dense(2, 1), Sigmoid()], BinaryCrossentropy(), CategoricalAccuracy()),
    ],
)
def test_an_accuracy_that_does_not_fit_is_refused_before_training(
    operations: list[Any], loss: Any, accuracy: Any
) -> None:
    model = Model(operations)
    model.set(loss=loss, optimizer=SGD(), accuracy=accuracy)
    model.finalize()
    before = model.parameters.weights.copy()
    with pytest.raises(ValueError):
        model.train(X, np.clip(y, 0, 1), progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_an_optimizer_as_in_the_book_is_given_each_layer() -> None:
    class BookSGD:
        def __init__(self) -> None:
            self.layers: list[Any] = []

        def pre_update_params(self) -> None: ...

        def update_params(self, layer: Any) -> None:
            self.layers.append(layer)
            layer.weights -= 0.1 * layer.dweights
            layer.biases += -0.1 * layer.dbiases

        def post_update_params(self) -> None: ...

    theirs, ours = classifier(optimizer=BookSGD()), classifier()
    ours.set_parameters(theirs.get_parameters())
    for model in (theirs, ours):
        model.train(X, y, batch_size=None, shuffle=False, progress=False)
    assert theirs.optimizer.layers == [theirs.layers[0], theirs.layers[2]]
    np.testing.assert_allclose(theirs.parameters.weights, ours.parameters.weights, rtol=1e-6)


def test_the_training_flag_reaches_a_forward_that_asks_for_it_in_any_way() -> None:
    class Recorder:
        def backward(self, dvalues: np.ndarray) -> None:
            self.dinputs = dvalues

        def record(self, inputs: np.ndarray, *seen: Any) -> None:
            self.output, self.seen = inputs, seen

    class KeywordOnly(Recorder):
        def forward(self, inputs: np.ndarray, *, training: bool = True) -> None:
            self.record(inputs, training)

    class Third(Recorder):
        def forward(self, inputs: np.ndarray, factor: float = 3.0, training: bool = True) -> None:
            self.record(inputs, factor, training)

    class OtherDefault(Recorder):
        def forward(self, inputs: np.ndarray, factor: float = 3.0) -> None:
            self.record(inputs, factor)

    class Unnamed(Recorder):
        def forward(self, inputs: np.ndarray, is_training: bool) -> None:
            self.record(inputs, is_training)

    operations = [KeywordOnly(), Third(), OtherDefault(), Unnamed()]
    model = Model(operations)
    model.finalize()
    model.predict(X)
    assert [operation.seen for operation in operations] == [
        (False,),
        (3.0, False),
        (3.0,),
        (False,),
    ]


def test_names_that_mean_something_else_in_a_users_class_do_no_harm() -> None:
    class Busy(Cube):
        state = None

        def forward(self, inputs: np.ndarray, training: bool) -> None:
            super().forward(inputs, training)
            self.output_shape = self.output.shape

    class Remembers:
        def calculate(self, predictions: np.ndarray, y: np.ndarray) -> float:
            self.predictions = predictions
            return float((predictions == y).mean())

    model = Model([Dense(2, 3), Busy(), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.01), accuracy=Remembers())
    model.finalize()
    for _ in range(2):
        model.train(X, y, batch_size=20, progress=False)
    assert model.accuracy.predictions.shape == (20,)


def test_weights_whose_gradient_is_never_stored_are_an_error() -> None:
    class Forgetful(BookDense):
        def backward(self, dvalues: np.ndarray) -> None:
            super().backward(dvalues)
            del self.dweights

    model = Model([Forgetful(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    with pytest.raises(ValueError, match=r"Forgetful\(\) has no dweights"):
        model.train(X, y, progress=False)
