"""The state of a running training, and its attributes that were renamed."""

from typing import Any

import numpy as np
import pytest

from framework import Callback, Checkpoint, Training
from tests.framework.training.classifiers import X, classifier, y

RENAMED = {
    "samples": "data",
    "chance": "rng_state",
    "data_marks": "data_fingerprint",
    "model_marks": "model_fingerprint",
    "went_on_at": "resumed_at",
}


class AtEpochEnd(Callback):
    def __init__(self, action: Any) -> None:
        self.action = action

    def on_epoch_end(self, training: Training) -> None:
        self.action(training)


def train(action: Any, *others: Callback) -> None:
    callbacks = [AtEpochEnd(action), *others]
    classifier().train(X, y, validation_split=0.2, callbacks=callbacks, progress=False)


@pytest.mark.parametrize("old", RENAMED)
def test_old_names_of_attributes_are_deprecated_and_have_the_same_value(old: str) -> None:
    def read(training: Training) -> None:
        with pytest.warns(
            DeprecationWarning, match=f"Training.{old} was renamed: use {RENAMED[old]}"
        ):
            value = getattr(training, old)
        assert value is getattr(training, RENAMED[old])

    train(read)


def test_an_attribute_can_be_set_by_its_old_name() -> None:
    def write(training: Training) -> None:
        with pytest.warns(DeprecationWarning, match="use resumed_at") as caught:
            training.went_on_at = (1, 2)
        assert training.resumed_at == (1, 2)
        assert caught[0].filename == __file__

    train(write)


def test_the_old_names_of_metrics_and_sums_are_deprecated() -> None:
    def read(training: Training) -> None:
        with pytest.warns(DeprecationWarning, match=r"use metrics\(\)"):
            assert training.figures() == training.metrics()
        with pytest.warns(DeprecationWarning, match="use total_weight"):
            assert training.sums.amount == 48
        with pytest.warns(DeprecationWarning, match="use correct"):
            assert training.sums.right / 48 == training.history.accuracy[-1]

    train(read)


def test_the_old_name_of_the_best_value_is_deprecated(tmp_path: Any) -> None:
    checkpoint = Checkpoint(tmp_path / "run", best="loss")
    train(lambda training: None, checkpoint)
    with pytest.warns(DeprecationWarning, match="Checkpoint.best_figure was renamed: use best_val"):
        assert checkpoint.best_figure == checkpoint.best_value
    assert np.isfinite(checkpoint.best_value)


def test_a_training_lists_the_metrics_that_it_records() -> None:
    def read(training: Training) -> None:
        recorded = [name for name in training.history.names() if getattr(training.history, name)]
        assert training.metrics() == recorded

    train(read)
    classifier().train(X, y, callbacks=[AtEpochEnd(read)], progress=False)
