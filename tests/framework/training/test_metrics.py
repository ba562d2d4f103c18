"""Metrics of whole data sets: when they are computed, of what, and what watches them."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    EarlyStopping,
    History,
    Linear,
    MeanSquaredError,
    Model,
    ReLU,
    Softmax,
    metrics,
)
from framework.data.micro_batches import MOST_SAMPLES
from framework.training.evaluation import Evaluation
from optimizers import SGD, Adam
from tests.framework.training.test_callbacks import Scripted
from tests.strategies import Array

generator = np.random.default_rng(0)
X, X_val = generator.normal(size=(90, 2)), generator.normal(size=(50, 2))
y, y_val = ((2 * (a[:, 0] > 0) + (a[:, 1] > 1)).clip(0, 2) for a in (X, X_val))
weights = generator.random(90) * (generator.random(90) > 0.1)


def classifier(**functions: Any) -> Model:
    framework.seed(0)
    model = Model([Dense(2, 8), ReLU(), Dense(8, 3), Softmax()], dtype="float64")
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=Adam(0.05),
        accuracy=CategoricalAccuracy(),
        metrics=functions,
    )
    model.finalize()
    return model


class Called:
    """A metric that remembers what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[Array, Array]] = []

    def __call__(self, outputs: Array, targets: Array) -> float:
        self.given.append((outputs, targets))
        return 1 / len(self.given)


def test_a_metric_is_computed_once_of_all_validation_data_after_each_epoch() -> None:
    called = Called()
    model = classifier(mine=called, f1=metrics.f1)
    history = model.train(
        X, y, epochs=3, batch_size=16, validation_data=(X_val, y_val), progress=False
    )
    assert len(called.given) == 3
    for outputs, targets in called.given:
        assert outputs.shape == (50, 3)
        np.testing.assert_array_equal(targets, y_val)
    outputs, _ = called.given[-1]
    np.testing.assert_array_equal(outputs, model.predict(X_val))
    assert history.val_mine == [1, 1 / 2, 1 / 3]
    assert history.val_f1[-1] == metrics.f1(model.predict(X_val), y_val)
    assert history.metrics.keys() == {"val_mine", "val_f1"}


def test_without_validation_data_it_is_that_of_the_training_data() -> None:
    called = Called()
    model = classifier(mine=called, f1=metrics.f1)
    history = model.train(X, y, epochs=2, batch_size=16, progress=False)
    outputs, targets = called.given[-1]
    np.testing.assert_array_equal(targets, y)
    np.testing.assert_array_equal(outputs, model.predict(X))
    assert history.f1[-1] == metrics.f1(model.predict(X), y)
    assert not hasattr(history, "val_f1")


def test_metrics_change_nothing_about_the_training() -> None:
    plain = classifier()
    plain.train(X, y, epochs=3, batch_size=16, progress=False)
    measured = classifier(f1=metrics.f1)
    measured.train(X, y, epochs=3, batch_size=16, progress=False)
    np.testing.assert_array_equal(plain.parameters.weights, measured.parameters.weights)
    np.testing.assert_array_equal(plain.layers[0].output, measured.layers[0].output)
    np.testing.assert_array_equal(plain.layers[0].dinputs, measured.layers[0].dinputs)


def test_weights_reach_the_metrics_that_take_them_and_no_others() -> None:
    called = Called()
    model = classifier(mine=called, f1=metrics.f1)
    history = model.train(X, y, sample_weight=weights, progress=False)
    expected = metrics.f1(model.predict(X), y, sample_weight=weights)
    assert history.f1[-1] == pytest.approx(expected, rel=1e-12)
    assert history.f1[-1] != metrics.f1(model.predict(X), y)
    assert len(called.given[0][0]) == np.count_nonzero(weights)
    found = model.evaluate(X, y, sample_weight=weights)
    assert found.metrics["f1"] == pytest.approx(expected, rel=1e-12)


def test_batches_that_are_given_count_by_their_own_weights() -> None:
    model = classifier(f1=metrics.f1)
    batches = [(X[:30], y[:30], 100 * weights[:30]), (X[30:], y[30:], weights[30:])]
    by_sample = np.append(100 * weights[:30], weights[30:])
    expected = metrics.f1(model.predict(X), y, sample_weight=by_sample)
    assert model.evaluate(batches).metrics["f1"] == pytest.approx(expected, rel=1e-12)
    batches[0] = (X[:30], y[:30])  # type: ignore[assignment] # as many samples, each of weight 1
    by_sample[:30] = 1
    expected = metrics.f1(model.predict(X), y, sample_weight=by_sample)
    assert model.evaluate(batches).metrics["f1"] == pytest.approx(expected, rel=1e-12)


def test_a_validation_split_is_evaluated_too() -> None:
    called = Called()
    history = classifier(mine=called).train(X, y, validation_split=0.2, progress=False)
    assert len(called.given[0][0]) == 18
    assert history.val_mine == [1]


def test_more_samples_than_are_computed_at_once_are_one_data_set() -> None:
    called = Called()
    many = np.tile(X, (2 * MOST_SAMPLES // len(X), 1))
    model = classifier(mine=called, auc=metrics.auc)
    found = model.evaluate(many, np.resize(y, len(many)))
    assert len(called.given) == 1
    assert len(called.given[0][0]) == len(many)
    expected = metrics.auc(model.predict(many), np.resize(y, len(many)))
    assert found.metrics["auc"] == pytest.approx(expected, rel=1e-12)


def test_evaluate_returns_loss_and_accuracy_with_metrics_beside_them() -> None:
    model = classifier(f1=metrics.f1, top2=partial(metrics.top_k, k=2))
    found = model.evaluate(X, y)
    loss, accuracy = found
    assert isinstance(found, Evaluation)
    assert (found.loss, found.accuracy) == (loss, accuracy) == found
    outputs = model.predict(X)
    assert found.metrics == {"f1": metrics.f1(outputs, y), "top2": metrics.top_k(outputs, y, k=2)}
    assert repr(found) == f"Evaluation(loss={loss}, accuracy={accuracy}, metrics={found.metrics})"
    model.set(metrics={})
    assert model.evaluate(X, y).metrics == {}


def test_targets_of_a_regression_come_in_the_shape_of_the_outputs() -> None:
    called = Called()
    model = Model([Dense(2, 1), Linear()])
    model.set(
        loss=MeanSquaredError(),
        optimizer=SGD(0.01),
        metrics={"mine": called, "r2": metrics.r2, "rmse": metrics.root_mean_squared_error},
    )
    model.finalize()
    history = model.train(X, X[:, 0] * 2, epochs=2, progress=False)
    assert called.given[0][0].shape == called.given[0][1].shape == (90, 1)
    error = model.predict(X)[:, 0].astype(float) - 2 * X[:, 0]
    assert history.rmse[-1] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)


def test_a_metric_can_be_watched_and_the_best_epoch_kept(tmp_path: Path) -> None:
    values = iter([0.2, 0.5, 0.4, 0.5, 0.45])
    model = classifier(mine=lambda outputs, targets: next(values))
    stopping = EarlyStopping(monitor="val_mine", mode="max", patience=3)
    history = model.train(
        X, y, epochs=9, validation_data=(X_val, y_val), callbacks=[stopping], progress=False
    )
    assert len(history) == 5
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)

    model = classifier(f1=metrics.f1)
    checkpoint = Checkpoint(tmp_path / "run", best="val_f1")
    history = model.train(
        X, y, epochs=20, validation_data=(X_val, y_val), callbacks=[checkpoint], progress=False
    )
    best = Model.load(tmp_path / "run.best")
    assert checkpoint.best_value == max(history.val_f1)
    assert best.evaluate(X_val, y_val).metrics["f1"] == max(history.val_f1)


def test_errors_of_this_library_should_shrink_and_its_scores_should_grow() -> None:
    for name, metric, best in (
        ("f1", partial(metrics.f1, average="micro"), max),
        ("mse", metrics.mean_squared_error, min),
    ):
        model = Model([Dense(2, 1)])
        model.set(loss=MeanSquaredError(), optimizer=SGD(0.1), metrics={name: metric})
        model.finalize()
        stopping = EarlyStopping(name, patience=50)
        history = model.train(X, y > 0, epochs=4, callbacks=[stopping], progress=False)
        assert stopping.best == best(history.metrics[name])


def test_whether_a_metric_of_ones_own_should_grow_has_to_be_said(tmp_path: Path) -> None:
    model = classifier(mine=Called())
    for callback in (EarlyStopping("mine"), Checkpoint(tmp_path / "run", best="mine")):
        with pytest.raises(ValueError, match="'mine' should grow or shrink .* say mode='max' or"):
            model.train(X, y, callbacks=[callback], progress=False)
    with pytest.raises(ValueError, match="cannot monitor 'val_mine': this training records .*mine"):
        model.train(X, y, callbacks=[EarlyStopping("val_mine", mode="max")], progress=False)
    with pytest.raises(ValueError, match="mode must be 'min', 'max' or None, received 'auto'"):
        EarlyStopping("mine", mode="auto")


def test_early_stopping_can_begin_to_watch_later() -> None:
    scripted = Scripted([0.1, 0.2, 3.0, 2.0, 2.5, 2.6, 1.0])
    stopping = EarlyStopping(patience=2, start_from_epoch=2)
    history = classifier().train(
        X,
        y,
        epochs=9,
        validation_data=(X_val, y_val),
        callbacks=[scripted, stopping],
        progress=False,
    )
    assert (len(history), stopping.best, stopping.best_epoch) == (6, 2.0, 4)
    nan = float("nan")
    scripted = Scripted([nan, nan, nan, nan, nan])
    history = classifier().train(
        X,
        y,
        epochs=9,
        validation_data=(X_val, y_val),
        callbacks=[scripted, EarlyStopping(patience=2, start_from_epoch=2)],
        progress=False,
    )
    assert len(history) == 4
    with pytest.raises(ValueError, match="start_from_epoch must be at least 0"):
        EarlyStopping(start_from_epoch=-1)


def test_progress_shows_them_behind_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier(f1=metrics.f1)
    history = model.train(X, y, epochs=1, validation_data=(X_val, y_val))
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith(f" val_acc {history.val_accuracy[0]:.3f} val_f1 {history.val_f1[0]:.3f}")
    history = model.train(X, y, epochs=1)
    line = capsys.readouterr().err.splitlines()[-1]
    assert f" acc {history.accuracy[0]:.3f} f1 {history.f1[0]:.3f} lr " in line
    history = model.train(X, y, epochs=1, validation_data=(X_val, y_val), print_every=1)
    assert capsys.readouterr().out.endswith(f", f1: {history.val_f1[0]:.3f}\n")
    history = model.train(X, y, epochs=1, print_every=1)
    assert capsys.readouterr().out.endswith(f", f1: {history.f1[0]:.3f}\n")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([metrics.f1], TypeError, r"metrics must be functions by name, such as {\"f1\": f1}"),
        ({"f1": 0.5}, TypeError, r"the metric 'f1' must be a function \(outputs, targets\)"),
        ({"f1": History}, TypeError, "the metric 'f1' must be a function"),
        ({"val_f1": metrics.f1}, ValueError, "cannot be called 'val_f1'"),
        ({"loss": metrics.f1}, ValueError, "cannot be called 'loss', which has a meaning"),
        ({"plot": metrics.f1}, ValueError, "cannot be called 'plot'"),
        ({"F1 (macro)": metrics.f1}, ValueError, "a metric's name must be letters, digits and _"),
        ({3: metrics.f1}, ValueError, "a metric's name must be letters"),
    ],
)
def test_what_is_no_metric_is_refused(given: Any, error: type[Exception], message: str) -> None:
    model = classifier(f1=metrics.f1)
    with pytest.raises(error, match=message):
        model.set(optimizer=SGD(0.1), metrics=given)
    assert list(model.metrics) == ["f1"]
    assert isinstance(model.optimizer, Adam)


def test_a_metric_that_returns_no_number_is_named() -> None:
    model = classifier(mine=lambda outputs, targets: outputs.argmax(axis=1))
    with pytest.raises(TypeError, match="the metric 'mine' must return a number, received array"):
        model.evaluate(X, y)
    model.set(metrics={"mine": lambda outputs, targets: None})
    with pytest.raises(TypeError, match="the metric 'mine' must return a number, received None"):
        model.evaluate(X, y)


def test_a_metric_of_this_library_that_does_not_fit_is_refused_before_training() -> None:
    model = classifier(top=partial(metrics.top_k, k=0))
    before = model.parameters.weights.copy()
    with pytest.raises(ValueError, match="k must be at least 1"):
        model.train(X, y, validation_data=(X_val, y_val), progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
