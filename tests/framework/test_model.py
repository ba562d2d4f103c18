"""The Model: put together, used, taken apart, and what it says when it is used wrongly."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from datasets import one_hot_encode, spiral_data
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    Linear,
    MeanSquaredError,
    Model,
    Operation,
    RegressionAccuracy,
    ReLU,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    check_gradients,
)
from optimizers import SGD, Adam

X, y = spiral_data(20, 3, seed=0)


def classifier(*, finalize: bool = True, **settings: Any) -> Model:
    model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    usual = {
        "loss": CategoricalCrossentropy(),
        "optimizer": SGD(0.1),
        "accuracy": CategoricalAccuracy(),
    }
    model.set(**{**usual, **settings})
    if finalize:
        model.finalize()
    return model


def test_layers_are_the_users_own_objects_in_order() -> None:
    operations = [Dense(2, 8), ReLU(), Dense(8, 3)]
    model = Model(operations[:2])
    model.add(operations[2])
    model.finalize()
    assert all(a is b for a, b in zip(model.layers, operations, strict=True))
    assert repr(model) == "Model([Dense(2, 8), ReLU(), Dense(8, 3)])"


def test_it_computes_what_the_operations_compute_by_hand() -> None:
    model = classifier()
    first, activation, last, softmax = copy.deepcopy(model.layers)
    hidden = activation.forward(first.forward(X))
    expected = softmax.forward(last.forward(hidden))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)
    loss = CategoricalCrossentropy()
    assert model.evaluate(X, y)[0] == pytest.approx(loss.calculate(expected, y), rel=1e-5)
    loss.backward(expected, y)
    last.backward(softmax.backward(loss.dinputs))
    first.backward(activation.backward(last.dinputs))
    model.calculate_loss(X, y)
    model.backward(y)
    for ours, by_hand in ((model.layers[0], first), (model.layers[2], last)):
        np.testing.assert_allclose(ours.dweights, by_hand.dweights, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(ours.dinputs, by_hand.dinputs, rtol=1e-3, atol=1e-6)


def test_what_no_parameter_needs_is_left_out_of_training_alone() -> None:
    model = Model([Tanh(), Dense(2, 4), Tanh(), Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    model.calculate_loss(X, y)
    model.backward(y)
    complete = model.parameters.dweights.copy()
    assert model.layers[0].dinputs.shape == X.shape
    for layer in model.layers[:2]:
        del layer.dinputs
    model.parameters.dweights[:] = 0
    model.backward(y, all_operations=False)
    np.testing.assert_array_equal(model.parameters.dweights, complete)
    assert not hasattr(model.layers[0], "dinputs")
    assert not hasattr(model.layers[1], "dinputs")


@pytest.mark.parametrize(
    ("last", "loss", "fused", "targets"),
    [
        (Softmax(), CategoricalCrossentropy(), SoftmaxCategoricalCrossentropy, y),
        (
            Softmax(temperature=2.0),
            CategoricalCrossentropy(),
            SoftmaxCategoricalCrossentropy,
            one_hot_encode(y, 3),
        ),
        (Sigmoid(), BinaryCrossentropy(), SigmoidBinaryCrossentropy, one_hot_encode(y, 3)),
    ],
)
def test_the_fused_block_takes_the_place_of_activation_and_loss(
    last: Any, loss: Any, fused: type, targets: np.ndarray
) -> None:
    model = Model([Dense(2, 3), last], dtype="float64")
    model.set(loss=loss)
    model.finalize()
    # Logits at which the separate loss would have to clip.
    model.layers[0].weights = np.full((2, 3), [[-4e4], [1e4]])
    model.layers[0].biases = [[1e4, 0, -1e4]]
    value = model.calculate_loss(X, targets)
    expected = fused()
    expected.activation = type(last)(**last.configuration())
    assert value == pytest.approx(expected.forward(model.layers[0].output, targets))
    model.backward(targets)
    np.testing.assert_allclose(model.layers[-1].output, expected.output)
    expected.backward(expected.output, targets)
    np.testing.assert_allclose(model.layers[-1].dinputs, expected.dinputs)


def test_a_fused_loss_can_be_given_itself_after_logits() -> None:
    whole, split = classifier(), Model([Dense(2, 8), ReLU(), Dense(8, 3)])
    split.set(
        loss=SoftmaxCategoricalCrossentropy(), optimizer=SGD(0.1), accuracy=CategoricalAccuracy()
    )
    split.finalize()
    split.set_parameters(whole.get_parameters())
    np.testing.assert_allclose(split.predict(X), whole.predict(X))
    assert split.evaluate(X, y) == whole.evaluate(X, y)
    for model in (whole, split):
        model.train(X, y, epochs=3, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_allclose(split.predict(X), whole.predict(X), rtol=1e-5)


def test_a_fused_loss_after_its_own_activation_is_refused() -> None:
    model = classifier(loss=SoftmaxCategoricalCrossentropy(), finalize=False)
    with pytest.raises(ValueError, match=r"contains the activation Softmax\(\)"):
        model.finalize()
    model = classifier()
    with pytest.raises(ValueError, match="contains the activation"):
        model.set(loss=SoftmaxCategoricalCrossentropy())
    assert isinstance(model.loss, CategoricalCrossentropy)


def test_prediction_in_slices_is_the_same() -> None:
    model = classifier()
    np.testing.assert_allclose(model.predict(X, batch_size=7), model.predict(X), rtol=1e-6)
    assert model.evaluate(X, y, batch_size=7) == pytest.approx(model.evaluate(X, y))


def test_dropout_and_batch_statistics_are_off_in_prediction() -> None:
    model = Model([BatchNormalization(2), Dropout(0.5), Dense(2, 3), Softmax()])
    model.finalize()
    before = model.get_parameters()
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    one_by_one = np.concatenate([model.predict(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(model.predict(X), one_by_one, rtol=1e-5)
    for stored, again in zip(before, model.get_parameters(), strict=True):
        for array, same in zip(stored, again, strict=True):
            np.testing.assert_array_equal(array, same)


def test_classes_are_read_off_the_outputs() -> None:
    model = classifier()
    assert model.predict_classes(X).tolist() == model.predict(X).argmax(axis=1).tolist()
    binary = Model([Dense(2, 1), Sigmoid()])
    binary.finalize()
    assert binary.predict_classes(X).shape == (60,)
    assert binary.predict_classes(X).tolist() == (binary.predict(X)[:, 0] > 0.5).tolist()
    ten = Model([Dense(2, 10), Sigmoid()])
    ten.finalize()
    assert ten.predict_classes(X).shape == (60, 10)
    ten.set(accuracy=CategoricalAccuracy())
    assert ten.predict_classes(X).tolist() == ten.predict(X).argmax(axis=1).tolist()
    regression = Model([Dense(2, 1), Linear()])
    regression.finalize()
    with pytest.raises(ValueError, match="predict_classes needs Softmax"):
        regression.predict_classes(X)


def test_without_an_accuracy_there_is_none() -> None:
    model = Model([Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    loss, accuracy = model.evaluate(X, y)
    assert loss > 0
    assert accuracy is None


def test_evaluating_first_does_not_decide_the_precision_of_a_regression() -> None:
    model = Model([Dense(2, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.01), accuracy=RegressionAccuracy())
    model.finalize()
    assert model.evaluate(X, np.full(60, 1e6))[1] == 0
    model.train(X, X[:, 0], progress=False)
    assert model.accuracy.current_precision == pytest.approx(X[:, 0].std() / 250, rel=1e-5)


def test_parameters_go_from_one_model_to_another_with_running_statistics() -> None:
    def make() -> Model:
        model = Model([Dense(2, 4), BatchNormalization(4), Tanh(), Dense(4, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
        model.finalize()
        return model

    trained, other = make(), make()
    trained.train(X, y, progress=False)
    parameters = trained.get_parameters()
    assert [len(arrays) for arrays in parameters] == [2, 4, 2]
    other.set_parameters(parameters)
    np.testing.assert_array_equal(other.predict(X), trained.predict(X))
    trained.train(X, y, progress=False)
    assert (parameters[0][0] != trained.layers[0].weights).any(), "they are copies"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:1], "2 operations with parameters, received parameters for 1"),
        (lambda p: [p[0], p[1][:1]], r"Dense\(8, 3\) has 2 arrays \(weights, biases\), received 1"),
        (lambda p: [p[0], (p[1][0].T, p[1][1])], r"weights has shape \(8, 3\), received \(3, 8\)"),
    ],
)
def test_parameters_that_do_not_fit_change_nothing(change: Any, message: str) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    parameters = [tuple(array + 1 for array in arrays) for arrays in model.get_parameters()]
    with pytest.raises(ValueError, match=message):
        model.set_parameters(change(parameters))
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_trains_on_its_own_from_where_the_original_was(twin: Any) -> None:
    model = classifier(optimizer=Adam(0.01))
    model.train(X, y, progress=False)
    other = twin(model)
    before = model.parameters.weights.copy()
    other.train(X, y, epochs=2, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
    model.train(X, y, epochs=2, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_summary_names_operations_shapes_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model([Flatten(), Dense(784, 64), BatchNormalization(64), ReLU(), Dense(64, 10)])
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Operation", "Output", "Parameters"]
    assert lines[2].split() == ["Flatten()", "(samples,", "…)", "0"]
    assert lines[3].split() == ["Dense(784,", "64)", "(samples,", "64)", "50,240"]
    assert lines[4].endswith(" 128")
    assert lines[-1].split() == ["Total", "51,018"]


# A user's own classes


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


def test_the_loss_knows_the_layers_whose_penalties_it_adds_up() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=0.1), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    assert model.loss.regularization_loss() == model.regularization_loss() > 0


def test_finalizing_again_keeps_what_the_optimizer_remembers() -> None:
    model = classifier(optimizer=Adam())
    model.train(X, y, progress=False)
    momentum = model.optimizer.state(model.parameters)["weights"]["momentum"]
    model.finalize()
    assert model.optimizer.state(model.parameters)["weights"]["momentum"] is momentum


# What bad input gets


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (
            [Dense(2, 32), Dense(64, 3)],
            r"Dense\(64, 3\) expects inputs of shape \(samples, 64\), received \(samples, 32\): "
            r"the operation before it, Dense\(2, 32\), gives 32 values per sample",
        ),
        (
            [Dense(2, 32), ReLU(), Dropout(0.1), Dense(64, 3)],
            r"the operation before it, Dropout\(0.1\), after Dense\(2, 32\), gives 32 values",
        ),
        ([Dense(2, 4), BatchNormalization(3)], r"BatchNormalization\(3\) expects inputs"),
    ],
)
def test_neighbours_that_do_not_fit_are_both_named(operations: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Model(operations).finalize()


def test_a_model_without_operations_is_refused() -> None:
    with pytest.raises(ValueError, match="the model has no operations"):
        Model().finalize()


@pytest.mark.parametrize("operation", [Dense, "relu", None, np.tanh])
def test_what_is_no_operation_is_refused(operation: object) -> None:
    with pytest.raises(TypeError, match="needs forward and backward methods"):
        Model([operation])


def test_the_same_object_cannot_stand_twice() -> None:
    activation = ReLU()
    with pytest.raises(ValueError, match=r"ReLU\(\) is already operation 2"):
        Model([Dense(2, 2), activation, Dense(2, 2), activation])


def test_operations_of_different_dtypes_need_a_decision() -> None:
    operations = [Dense(2, 3), Dense(3, 2, dtype="float64")]
    with pytest.raises(ValueError, match=r"is float32 but Dense\(3, 2, dtype='float64'\) is"):
        Model(operations).finalize()
    model = Model(operations, dtype="float64")
    model.finalize()
    assert model.predict(X).dtype == np.float64
    assert model.layers[0].dtype == "float64"


def test_batch_normalization_follows_the_dtype_of_the_model_with_all_it_has() -> None:
    layer = BatchNormalization(2)
    Model([layer], dtype="float64").finalize()
    assert layer.running_mean.dtype == layer.weights.dtype == np.float64


@pytest.mark.parametrize(
    ("role", "value"),
    [("loss", ReLU), ("loss", "mse"), ("optimizer", Dense(2, 2)), ("accuracy", 0.5)],
)
def test_settings_of_the_wrong_kind_are_refused(role: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"the {role} needs"):
        Model([Dense(2, 2)]).set(**{role: value})


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.predict(X),
        lambda m: m.predict_classes(X),
        lambda m: m.evaluate(X, y),
        lambda m: m.train(X, y),
        lambda m: m.forward(X),
        lambda m: m.calculate_loss(X, y),
        lambda m: m.backward(y),
        lambda m: m.parameters,
    ],
)
def test_a_model_has_to_be_finalized_first(use: Any) -> None:
    with pytest.raises(RuntimeError, match=r"not finalized: call finalize\(\) first"):
        use(classifier(finalize=False))
    for change in (lambda m: m.add(Linear()), lambda m: m.layers.pop()):
        model = classifier()
        change(model)
        with pytest.raises(RuntimeError, match="not finalized: its operations changed"):
            use(model)


def test_backward_scales_the_gradient_of_the_data_and_not_that_of_the_penalties() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=0.1), Softmax()], dtype="float64")
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    gradients = []
    for scale in (1.0, 3.0):
        model.calculate_loss(X, y)
        model.backward(y, scale=scale)
        gradients.append(model.parameters.dweights.copy())
    penalties = np.concatenate([(0.2 * model.layers[0].weights).ravel(), np.zeros(3)])
    np.testing.assert_allclose(gradients[1] - penalties, 3 * (gradients[0] - penalties), rtol=1e-9)


def test_backward_needs_a_loss_to_go_back_from() -> None:
    with pytest.raises(RuntimeError, match="call calculate_loss first"):
        classifier().backward(y)


def test_training_and_evaluating_need_what_set_gives() -> None:
    model = Model([Dense(2, 3), Softmax()])
    model.finalize()
    with pytest.raises(RuntimeError, match=r"call set\(loss=..., optimizer=...\)"):
        model.train(X, y)
    with pytest.raises(RuntimeError, match=r"call set\(loss=...\)"):
        model.evaluate(X, y)


class NeedsGradient:
    """A tensor of PyTorch that requires a gradient."""

    def __array__(self, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )


BAD_DATA: list[tuple[Any, Any, type[Exception], str]] = [
    (np.ones((60, 5)), y, ValueError, r"Dense\(2, 8\) expects .*received \(samples, 5\): .*data"),
    (X[:, 0], y, ValueError, r"X must be \(samples, features\)"),
    (X[:10], y, ValueError, "received 10 samples and 60 targets"),
    (X, 1, ValueError, "a single value"),
    (X[:0], y[:0], ValueError, "X is empty"),
    (np.where(np.arange(60)[:, None] == 7, np.nan, X), y, ValueError, "row 7 has NaN or infinity"),
    (np.where(np.arange(60)[:, None] == 9, np.inf, X), y, ValueError, "row 9 has NaN or infinity"),
    (
        np.where(np.arange(60)[:, None] == 3, 1e300, X),
        y,
        ValueError,
        "row 3 has a number too large for float32",
    ),
    (X.astype(str), y, TypeError, "X must hold real numbers, received dtype"),
    (X.astype(object), y, TypeError, "X must hold real numbers, received dtype object"),
    (X + 1j, y, TypeError, "X must hold real numbers, received dtype complex128"),
    ([[1.0, 2.0], [3.0]], [0, 1], ValueError, "X must be an array of numbers, every row as long"),
    (X, y + 1, ValueError, "class numbers from 0 to 2, .* row 40 is 3"),
    (X, y.astype(int) - 1, ValueError, "row 0 is -1"),
    (X, y + 0.5, ValueError, "whole class numbers, but row 0 is 0.5"),
    (X, y.reshape(-1, 1), ValueError, "y must be class indices of shape"),
    (X, one_hot_encode(y, 4), ValueError, r"one-hot rows of shape \(60, 3\)"),
    (X, y.astype(str), TypeError, "y must hold real numbers"),
    (np.ma.masked_less(X, 0), y, TypeError, "masked values"),
    (NeedsGradient(), y, TypeError, r"X cannot be read as an array: .* Use tensor.detach\(\).numpy"),
]


@pytest.mark.parametrize(("bad_X", "bad_y", "error", "message"), BAD_DATA)
def test_bad_data_are_refused_and_the_model_is_unchanged(
    bad_X: Any, bad_y: Any, error: type[Exception], message: str
) -> None:
    model = classifier(optimizer=Adam())
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(bad_X, bad_y, progress=False)
    with pytest.raises(error, match=message):
        model.evaluate(bad_X, bad_y)
    with pytest.raises(error, match=f"validation_data: .*{message}"):
        model.train(X, y, validation_data=(bad_X, bad_y), progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert model.optimizer.iterations == 0


def test_a_real_tensor_that_requires_a_gradient_is_refused_like_that() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor, model = torch.zeros((60, 2), requires_grad=True), classifier()
    for use in (model.predict, model.forward, Dense(2, 3).forward):
        with pytest.raises(TypeError, match=r"\.detach\(\)\.numpy\(\)"):
            use(tensor)
    np.testing.assert_array_equal(model.predict(tensor.detach()), model.predict(np.zeros((60, 2))))


def test_targets_never_broadcast_against_outputs() -> None:
    model = Model([Dense(2, 2)])
    model.set(loss=MeanSquaredError(), optimizer=SGD())
    model.finalize()
    for targets in (np.zeros(60), np.zeros((60, 1)), np.zeros((60, 3))):
        with pytest.raises(ValueError, match=r"shape of the predictions, \(60, 2\)"):
            model.train(X, targets, progress=False)


def test_a_vector_of_targets_is_a_column_for_one_output() -> None:
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy(), optimizer=Adam(), accuracy=BinaryAccuracy())
    model.finalize()
    labels = (y > 0).astype(int)
    assert model.evaluate(X, labels) == model.evaluate(X, labels.reshape(-1, 1))
    model.train(X, labels, progress=False)


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.tolist(),
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(np.float16),
        lambda a: a > 0,
        lambda a: (10 * a).astype(np.int8),
        lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    ],
    ids=["lists", "fortran", "float16", "bool", "int8", "read-only"],
)
def test_real_numbers_of_any_kind_are_accepted_and_not_written_to(convert: Any) -> None:
    given = convert(X)
    kept = copy.deepcopy(given)
    model = classifier(accuracy=None)
    expected = model.predict(np.array(given, dtype=np.float32))
    np.testing.assert_allclose(model.predict(given), expected, rtol=1e-3)
    model.train(given, y.tolist(), validation_data=(given, y), progress=False)
    np.testing.assert_array_equal(given, kept)


def test_memory_mapped_data_are_accepted(tmp_path: Any) -> None:
    np.save(tmp_path / "X.npy", (100 * X).astype(np.int16))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model, other = classifier(), classifier()
    other.set_parameters(model.get_parameters())
    for network, data in ((model, mapped), (other, np.array(mapped))):
        network.train(data, y, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, other.parameters.weights)
    np.testing.assert_array_equal(model.predict(mapped), other.predict(np.array(mapped)))
