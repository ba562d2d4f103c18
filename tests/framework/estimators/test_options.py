"""Losses by name, when training ends, validation data, and the arguments of the optimizer."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
from scipy.sparse import coo_matrix, csr_array
from scipy.sparse import random_array as sparse_random_array
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV

from framework import DivergenceError, Huber, MeanAbsoluteError
from framework.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor
from optimizers import SGD, Adam

random = np.random.default_rng(0)
X = random.normal(size=(200, 2))
NUMBERS = X @ [1.0, 2.0]
LABELS = np.where(NUMBERS > 0, "yes", "no")


def linear(**options: Any) -> NeuralNetworkRegressor:
    options = {"learning_rate": 0.05, "epochs": 200, "random_state": 0, **options}
    return NeuralNetworkRegressor((), **options)


def test_absolute_error_finds_the_median_and_squared_error_the_mean() -> None:
    y = random.exponential(size=200)
    zeros = np.zeros((200, 1))
    for loss, expected in (
        ("squared_error", y.mean()),
        ("absolute_error", np.median(y)),
        (MeanAbsoluteError(), np.median(y)),
        (Huber(delta=100), y.mean()),
    ):
        network = linear(loss=loss, learning_rate=0.005, epochs=400, batch_size=None)
        found = network.set_params(learning_rate=0.02).fit(zeros, y).predict([[0.0]])
        assert found[0] == pytest.approx(expected, abs=0.1)
    with pytest.raises(ValueError, match="loss: there is none named 'hubr'; did you mean 'huber'"):
        linear(loss="hubr").fit(X, NUMBERS)


def test_poisson_predicts_expected_counts() -> None:
    y = random.poisson(np.exp(0.5 * X[:, 0]))
    network = NeuralNetworkRegressor(
        (16,), loss="poisson", learning_rate=0.01, epochs=100, random_state=0
    ).fit(X, y)
    expected = PoissonRegressor(alpha=0).fit(X, y).predict(X)
    assert (network.predict(X) > 0).all()
    assert np.corrcoef(network.predict(X), expected)[0, 1] > 0.9


def test_training_ends_where_its_loss_no_longer_falls() -> None:
    whole = linear(epochs=300).fit(X, NUMBERS)
    network = linear(epochs=300, tol=1e-3, n_iter_no_change=4).fit(X, NUMBERS)
    assert len(whole.loss_curve_) == 300
    curve, best = network.loss_curve_, np.inf
    waited = 0
    for loss in whole.loss_curve_:
        waited = 0 if best - loss > 1e-3 else waited + 1
        best = loss if best - loss > 1e-3 else best
        if waited == 4:
            break
    assert curve == whole.loss_curve_[: len(curve)]
    assert waited == 4 and curve[-1] == loss and len(curve) < 300


def test_small_gains_on_validation_samples_may_not_count() -> None:
    options: dict[str, Any] = {"early_stopping": True, "patience": 3}
    assert linear(min_delta=0.5, **options).fit(X, NUMBERS).n_iter_ < 40
    assert linear(**options).fit(X, NUMBERS).n_iter_ > 40


def test_without_shuffling_the_order_is_that_of_the_samples() -> None:
    networks = [linear(shuffle=False, epochs=2, batch_size=10).fit(X, NUMBERS) for _ in range(2)]
    curves = [network.loss_curve_ for network in networks]
    assert curves[0] == curves[1]
    assert linear(epochs=2, batch_size=10).fit(X, NUMBERS).loss_curve_ != curves[0]


def test_validation_data_are_scored_after_each_epoch_and_watched() -> None:
    options: dict[str, Any] = {"random_state": 0, "learning_rate": 0.01, "epochs": 20}
    given = X[:50], LABELS[:50]
    network = NeuralNetworkClassifier((8,), **options)
    network.fit(X[50:], LABELS[50:], validation_data=given)
    assert len(network.validation_scores_) == len(network.validation_loss_curve_) == 20
    assert network.validation_scores_[-1] == network.score(*given)
    plain = NeuralNetworkClassifier((8,), **options).fit(X[50:], LABELS[50:])
    np.testing.assert_array_equal(plain.predict_proba(X), network.predict_proba(X))
    stopping = NeuralNetworkClassifier((8,), early_stopping=True, patience=1, **options)
    stopping.fit(X[50:], LABELS[50:], validation_data=(X[:50], np.flip(LABELS[:50])))
    assert stopping.n_iter_ < 20
    with pytest.raises(ValueError, match="^validation_data: .* unseen labels: 'yesterday'"):
        network.fit(X, LABELS, validation_data=(X[:2], ["yes", "yesterday"]))


def test_logarithms_of_probabilities_and_names_of_classes() -> None:
    network = NeuralNetworkClassifier((4,), epochs=5, random_state=0).fit(X, LABELS)
    np.testing.assert_array_equal(network.predict_log_proba(X), np.log(network.predict_proba(X)))
    assert network.model_.class_names == ["no", "yes"]


def test_arguments_of_the_optimizer_are_set_and_searched_by_name() -> None:
    network = linear(optimizer=SGD(0.001, momentum=0.5), learning_rate=None, epochs=30)
    given = network.optimizer
    assert network.get_params()["optimizer__momentum"] == 0.5
    assert "optimizer__momentum" not in network.get_params(deep=False)
    network.set_params(optimizer__learning_rate=0.05, epochs=40)
    assert (network.optimizer.learning_rate, network.optimizer.momentum) == (0.05, 0.5)
    assert network.epochs == 40 and given.learning_rate == 0.001
    assert clone(network).optimizer.learning_rate == 0.05
    search = GridSearchCV(network, {"optimizer__learning_rate": [1e-6, 0.05]}, cv=2)
    assert search.fit(X, NUMBERS).best_params_ == {"optimizer__learning_rate": 0.05}
    network.set_params(optimizer=Adam(), optimizer__beta_1=0.8)
    assert network.optimizer.beta_1 == 0.8
    with pytest.raises(ValueError, match="optimizer__speed: Adam.* has no such argument; it has"):
        network.set_params(epochs=7, optimizer__speed=1)
    with pytest.raises(ValueError, match="Invalid parameter 'speed'"):
        network.set_params(epochs=7, speed=1)
    assert network.epochs == 40
    search = GridSearchCV(
        linear(optimizer="sgd", learning_rate=None, epochs=20),
        {"optimizer": ["sgd", "adam", SGD(momentum=0.5)], "optimizer__learning_rate": [1e-6, 0.1]},
        cv=2,
    ).fit(X, NUMBERS)
    assert search.best_params_["optimizer__learning_rate"] == 0.1
    by_name = linear(learning_rate=0.3).set_params(optimizer__beta_1=0.8)
    assert by_name.optimizer.configuration() == Adam(0.3, beta_1=0.8).configuration()
    assert by_name.learning_rate is None
    fitted = clone(by_name).set_params(learning_rate=0.1, epochs=1).fit(X, NUMBERS)
    assert fitted.model_.optimizer.configuration() == Adam(0.1, beta_1=0.8).configuration()
    by_name.set_params(optimizer="sgd", optimizer__learning_rate=0.2)
    assert repr(by_name.optimizer) == "SGD(learning_rate=0.2)"


@pytest.mark.parametrize("early_stopping", [False, True])
def test_sparse_data_are_learned_as_dense_ones(early_stopping: bool) -> None:
    dense = np.where(np.abs(random.normal(size=(200, 30))) > 1.5, 1.0, 0.0)
    sparse, labels = csr_array(dense), np.where(dense.sum(axis=1) > 4, "yes", "no")
    options: dict[str, Any] = {"epochs": 10, "random_state": 0, "batch_size": 32, "dropout": 0.1}
    options |= {"early_stopping": early_stopping, "class_weight": "balanced"}
    weights = np.arange(200) % 3
    expected = NeuralNetworkClassifier((8,), **options).fit(dense, labels, weights)
    for matrix in (sparse, coo_matrix(sparse)):
        network = NeuralNetworkClassifier((8,), **options).fit(matrix, labels, weights)
        np.testing.assert_array_equal(network.predict_proba(dense), expected.predict_proba(dense))
        np.testing.assert_allclose(network.predict_proba(matrix), expected.predict_proba(dense))
        assert network.loss_curve_ == expected.loss_curve_
        assert network.validation_scores_ == expected.validation_scores_
        assert network.score(matrix, labels) == expected.score(dense, labels)
    curves = [
        clone(network).fit(X_, labels, validation_data=(held_out, labels)).validation_loss_curve_
        for X_ in (dense, sparse)
        for held_out in (dense, sparse)
    ]
    np.testing.assert_allclose(curves, np.tile(curves[0], (4, 1)))
    network = NeuralNetworkClassifier((8,), random_state=0).partial_fit(
        sparse, labels, ["no", "yes"]
    )
    again = NeuralNetworkClassifier((8,), random_state=0).partial_fit(dense, labels, ["no", "yes"])
    np.testing.assert_array_equal(network.predict_proba(dense), again.predict_proba(dense))


def test_of_sparse_data_no_more_than_a_batch_is_made_dense() -> None:
    matrix = sparse_random_array((2000, 20_000), density=1e-4, rng=0, dtype=np.float32).tocsr()
    numbers = np.asarray(matrix.sum(axis=1)).ravel()
    network = NeuralNetworkRegressor((4,), epochs=1, batch_size=100, early_stopping=True)
    tracemalloc.start()
    network.fit(matrix, numbers).predict(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 20_000 * 4 / 2  # of float32


def test_a_divergence_that_is_watched_is_called_so() -> None:
    network = linear(
        optimizer=SGD(1e6), learning_rate=None, early_stopping=True, batch_size=5, epochs=50
    )
    with pytest.raises(DivergenceError, match="the loss became"):
        network.fit(1e3 * X, NUMBERS)


def test_a_single_validation_sample_is_refused() -> None:
    network = linear(early_stopping=True, validation_fraction=0.1)
    with pytest.raises(ValueError, match="validation_fraction=0.1 of 8 samples leaves a single"):
        network.fit(X[:8], NUMBERS[:8])
    with pytest.raises(ValueError, match="validation_data has a single sample"):
        linear().fit(X, NUMBERS, validation_data=(X[:1], NUMBERS[:1]))
    with pytest.raises(ValueError, match=r"validation_data must be a pair \(X_val, y_val\)"):
        linear().fit(X, NUMBERS, validation_data=(X, NUMBERS, NUMBERS))  # type: ignore[arg-type]
