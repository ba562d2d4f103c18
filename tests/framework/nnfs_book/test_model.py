"""The book's ``Model``: the lines that it prints, its layers, its training."""

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nnfs.datasets import sine_data
from numpy.testing import assert_allclose, assert_array_equal

import framework
from framework import nnfs_book as book
from tests.framework.nnfs_book.support import (
    binary,
    classifier,
    data_for,
    figures,
    line_of,
    regression,
    spiral,
)

NUMBER = r"\d\.\d{3}"
MEASURES = rf"acc: {NUMBER}, loss: {NUMBER} \(data_loss: {NUMBER}, reg_loss: {NUMBER}\), lr: 0\.\d+"
VALIDATION = rf"validation, acc: {NUMBER}, loss: {NUMBER}"


def assert_lines(printed: str, patterns: list[str]) -> None:
    lines = printed.splitlines()
    assert len(lines) == len(patterns), printed
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


def test_without_a_batch_size_there_is_a_line_for_epochs_and_one_for_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    classifier().train(X, y, validation_data=(X, y), epochs=5, print_every=2)
    lines = [f"epoch: 2, {MEASURES}", f"epoch: 4, {MEASURES}", VALIDATION]
    assert_lines(capsys.readouterr().out, lines)


def test_with_a_batch_size_there_are_lines_for_steps_epochs_and_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    classifier().train(X, y, validation_data=(X, y), epochs=2, batch_size=25, print_every=2)
    steps = [f"step: {step}, {MEASURES}" for step in (0, 2, 4)]
    lines = [*steps, f"training, {MEASURES}", VALIDATION]
    assert_lines(capsys.readouterr().out, ["epoch: 1", *lines, "epoch: 2", *lines])


def test_the_last_step_is_printed_though_it_is_not_due(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = spiral()
    classifier().train(X, y, batch_size=50, print_every=100)
    lines = ["epoch: 1", f"step: 0, {MEASURES}", f"step: 2, {MEASURES}", f"training, {MEASURES}"]
    assert_lines(capsys.readouterr().out, lines)


def test_the_figures_of_an_epoch_are_means_over_its_samples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    model = classifier()
    model.optimizer.learning_rate = 1e-12
    model.layers[2].rate = 0.0
    model.train(X, y, batch_size=50)
    printed = capsys.readouterr().out
    model.evaluate(X, y)
    model.evaluate(X, y, batch_size=7)
    whole = capsys.readouterr().out.splitlines()
    assert whole[0] == whole[1]
    epoch = figures(line_of(printed, "training"))
    assert epoch["acc"] == figures(whole[0])["acc"]
    assert epoch["data_loss"] == figures(whole[0])["loss"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: X, TypeError, r"pair \(X_val, y_val\), received ndarray"),
        (lambda X, y: (X, y, y), ValueError, r"pair \(X_val, y_val\), received 3 objects"),
        (lambda X, y: (X[:, :1], y), ValueError, r"expects inputs of shape \(samples, 2\)"),
        (lambda X, y: (X, y[:-1]), ValueError, "X and y must have the same length"),
        (lambda X, y: (X, y + 1), ValueError, "class numbers from 0 to 2"),
    ],
)
@pytest.mark.parametrize("batch_size", [None, 50])
def test_validation_data_that_do_not_fit_are_refused_before_anything_is_trained(
    change: Any, error: type[Exception], message: str, batch_size: int | None
) -> None:
    X, y = spiral()
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(X, y, batch_size=batch_size, validation_data=change(X, y))
    assert_array_equal(model.parameters.weights, before)
    assert model.optimizer.iterations == 0


def test_the_penalties_of_an_epoch_are_those_that_it_ends_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    model = classifier()
    model.layers[0].weights = np.ones((2, 16))
    model.optimizer.learning_rate = 0.1
    model.train(X, y, batch_size=20)
    printed = figures(line_of(capsys.readouterr().out, "training"))["reg_loss"]
    assert printed == pytest.approx(model.regularization_loss(), abs=0.00051)
    assert printed != pytest.approx(model.history.regularization_loss[-1], abs=0.00051)


def test_training_goes_through_the_data_in_order() -> None:
    X = np.arange(7.0).reshape(-1, 1)
    seen = []

    class Watched(book.Layer_Dense):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            if training:
                seen.append(inputs[:, 0].tolist())
            return super().forward(inputs, training)

    model = book.Model()
    model.add(Watched(1, 1))
    model.add(book.Activation_Linear())
    model.set(
        loss=book.Loss_MeanSquaredError(),
        optimizer=book.Optimizer_SGD(learning_rate=1e-3),
        accuracy=book.Accuracy_Regression(),
    )
    model.finalize()
    model.train(X, X, epochs=2, batch_size=3)
    assert seen == [[0, 1, 2], [3, 4, 5], [6]] * 2


def test_a_model_computes_what_the_loop_by_hand_does() -> None:
    X, y = spiral()
    model = classifier()
    dense1, dense2 = book.Layer_Dense(2, 16, 0, 5e-4, 0, 5e-4), book.Layer_Dense(16, 3)
    for layer, parameters in zip((dense1, dense2), model.get_parameters(), strict=True):
        layer.set_parameters(*parameters)
    relu, dropout = book.Activation_ReLU(), book.Layer_Dropout(0.1)
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    adam = book.Optimizer_Adam(learning_rate=0.05, decay=5e-5)

    np.random.seed(1)
    for _ in range(5):
        dense2.forward(dropout.forward(relu.forward(dense1.forward(X))))
        both.forward(dense2.output, y)
        both.backward(both.output, y)
        dense1.backward(relu.backward(dropout.backward(dense2.backward(both.dinputs))))
        adam.pre_update_params()
        adam.update_params(dense1)
        adam.update_params(dense2)
        adam.post_update_params()
    np.random.seed(1)
    model.train(X, y, epochs=5)

    for layer, other in zip(model.trainable_layers, (dense1, dense2), strict=True):
        for name in ("weights", "biases", "weight_momentums", "bias_cache"):
            assert_allclose(getattr(layer, name), getattr(other, name), rtol=1e-4, atol=1e-7)


def assert_linked(model: book.Model) -> None:
    assert type(model.input_layer) is book.Layer_Input
    row = [model.input_layer, *model.layers, model.loss]
    for before, layer, after in zip(row, model.layers, row[2:], strict=False):
        assert layer.prev is before
        assert layer.next is after


def through_a_file(model: book.Model, path: Path) -> book.Model:
    model.save(path)
    return book.Model.load(path)


@pytest.mark.parametrize(
    "duplicate",
    [
        lambda model, path: model,
        lambda model, path: copy.deepcopy(model),
        lambda model, path: pickle.loads(pickle.dumps(model)),
        through_a_file,
    ],
    ids=["itself", "deepcopy", "pickle", "file"],
)
def test_layers_know_their_neighbours(duplicate: Any, tmp_path: Path) -> None:
    X, y = spiral()
    model = duplicate(classifier(), tmp_path / "book.model")
    assert_linked(model)
    model.train(X, y)
    assert_array_equal(model.input_layer.output, X.astype(np.float32))
    model.set(loss=book.Loss_CategoricalCrossentropy())
    assert_linked(model)


def test_a_copy_of_a_layer_leaves_the_network_around_it() -> None:
    model = classifier()
    for layer in model.layers:
        copied = copy.deepcopy(layer)
        assert not hasattr(copied, "prev")
        assert not hasattr(copied, "next")
        assert len(pickle.dumps(layer)) < 2000


def test_softmax_and_its_loss_are_one_object_where_they_are_fused() -> None:
    assert book.Model().softmax_classifier_output is None
    assert regression().softmax_classifier_output is None
    assert binary().softmax_classifier_output is None
    X, y = spiral()
    model = classifier()
    model.train(X, y)
    both = model.softmax_classifier_output
    assert isinstance(both, book.Activation_Softmax_Loss_CategoricalCrossentropy)
    assert both.dinputs is model.output_layer_activation.dinputs


def test_backward_takes_the_output_and_the_targets_or_the_targets_alone() -> None:
    X, y = spiral()
    model = classifier()
    model.calculate_loss(X, y)
    gradients = []
    for call in (
        lambda: model.backward(y),
        lambda: model.backward(y=y),
        lambda: model.backward(model.output, y),
        lambda: model.backward(output=model.output, y=y),
    ):
        model.layers[0].dweights[...] = 0
        call()
        gradients.append(model.layers[0].dweights.copy())
        assert_array_equal(gradients[-1], gradients[0])
    assert gradients[0].any()
    with pytest.raises(TypeError, match="needs the targets"):
        model.backward()


def test_softmax_and_its_loss_are_computed_together() -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y)
    # Not gone through, as the gradient by the logits comes from both at once.
    assert model.gradients()[-1] is None
    assert_allclose(model.layers[-1].dinputs.sum(), 0, atol=1e-6)


class Loss_Huber(book.Loss):
    """As a reader would write it: nothing but the two methods of the book."""

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        errors = np.abs(y_true - y_pred)
        return np.mean(np.where(errors < 1, errors**2 / 2, errors - 0.5), axis=-1)

    def backward(self, dvalues: Any, y_true: Any) -> None:
        self.dinputs = np.clip(dvalues - y_true, -1, 1) / dvalues.size


def test_a_loss_of_the_readers_own_trains_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = sine_data(50)
    predictions = []
    for loss in (Loss_Huber(), framework.Huber()):
        np.random.seed(4)
        model = regression()
        model.set(loss=loss)
        model.train(X, y, epochs=5, batch_size=20)
        predictions.append(model.predict(X))
    assert_allclose(*predictions, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_the_steps_of_the_books_own_train_do_what_ours_does(make: Any) -> None:
    results = []
    for own in (True, False):
        np.random.seed(3)
        model = make()
        X, y = data_for(model)
        if own:
            model.train(X, y, epochs=3)
        else:
            for _ in range(3):
                output = model.forward(X, training=True)
                model.loss.calculate(output, y, include_regularization=True)
                model.backward(output, y)
                model.optimizer.pre_update_params()
                for layer in model.trainable_layers:
                    model.optimizer.update_params(layer)
                model.optimizer.post_update_params()
        results.append(model.predict(X))
    assert_allclose(*results, rtol=1e-4, atol=1e-7)
