"""Metrics in the files of models."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from framework import Model, SavedFileError, metrics
from tests.framework.training.test_metrics import X, classifier, y
from tests.strategies import Array


def mine(outputs: Array, targets: Array, power: float = 1.0) -> float:
    return float(outputs[:, 0].mean() ** power)


class Scaled:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, outputs: Array, targets: Array) -> float:
        return self.factor * float(outputs[:, 0].mean())


def test_metrics_of_this_library_are_saved_with_their_arguments(tmp_path: Path) -> None:
    model = classifier(f1=metrics.f1, micro=partial(metrics.f1, average="micro"), auc=metrics.auc)
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert list(loaded.metrics) == ["f1", "micro", "auc"]
    assert loaded.metrics["f1"] is metrics.f1
    assert loaded.evaluate(X, y).metrics == model.evaluate(X, y).metrics


def test_those_of_ones_own_are_passed_again_as_an_accuracy_is(tmp_path: Path) -> None:
    model = classifier(mine=mine, squared=partial(mine, power=2.0), scaled=Scaled(3.0))
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model", custom_operations=[mine, Scaled])
    assert loaded.evaluate(X, y).metrics == model.evaluate(X, y).metrics
    with pytest.raises(SavedFileError, match="it has 'mine', which is not part of dinputs"):
        Model.load(tmp_path / "model")


def test_a_model_without_metrics_has_the_file_that_it_always_had(tmp_path: Path) -> None:
    classifier(f1=metrics.f1).save(tmp_path / "with")
    classifier().save(tmp_path / "without")
    assert b"metrics" in (tmp_path / "with").read_bytes()
    assert b"metrics" not in (tmp_path / "without").read_bytes()
    assert Model.load(tmp_path / "without").metrics == {}


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda outputs, targets: 1.0, "metrics.mine: .* has no name: use def"),
        (partial(mine, [[1.0]]), "metrics.mine: .* give its arguments by name"),
        (max, "metrics.mine: .* cannot be saved"),
    ],
)
def test_what_cannot_be_saved_is_named(metric: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=message):
        classifier(mine=metric).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
