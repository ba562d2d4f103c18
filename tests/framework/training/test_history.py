"""The metrics that a training records."""

import numpy as np
import pytest

from datasets import sine_data
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    History,
    MeanSquaredError,
    Model,
    Softmax,
    Tanh,
)
from optimizers import SGD, Adam
from tests.framework.training.classifiers import X, classifier, y


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


def test_history_has_one_number_per_epoch_and_prints_as_a_table() -> None:
    history = classifier().train(X, y, epochs=3, validation_data=(X, y), progress=False)
    for name in history.names():
        assert len(getattr(history, name)) == len(history) == 3
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", *history.names()]
    assert len(lines) == 4
    assert float(lines[2].split()[1]) == pytest.approx(history.loss[1], rel=1e-5)


def test_the_table_of_many_epochs_has_the_first_and_the_last() -> None:
    losses = [1 / epoch for epoch in range(1, 52)]
    table = str(History(losses[:50])).splitlines()
    assert [line.split()[0] for line in table[1:]] == [str(epoch) for epoch in range(1, 51)]
    table = str(History(losses)).splitlines()
    ends = [*range(1, 11), "…", *range(42, 52)]
    assert [line.split()[0] for line in table[1:]] == list(map(str, ends))


def test_lists_of_metrics_that_are_not_measured_stay_empty() -> None:
    model = Model([Dense(1, 4), Tanh(), Dense(4, 1)])
    model.set(loss=MeanSquaredError(), optimizer=Adam())
    model.finalize()
    history = model.train(*sine_data(40), progress=False)
    assert history.accuracy == history.val_accuracy == history.val_loss == []
    assert "accuracy" not in str(history)
