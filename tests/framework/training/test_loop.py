"""The training loop: its updates, the order of its samples, and that it learns."""

import math
from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    ReLU,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Training,
)
from optimizers import SGD, Adam
from tests.framework.training.classifiers import X, classifier, y


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
