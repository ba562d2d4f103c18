"""Callbacks: when they are called, and ``EarlyStopping``."""

from typing import Any

import numpy as np
import pytest

from datasets import spiral_data
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    EarlyStopping,
    Model,
    ReLU,
    Softmax,
    Training,
)
from optimizers import SGD

X, y = spiral_data(20, 3, seed=0)
X_val, y_val = spiral_data(20, 3, seed=1)


def classifier(rate: float = 0.1) -> Model:
    model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(rate), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


class Scripted(Callback):
    """Puts figures of the test's own into the history, and remembers what was there."""

    def __init__(self, figures: list[float], name: str = "val_loss") -> None:
        self.figures, self.name = figures, name
        self.parameters: list[np.ndarray] = []

    def on_epoch_end(self, training: Training) -> None:
        getattr(training.history, self.name)[-1] = self.figures[training.epoch - 1]
        self.parameters.append(training.model.parameters.weights.copy())


def test_callbacks_are_called_in_order_with_the_state_of_the_training() -> None:
    calls: list[tuple[Any, ...]] = []

    class Witness(Callback):
        def on_train_begin(self, training: Training) -> None:
            calls.append(("begin", training.epochs, training.batches))

        def on_batch_end(self, training: Training) -> None:
            calls.append(("batch", training.epoch, training.batch))
            assert np.isfinite(training.batch_loss)

        def on_epoch_end(self, training: Training) -> None:
            calls.append(("epoch", training.epoch, len(training.history)))

        def on_train_end(self, training: Training) -> None:
            calls.append(("end",))

    classifier().train(X, y, epochs=2, batch_size=40, callbacks=[Witness()], progress=False)
    assert calls == [
        ("begin", 2, 2),
        ("batch", 1, 1),
        ("batch", 1, 2),
        ("epoch", 1, 1),
        ("batch", 2, 1),
        ("batch", 2, 2),
        ("epoch", 2, 2),
        ("end",),
    ]


def test_a_callback_can_stop_training_after_a_batch() -> None:
    class Stop(Callback):
        def on_batch_end(self, training: Training) -> None:
            if training.epoch == 2:
                training.stop("enough")

    history = classifier().train(X, y, epochs=5, batch_size=20, callbacks=[Stop()], progress=False)
    assert len(history) == 1
    assert history.stopped == "enough"
    assert str(history).endswith("stopped: enough")


def test_early_stopping_waits_for_its_patience_says_why_and_goes_back_to_the_best(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = classifier()
    scripted = Scripted([3.0, 2.0, 2.5, 2.0, 2.1, 0.0])
    stopping = EarlyStopping(patience=3)
    history = model.train(
        X,
        y,
        epochs=10,
        validation_data=(X_val, y_val),
        callbacks=[scripted, stopping],
        print_every=100,
    )
    assert len(history) == 5
    assert (stopping.best, stopping.best_epoch) == (2.0, 2)
    assert stopping.reason == history.stopped
    assert "val_loss has not been better than 2.0000, reached in epoch 2, for 3" in stopping.reason
    assert f"stopped in epoch 5: {stopping.reason}" in capsys.readouterr().out
    np.testing.assert_array_equal(model.parameters.weights, scripted.parameters[1])


def test_restoring_can_be_left_out_and_is_done_without_stopping_too() -> None:
    for restore, epoch in ((True, 1), (False, 2)):
        model, scripted = classifier(), Scripted([1.0, 2.0])
        model.train(
            X,
            y,
            epochs=2,
            validation_data=(X_val, y_val),
            callbacks=[scripted, EarlyStopping(patience=5, restore_best=restore)],
            progress=False,
        )
        np.testing.assert_array_equal(model.parameters.weights, scripted.parameters[epoch - 1])


def test_an_accuracy_should_grow_and_small_gains_may_not_count() -> None:
    scripted = Scripted([0.5, 0.6, 0.605, 0.608, 0.9], "accuracy")
    stopping = EarlyStopping("accuracy", patience=2, min_delta=0.01)
    history = classifier().train(X, y, epochs=9, callbacks=[scripted, stopping], progress=False)
    assert len(history) == 4
    assert stopping.best == 0.6


def test_nan_is_never_the_best_value() -> None:
    scripted = Scripted([float("nan"), 2.0, float("nan")])
    stopping = EarlyStopping(patience=9)
    classifier().train(
        X,
        y,
        epochs=3,
        validation_data=(X_val, y_val),
        callbacks=[scripted, stopping],
        progress=False,
    )
    assert (stopping.best, stopping.best_epoch) == (2.0, 2)


def test_a_metric_that_is_not_recorded_is_refused_before_training() -> None:
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(ValueError, match="cannot monitor 'val_loss': this training records loss"):
        model.train(X, y, callbacks=[EarlyStopping()], progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"patience": 0}, "patience must be at least 1"), ({"min_delta": -1}, "min_delta must be 0")],
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**options)
