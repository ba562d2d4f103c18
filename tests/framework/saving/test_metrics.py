"""Metrics in the files of models."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import Checkpoint, Model, SavedFileError, metrics
from framework.saving.file_format import encode, read
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
    with pytest.warns(UserWarning, match="the metrics mine, squared, scaled are not part of dinp"):
        alone = Model.load(tmp_path / "model")
    np.testing.assert_array_equal(alone.predict(X), model.predict(X))
    assert alone.metrics == {}
    given = {"mine": mine, "squared": partial(mine, power=2.0), "scaled": Scaled(3.0)}
    loaded = Model.load(tmp_path / "model", metrics=given)
    assert loaded.evaluate(X, y).metrics == model.evaluate(X, y).metrics
    with pytest.raises(TypeError, match="the metric 'mine' must be a function"):
        Model.load(tmp_path / "model", metrics={"mine": 1})  # type: ignore[dict-item]


def test_a_model_without_metrics_has_the_file_that_it_always_had(tmp_path: Path) -> None:
    classifier(f1=metrics.f1).save(tmp_path / "with")
    classifier().save(tmp_path / "without")
    assert b"metrics" in (tmp_path / "with").read_bytes()
    assert b"metrics" not in (tmp_path / "without").read_bytes()
    assert Model.load(tmp_path / "without").metrics == {}


@pytest.mark.parametrize(
    "metric",
    [
        lambda outputs, targets: 1.0,
        partial(mine, [[1.0]]),
        partial(mine, power=np.ones(3), other=max),
        len,
    ],
)
def test_what_has_no_name_is_left_behind_and_given_again(metric: Any, tmp_path: Path) -> None:
    model = classifier(f1=metrics.f1, mine=metric)
    model.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="metrics mine are not part of dinputs"):
        assert Model.load(tmp_path / "model").metrics == {"f1": metrics.f1}
    loaded = Model.load(tmp_path / "model", metrics={"mine": metric})
    assert loaded.metrics == {"f1": metrics.f1, "mine": metric}


def test_a_metric_without_a_name_is_no_obstacle_to_checkpoints(tmp_path: Path) -> None:
    def model(**other: Any) -> Model:
        return classifier(mine=lambda outputs, targets: outputs[0, 0], **other)

    path, whole = tmp_path / "run.safetensors", model()
    expected = whole.train(X, y, epochs=4, progress=False).mine
    checkpoint = Checkpoint(path, best="mine", mode="max")
    model().train(X, y, epochs=2, progress=False, callbacks=[checkpoint])
    resumed = model()
    assert resumed.train(X, y, epochs=4, progress=False, resume_from=path).mine == expected
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
    with pytest.raises(SavedFileError, match="other metrics: mine there, mine, f1 here"):
        model(f1=metrics.f1).train(X, y, epochs=4, progress=False, resume_from=path)


@pytest.mark.parametrize("value", [5, "f1", {}, {"function": 3}, {"function": "framework.seed"}])
def test_what_is_no_metric_in_a_file_is_refused(value: Any, tmp_path: Path) -> None:
    classifier(f1=metrics.f1).save(tmp_path / "model")
    contents, arrays = read(tmp_path / "model")
    contents["model"]["metrics"]["f1"] = value
    (tmp_path / "model").write_bytes(encode(contents, arrays))
    with pytest.raises(SavedFileError):
        Model.load(tmp_path / "model")
