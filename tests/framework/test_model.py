"""The Model: put together, used, taken apart."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from datasets import one_hot_encode
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Linear,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    ReLU,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
)
from optimizers import SGD, Adam
from tests.framework.networks import X, classifier, y


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


def test_prediction_in_batches_is_the_same() -> None:
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


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_trains_on_its_own_from_where_the_original_was(copied: Any) -> None:
    model = classifier(optimizer=Adam(0.01))
    model.train(X, y, progress=False)
    other = copied(model)
    before = model.parameters.weights.copy()
    other.train(X, y, epochs=2, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
    model.train(X, y, epochs=2, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


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
