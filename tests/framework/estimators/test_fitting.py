"""Weights of samples, early stopping, callbacks, going on, random states."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    Callback,
    EarlyStopping,
    Training,
)
from framework.utils import rng

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
from sklearn.base import clone

from tests.framework.estimators.support import (
    LABELS,
    NUMBERS,
    WEIGHTS,
    X,
    classifier,
    parameters_of,
    regressor,
)


def test_a_sample_of_weight_0_is_as_good_as_absent_from_every_part() -> None:
    rows = WEIGHTS > 0
    settings = {"early_stopping": True, "batch_size": 20, "dropout": 0.1}
    for network, targets in ((classifier(**settings), LABELS), (regressor(**settings), NUMBERS)):
        network.fit(X, targets, sample_weight=WEIGHTS)
        without = clone(network).fit(X[rows], targets[rows], sample_weight=WEIGHTS[rows])
        np.testing.assert_array_equal(parameters_of(network), parameters_of(without))
        assert network.validation_scores_ == without.validation_scores_


def test_a_class_without_weight_stays_a_class() -> None:
    network = classifier(epochs=100, learning_rate=0.05)
    network.fit(X, LABELS, sample_weight=LABELS != "middle")
    assert network.classes_.tolist() == ["low", "middle", "top"]
    assert "middle" not in network.predict(X)
    by_class = clone(network).set_params(class_weight={"middle": 0}).fit(X, LABELS)
    np.testing.assert_array_equal(parameters_of(by_class), parameters_of(network))


def test_balanced_classes_are_balanced_by_their_weights() -> None:
    repeated = np.arange(90).repeat(WEIGHTS)
    network = classifier(class_weight="balanced", batch_size=None, epochs=50)
    network.fit(X, LABELS, sample_weight=WEIGHTS)
    expected = clone(network).fit(X[repeated], LABELS[repeated])
    np.testing.assert_allclose(network.predict_proba(X), expected.predict_proba(X), rtol=1e-7)


class KeepParameters(Callback):
    def on_train_begin(self, training: Training) -> None:
        self.parameters: list[np.ndarray] = []

    def on_epoch_end(self, training: Training) -> None:
        self.parameters.append(training.model.parameters.weights.copy())

    def on_train_end(self, training: Training) -> None:
        self.final = training.model.parameters.weights.copy()


@pytest.mark.parametrize(
    ("make", "targets"), [(classifier, LABELS), (regressor, NUMBERS)], ids=["classes", "numbers"]
)
def test_early_stopping_goes_back_to_the_epoch_with_the_smallest_validation_loss(
    make: Any, targets: np.ndarray
) -> None:
    network = make(
        early_stopping=True,
        epochs=400,
        patience=4,
        learning_rate=0.05,
        validation_fraction=0.2,
        callbacks=[KeepParameters()],
    ).fit(X, targets)
    (kept,) = network.callbacks_
    curve = network.validation_loss_curve_
    best = int(np.argmin(curve))
    assert network.n_iter_ == len(curve) == len(network.loss_curve_) == best + 1 + 4 < 400
    np.testing.assert_array_equal(parameters_of(network), kept.parameters[best])
    np.testing.assert_array_equal(kept.final, kept.parameters[best])


@pytest.mark.parametrize(
    ("make", "targets", "weights"),
    [(classifier, LABELS, None), (regressor, NUMBERS, WEIGHTS), (classifier, LABELS, WEIGHTS)],
)
def test_validation_scores_are_those_of_score_on_samples_not_trained_on(
    make: Any, targets: np.ndarray, weights: np.ndarray | None
) -> None:
    seen: set[float] = set()

    class Seen(Callback):
        def on_batch_end(self, training: Training) -> None:
            seen.update(training.model.layers[0].inputs[:, 0].tolist())

    network = make(
        early_stopping=True, validation_fraction=0.3, batch_size=10, patience=50, callbacks=[Seen()]
    )
    network.fit(X, targets, sample_weight=weights)
    aside = np.array([value not in seen for value in X[:, 0]])
    if weights is not None:
        aside &= weights > 0
        weights = weights[aside]
    counted = np.ones(90, bool) if weights is None else WEIGHTS > 0
    assert aside.sum() == pytest.approx(0.3 * counted.sum(), abs=1)
    encoded = targets
    if make is classifier:
        encoded = np.searchsorted(network.classes_, targets)
        shares = np.bincount(encoded[aside]) / np.bincount(encoded[counted])
        assert shares == pytest.approx(0.3, abs=0.05), "a share of each class alike"
    best = int(np.argmin(network.validation_loss_curve_))
    score = network.score(X[aside], targets[aside], sample_weight=weights)
    assert network.validation_scores_[best] == pytest.approx(score)
    loss, _ = network.model_.evaluate(X[aside], encoded[aside], sample_weight=weights)
    assert network.validation_loss_curve_[best] == pytest.approx(loss)


def test_without_early_stopping_the_validation_curves_are_empty() -> None:
    network = regressor().fit(X, NUMBERS)
    assert network.validation_loss_curve_ == network.validation_scores_ == []
    assert len(network.loss_curve_) == network.n_iter_ == 5
    assert network.loss_curve_[-1] < network.loss_curve_[0]


def test_callbacks_are_copied_and_the_copies_show_what_they_have_seen() -> None:
    stop = EarlyStopping("loss", patience=1, min_delta=1e9)
    network = regressor(callbacks=[stop]).fit(X, NUMBERS)
    assert network.n_iter_ == 2
    assert network.callbacks_[0].best_epoch == 1
    for name in ("best", "best_epoch", "reason"):
        assert not hasattr(stop, name), "it has seen no training itself"


def test_partial_fit_goes_on_with_the_copies_and_fit_makes_new_ones() -> None:
    class Count(Callback):
        epochs = 0

        def on_epoch_end(self, training: Training) -> None:
            self.epochs += 1

    network = regressor(callbacks=[Count()])
    for _ in range(3):
        network.partial_fit(X, NUMBERS)
    assert network.callbacks_[0].epochs == 3
    assert network.fit(X, NUMBERS).callbacks_[0].epochs == 5
    assert network.callbacks[0].epochs == 0


@pytest.mark.parametrize("make", [classifier, regressor])
def test_values_behind_a_mask_are_refused(make: Any) -> None:
    masked = np.ma.masked_array(X, mask=X > 1)
    targets = LABELS if make is classifier else NUMBERS
    with pytest.raises(TypeError, match="X has masked values: fill or drop them first"):
        make().fit(masked, targets)
    hidden = np.ma.masked_array(targets, mask=np.arange(len(targets)) == 3)
    with pytest.raises(TypeError, match="y has masked values"):
        make().fit(X, hidden)
    network = make().fit(np.ma.masked_array(X), targets)
    with pytest.raises(TypeError, match="X has masked values"):
        network.predict(masked)


def test_verbose_prints_a_line_every_so_many_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, lines in ((False, 0), (0, 0), (True, 5), (2, 2)):
        regressor(verbose=verbose).fit(X, NUMBERS)
        assert len(capsys.readouterr().out.splitlines()) == lines


def test_a_warm_start_goes_on_from_the_parameters_with_a_new_optimizer() -> None:
    network = regressor(warm_start=True, learning_rate=0.01).fit(X, NUMBERS)
    model, before = network.model_, network.loss_curve_[-1]
    network.set_params(learning_rate=0.02).fit(X, NUMBERS)
    assert network.model_ is model
    assert network.n_iter_ == len(network.loss_curve_) == 10
    assert network.loss_curve_[5] < before
    assert model.optimizer.learning_rate == 0.02
    assert model.optimizer.iterations == 5
    with pytest.raises(ValueError, match="X has 3 features, but NeuralNetworkRegressor is expect"):
        network.fit(X[:, :3], NUMBERS)
    with pytest.raises(ValueError, match="y had 1 columns in the first fit, received 2"):
        network.fit(X, np.stack([NUMBERS, NUMBERS], axis=1))
    network.set_params(warm_start=False).fit(X, NUMBERS)
    assert network.n_iter_ == 5


@pytest.mark.parametrize(
    ("make", "targets", "first"),
    [(classifier, LABELS, {"classes": np.unique(LABELS)}), (regressor, NUMBERS, {})],
    ids=["classes", "numbers"],
)
def test_as_many_partial_fits_are_a_fit(make: Any, targets: np.ndarray, first: Any) -> None:
    whole = make(batch_size=20, dropout=0.1).fit(X, targets, sample_weight=WEIGHTS)
    parts = clone(whole)
    for _ in range(5):
        parts.partial_fit(X, targets, sample_weight=WEIGHTS, **first)
    np.testing.assert_array_equal(parameters_of(parts), parameters_of(whole))
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 5


def test_a_part_need_not_have_every_class_but_no_other() -> None:
    network = classifier(class_weight={"low": 2.0})
    with pytest.raises(ValueError, match="first call of partial_fit needs classes"):
        network.partial_fit(X, LABELS)
    rows = LABELS == "low"
    network.partial_fit(X[rows], LABELS[rows], classes=["top", "low", "middle"])
    assert network.predict_proba(X).shape == (90, 3)
    network.partial_fit(X, LABELS)
    with pytest.raises(ValueError, match="unseen labels|all valid labels"):
        network.partial_fit(X, np.where(rows, "other", LABELS))
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        network.partial_fit(X, LABELS, classes=["low", "top"])


def test_random_state_decides_everything_and_leaves_other_generators_alone() -> None:
    settings = {"dropout": 0.2, "batch_size": 20, "early_stopping": True}
    framework.seed(1)
    ours = rng.generator().bit_generator.state
    numpys = np.random.get_state()
    first = classifier(random_state=3, **settings).fit(X, LABELS)
    assert rng.generator().bit_generator.state == ours
    for before, after in zip(numpys, np.random.get_state(), strict=True):
        np.testing.assert_array_equal(before, after)
    framework.seed(2)
    for random_state, same in ((3, True), (4, False)):
        other = classifier(random_state=random_state, **settings).fit(X, LABELS)
        assert np.array_equal(parameters_of(first), parameters_of(other)) is same
    first.fit(X, LABELS)
    again = classifier(random_state=3, **settings).fit(X, LABELS)
    np.testing.assert_array_equal(parameters_of(first), parameters_of(again))


def test_a_random_state_that_is_a_generator_goes_on_from_fit_to_fit() -> None:
    runs = []
    for _ in range(2):
        network = regressor(random_state=np.random.RandomState(0))
        runs.append([parameters_of(network.fit(X, NUMBERS)) for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0][0] != runs[0][1]).any()


def test_without_a_random_state_it_draws_like_the_rest_of_the_framework() -> None:
    runs = []
    for _ in range(2):
        framework.seed(5)
        network = regressor(random_state=None)
        runs.append([parameters_of(network.fit(X, NUMBERS)) for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0][0] != runs[0][1]).any()


def test_compiled_steps_fit_as_plain_ones_do() -> None:
    pytest.importorskip("numba", reason="numba is not installed: nothing to compile with")
    settings = {"early_stopping": True, "dropout": 0.1, "activation": "tanh", "accelerated": True}
    for network, targets in ((classifier(**settings), LABELS), (regressor(**settings), NUMBERS)):
        network.fit(X, targets, sample_weight=WEIGHTS)
        assert network.model_.trainer is not None
        plain = clone(network).set_params(accelerated=False)
        plain.fit(X, targets, sample_weight=WEIGHTS)
        assert plain.model_.trainer is None
        np.testing.assert_allclose(parameters_of(network), parameters_of(plain), rtol=1e-6)
