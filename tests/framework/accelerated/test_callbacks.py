"""Callbacks see, stop and change an accelerated training as they do a plain one."""

import copy
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from framework import (
    BinaryAccuracy,
    Callback,
    History,
    MeanSquaredError,
    Training,
)
from optimizers import SGD, Adagrad
from tests.framework.accelerated.networks import (
    CLASSES,
    WEIGHTS,
    assert_same_history,
    both,
    classifier,
    independent,
    train,
)


class Watcher(Callback):
    """Writes down what it is shown after each batch, and may stop or interfere."""

    def __init__(self, stop_at: int = 0) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.stop_at = stop_at

    def on_batch_end(self, training: Training) -> None:
        output = float(training.model.layers[1].output.sum())
        self.seen.append((training.batch, training.batch_loss, training.batch_accuracy, output))
        if len(self.seen) == self.stop_at:
            training.stop("enough")


def test_callbacks_see_every_batch_as_it_was() -> None:
    plain, accelerated = both(classifier)
    watchers = Watcher(), Watcher()
    for model, watcher in zip((plain, accelerated), watchers, strict=True):
        train(model, CLASSES, epochs=2, callbacks=[watcher])
    assert len(watchers[0].seen) == 20
    np.testing.assert_allclose(watchers[1].seen, watchers[0].seen, 1e-4, 1e-4)


def test_a_callback_that_was_given_a_function_is_called_after_every_batch() -> None:
    _, model = both(classifier)
    callback, batches = Callback(), []
    callback.on_batch_end = lambda training: batches.append(training.batch)
    train(model, CLASSES, epochs=1, callbacks=[callback])
    assert batches == list(range(1, 11))


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": SGD(0.1)},
        {"optimizer": Adagrad(0.1)},
        {"loss": MeanSquaredError()},
        {"accuracy": BinaryAccuracy()},
    ],
    ids=repr,
)
def test_what_a_callback_sets_counts_from_the_next_batch_on(change: dict[str, Any]) -> None:
    class Change(Callback):
        def on_batch_end(self, training: Training) -> None:
            if training.epoch == 1 and training.batch == 4:
                training.model.set(**copy.deepcopy(change))

    y = np.eye(3, dtype="float32")[CLASSES]
    plain, accelerated = both(classifier)
    expected = train(plain, y, epochs=2, callbacks=[Change()])
    assert_same_history(train(accelerated, y, epochs=2, callbacks=[Change()]), expected)


def test_a_callback_stops_after_its_batch() -> None:
    _, model = both(classifier)
    history = train(model, CLASSES, callbacks=[Watcher(stop_at=13)])
    assert history.stopped == "enough"
    assert len(history) == 1
    assert model.optimizer.iterations == 13


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [classifier, independent])
def test_the_history_does_not_depend_on_how_many_steps_a_call_takes(make: Any) -> None:
    def history(*callbacks: Callback) -> History:
        _, model = both(make)
        return train(model, CLASSES, sample_weight=WEIGHTS, epochs=3, callbacks=callbacks)

    together, one_by_one = history(), history(Watcher())
    for name in set(History.names()) - {"seconds"}:
        assert getattr(together, name) == getattr(one_by_one, name)
