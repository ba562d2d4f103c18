"""The training loop: what it records, prints, warns of, and how it ends."""

import math
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import framework
from datasets import one_hot_encode, sine_data, spiral_data
from framework import (
    BatchNormalization,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    DivergenceError,
    Dropout,
    MeanSquaredError,
    Model,
    ReLU,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    Training,
)
from optimizers import SGD, Adam

X, y = spiral_data(20, 3, seed=0)


def classifier(**settings: Any) -> Model:
    model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    usual = {
        "loss": CategoricalCrossentropy(),
        "optimizer": SGD(0.1),
        "accuracy": CategoricalAccuracy(),
    }
    model.set(**{**usual, **settings})
    model.finalize()
    return model


def test_an_epoch_makes_the_updates_of_a_loop_by_hand() -> None:
    model = classifier(optimizer=Adam(0.05, decay=0.1))
    dense1, dense2 = Dense(2, 8), Dense(8, 3)
    (dense1.weights, dense1.biases), (dense2.weights, dense2.biases) = model.get_parameters()
    activation, loss_activation = ReLU(), SoftmaxCategoricalCrossentropy()
    optimizer = Adam(0.05, decay=0.1)
    losses = []
    for start in range(0, 60, 25):
        inputs, labels = X[start : start + 25], y[start : start + 25]
        dense1.forward(inputs)
        activation.forward(dense1.output)
        dense2.forward(activation.output)
        losses.append(loss_activation.forward(dense2.output, labels))
        loss_activation.backward(loss_activation.output, labels)
        dense2.backward(loss_activation.dinputs)
        activation.backward(dense2.dinputs)
        dense1.backward(activation.dinputs)
        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
    with pytest.warns(UserWarning, match="sorted by class"):
        history = model.train(X, y, batch_size=25, shuffle=False, progress=False)
    np.testing.assert_allclose(model.layers[0].weights, dense1.weights, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.layers[2].biases, dense2.biases, rtol=1e-4, atol=1e-7)
    # 25 + 25 + 10 samples: the short last batch counts by its size.
    expected = (25 * losses[0] + 25 * losses[1] + 10 * losses[2]) / 60
    assert history.loss == pytest.approx([expected])
    assert history.learning_rate == pytest.approx([0.05 / 1.2])


def test_accuracy_and_penalties_are_averaged_by_samples_too() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=0.5), Softmax()])
    accuracy = CategoricalAccuracy()
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(1e-9), accuracy=accuracy)
    model.finalize()
    history = model.train(X, y, batch_size=32, progress=False)
    assert history.accuracy[0] == pytest.approx(accuracy.calculate(model.predict(X), y))
    penalty = 0.5 * float(np.square(model.layers[0].weights).sum())
    assert history.regularization_loss[0] == pytest.approx(penalty, rel=1e-5)
    assert history.data_loss[0] == pytest.approx(model.evaluate(X, y)[0], rel=1e-5)
    assert history.loss[0] == history.data_loss[0] + history.regularization_loss[0]


def test_history_has_one_figure_per_epoch_and_prints_as_a_table() -> None:
    history = classifier().train(X, y, epochs=3, validation_data=(X, y), progress=False)
    for name in history.names():
        assert len(getattr(history, name)) == len(history) == 3
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", *history.names()]
    assert len(lines) == 4
    assert float(lines[2].split()[1]) == pytest.approx(history.loss[1], rel=1e-5)


def test_what_is_not_measured_stays_empty() -> None:
    model = Model([Dense(1, 4), Tanh(), Dense(4, 1)])
    model.set(loss=MeanSquaredError(), optimizer=Adam())
    model.finalize()
    history = model.train(*sine_data(40), progress=False)
    assert history.accuracy == history.val_accuracy == history.val_loss == []
    assert "accuracy" not in str(history)


def test_every_sample_is_seen_once_per_epoch_in_a_new_order() -> None:
    class Recorder(Dense):
        seen: list[np.ndarray]

        def forward(self, inputs: Any, training: bool = True) -> Any:
            if training:
                self.seen.append(np.asarray(inputs)[:, 0].copy())
            return super().forward(inputs, training)

    layer = Recorder(1, 2)
    layer.seen = []
    model = Model([layer, Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    data, labels = np.arange(10.0).reshape(-1, 1), np.arange(10) % 2
    model.train(data, labels, epochs=2, batch_size=4, progress=False)
    assert [len(batch) for batch in layer.seen] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(layer.seen[:3]), np.concatenate(layer.seen[3:])
    assert sorted(first) == sorted(second) == data[:, 0].tolist()
    assert first.tolist() != second.tolist()
    layer.seen.clear()
    model.train(data, labels, batch_size=None, shuffle=False, progress=False)
    assert [batch.tolist() for batch in layer.seen] == [data[:, 0].tolist()]


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_validation_split_is_held_back(shuffle: bool) -> None:
    class Counter(Callback):
        def on_train_begin(self, training: Training) -> None:
            self.samples = 0

        def on_batch_end(self, training: Training) -> None:
            self.samples += len(training.model.layers[0].inputs)

    counter = Counter()
    model = classifier()
    history = model.train(
        X,
        np.arange(60) % 3,
        batch_size=7,
        validation_split=0.25,
        shuffle=shuffle,
        callbacks=[counter],
        progress=False,
    )
    assert counter.samples == 45
    if not shuffle:
        loss, _ = model.evaluate(X[45:], np.arange(45, 60) % 3)
        assert history.val_loss == pytest.approx([loss])
    assert 0 <= history.val_accuracy[0] <= 1


def test_a_second_training_validates_on_the_rows_that_the_first_one_held_back() -> None:
    class Seen(Callback):
        def on_train_begin(self, training: Training) -> None:
            self.rows: set[float] = set()

        def on_batch_end(self, training: Training) -> None:
            self.rows |= set(training.model.layers[0].inputs[:, 0].tolist())

    model, first, second = classifier(), Seen(), Seen()
    for seen in (first, second):
        model.train(X, y, validation_split=0.3, callbacks=[seen], progress=False)
    assert first.rows == second.rows


def test_training_goes_on_from_where_it_was() -> None:
    model = classifier()
    losses = [
        model.train(X, y, batch_size=None, shuffle=False, progress=False).loss[0] for _ in range(4)
    ]
    assert losses == sorted(losses, reverse=True)
    assert model.optimizer.iterations == 4


# What is printed


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    classifier().train(X, y, epochs=2, progress=False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_per_epoch_leaves_one_line_with_the_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = classifier().train(X, y, epochs=2, validation_data=(X, y))
    captured = capsys.readouterr()
    lines = [line.split("\r")[-1] for line in captured.err.strip().split("\n")]
    assert [line[:16] for line in lines] == ["██████ epoch 1/2", "██████ epoch 2/2"]
    for epoch, line in enumerate(lines):
        assert f"loss {history.loss[epoch]:.3f} acc {history.accuracy[epoch]:.3f} lr 0.1" in line
        assert f"val_loss {history.val_loss[epoch]:.3f}" in line
        assert f"val_acc {history.val_accuracy[epoch]:.3f}" in line


def test_print_every_prints_the_lines_of_the_book(capsys: pytest.CaptureFixture[str]) -> None:
    history = classifier().train(X, y, epochs=5, print_every=2)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.splitlines() == [
        f"epoch: {epoch}, acc: {history.accuracy[epoch - 1]:.3f}, "
        f"loss: {history.loss[epoch - 1]:.3f} (data_loss: {history.data_loss[epoch - 1]:.3f}, "
        f"reg_loss: 0.000), lr: 0.1"
        for epoch in (2, 4)
    ]
    history = classifier().train(X, y, validation_data=(X, y), print_every=10)
    assert capsys.readouterr().out == (
        f"validation, acc: {history.val_accuracy[0]:.3f}, loss: {history.val_loss[0]:.3f}\n"
    )


# What it warns of


def test_sorted_labels_without_shuffling_bring_a_warning_once() -> None:
    for labels in (y, one_hot_encode(y, 3)):
        with pytest.warns(UserWarning, match="sorted by class") as caught:
            classifier().train(X, labels, epochs=3, shuffle=False, progress=False)
        assert len(caught) == 1
        assert caught[0].filename == __file__


def test_nothing_is_warned_of_where_the_order_does_no_harm() -> None:
    mixed = np.random.default_rng(0).permutation(60)
    classifier().train(X, y, progress=False)
    classifier().train(X, y, batch_size=None, shuffle=False, progress=False)
    classifier().train(X[mixed], y[mixed], shuffle=False, progress=False)
    regression = Model([Dense(2, 1)])
    regression.set(loss=MeanSquaredError(), optimizer=SGD(0.01))
    regression.finalize()
    regression.train(X, y, shuffle=False, progress=False)


# How it ends


def exploding(epoch: int) -> tuple[Model, Callback]:
    """A model, and a callback that makes its parameters huge in the middle of ``epoch``."""
    model = Model([Dense(2, 8), BatchNormalization(8), ReLU(), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    model.finalize()

    class Explode(Callback):
        def on_batch_end(self, training: Training) -> None:
            if (training.epoch, training.batch) == (epoch, 2):
                model.layers[3].weights = np.full((8, 3), 3e38)

    return model, Explode()


def test_a_loss_that_is_not_finite_is_reported_and_the_last_epoch_restored() -> None:
    model, explode = exploding(3)
    reference, _ = exploding(3)
    reference.set_parameters(model.get_parameters())
    framework.seed(4)
    reference.train(X, y, epochs=2, batch_size=20, progress=False)
    framework.seed(4)
    with pytest.raises(
        FloatingPointError,
        match=r"loss became (nan|inf) in epoch 3, the first output that is not finite is of "
        r"operation 4, Dense\(8, 3\); batch 3 of 3, at learning rate 0.01",
    ) as diverged:
        model.train(X, y, epochs=5, batch_size=20, callbacks=[explode], progress=False)
    for ours, expected in zip(model.get_parameters(), reference.get_parameters(), strict=True):
        for array, other in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(array, other)
    assert model.optimizer.iterations == reference.optimizer.iterations == 6
    assert isinstance(diverged.value, DivergenceError)
    assert len(diverged.value.history) == 2
    for network in (model, reference):
        framework.seed(5)
        network.train(X, y, batch_size=20, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, reference.parameters.weights)


def test_parameters_that_break_in_the_last_update_are_found_too() -> None:
    model = Model([Dense(2, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(1e30))
    model.finalize()
    before = model.parameters.weights.copy()
    with pytest.raises(FloatingPointError, match="parameters became NaN or infinite"):
        model.train(1e6 * X, 1e6 * X[:, 0], batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_a_penalty_that_is_not_finite_is_named() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=1.0), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    model.layers[0].weights = np.full((2, 3), 1e25)
    with pytest.raises(FloatingPointError, match="but the penalties on the parameters are not"):
        model.train(X, y, progress=False)


@pytest.fixture
def pythons_ctrl_c() -> Iterator[None]:
    """Python's own handler of Ctrl-C, which a background job starts without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptIn(Callback):
    def __init__(self, epoch: int, batch: int) -> None:
        self.at = epoch, batch
        self.after = 0

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == self.at:
            os.kill(os.getpid(), signal.SIGINT)
        elif (training.epoch, training.batch) > self.at:
            self.after += 1

    def on_train_end(self, training: Training) -> None:
        self.ended = True


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_ctrl_c_ends_training_after_the_batch_and_returns_the_history() -> None:
    interrupt = InterruptIn(2, 1)
    with pytest.warns(UserWarning, match="interrupted in epoch 2, after batch 1 of 3; 1 of 9"):
        history = classifier().train(
            X, y, epochs=9, batch_size=20, callbacks=[interrupt], progress=False
        )
    assert len(history) == 1
    assert interrupt.after == 0
    assert interrupt.ended
    assert history.stopped == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_a_second_ctrl_c_ends_it_at_once() -> None:
    class Twice(Callback):
        def on_batch_end(self, training: Training) -> None:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        classifier().train(X, y, callbacks=[Twice()], progress=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_trains_in_a_thread_where_no_signal_can_be_caught() -> None:
    results = []
    thread = threading.Thread(
        target=lambda: results.append(classifier().train(X, y, progress=False))
    )
    thread.start()
    thread.join()
    assert len(results[0]) == 1


# What it refuses


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, received 0"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be a whole number"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"print_every": 0}, ValueError, "print_every must be at least 1"),
        ({"validation_split": 1.0}, ValueError, "validation_split must be"),
        ({"validation_split": 0.001}, ValueError, "leaves none to validate on"),
        ({"validation_split": 0.999}, ValueError, "leaves none to train on"),
        ({"validation_split": 0.1, "validation_data": (X, y)}, ValueError, "not both"),
        ({"validation_data": X}, TypeError, "validation_data without targets must be an object"),
        ({"validation_data": (X,)}, ValueError, r"must be a pair \(X_val, y_val\)"),
        ({"validation_data": iter([(X, y)])}, TypeError, "validation_data is an iterator"),
        ({"transform": 255}, TypeError, "transform must be a function"),
        ({"transform": lambda X: X[:, :1]}, ValueError, r"transform\(X\): Dense\(2, 8\) expects"),
        ({"transform": lambda X: X[1:]}, ValueError, r"transform\(X\)"),
        ({"callbacks": Callback()}, TypeError, "callbacks must be a list"),
        ({"callbacks": [Callback]}, TypeError, "a callback needs on_train_begin"),
        ({"callbacks": [print]}, TypeError, "a callback needs on_train_begin"),
    ],
)
def test_impossible_options_are_refused_before_anything_changes(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(X, y, progress=False, **options)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_a_model_without_parameters_is_refused() -> None:
    model = Model([Dropout(0.5), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    model.finalize()
    with pytest.raises(ValueError, match="has no parameters to train"):
        model.train(X, np.zeros(60), progress=False)


# What it is for


def test_the_hand_composed_loop_of_the_book_learns_the_spiral() -> None:
    framework.seed(1)
    data, labels = spiral_data(100, 3, seed=0)
    dense1, activation1, dense2 = Dense(2, 64), ReLU(), Dense(64, 3)
    loss_activation = SoftmaxCategoricalCrossentropy()
    optimizer = Adam(learning_rate=0.05, decay=5e-7)
    for _ in range(10_000):
        dense1.forward(data)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        loss_activation.forward(dense2.output, labels)
        loss_activation.backward(loss_activation.output, labels)
        dense2.backward(loss_activation.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)
        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
    accuracy = CategoricalAccuracy().calculate(loss_activation.output, labels)
    assert accuracy > 0.93


def test_sorted_batches_stay_near_chance_where_shuffled_ones_learn() -> None:
    data, labels = spiral_data(300, 3, seed=0)
    accuracies = {}
    for shuffle in (True, False):
        framework.seed(0)
        model = Model([Dense(2, 64), ReLU(), Dense(64, 3), Softmax()])
        model.set(
            loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=CategoricalAccuracy()
        )
        model.finalize()
        # The warning that goes with shuffle=False has a test of its own.
        with pytest.warns(UserWarning, match="sorted by class") if not shuffle else np.errstate():
            model.train(data, labels, epochs=60, batch_size=100, shuffle=shuffle, progress=False)
        accuracies[shuffle] = model.evaluate(data, labels)[1]
    assert accuracies[True] > 0.7
    assert accuracies[False] < 0.5
    assert math.isclose(1 / 3, accuracies[False], abs_tol=0.17)
