"""scikit-learn's own checks, and what the estimators learn."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from framework.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor
from optimizers import Adam
from tests.framework.estimators.support import LABELS, NUMBERS, TO_THE_OPTIMUM, WEIGHTS, X

# In one batch, since weights and repetitions, which are held to be the same, make other batches.
# Few epochs, since each of about sixty checks fits several times.
SETTINGS: list[dict[str, Any]] = [
    {},
    {"hidden_layer_sizes": (), "shuffle": False, "learning_rate": 0.1, "epochs": 100},
    {
        "hidden_layer_sizes": (20, 10),
        "activation": ["tanh", "elu"],
        "learning_rate": 0.02,
        "epochs": 100,
    },
    {"optimizer": "adamw", "batch_size": None, "learning_rate": 0.05, "epochs": 60},
    {"optimizer": Adam(0.02, beta_1=0.8), "epochs": 60},
    {"tol": 1e-6, "n_iter_no_change": 5, "learning_rate": 0.02, "epochs": 60},
    {"dtype": "float64", "random_state": 3, "learning_rate": 0.02, "epochs": 60},
    {"l1": 1e-5, "l2": 1e-5, "learning_rate": 0.02, "epochs": 60},
    {"optimizer": "nadam", "learning_rate": 0.02, "epochs": 60},
    {"activation": "swish", "learning_rate": 0.02, "epochs": 60},
    {"hidden_layer_sizes": (30,), "learning_rate": 0.05, "epochs": 60},
]


@parametrize_with_checks(
    [
        *(NeuralNetworkClassifier(**settings) for settings in SETTINGS),
        *(NeuralNetworkRegressor(**settings) for settings in SETTINGS),
    ]
)
def test_every_check_of_scikit_learn_passes(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("class_weight", [None, {"low": 3, "top": 0.5}, "balanced"])
def test_without_hidden_layers_it_is_logistic_regression(class_weight: Any) -> None:
    # C Σ loss + |w|²/2, divided by C Σ weights, is the mean loss + |w|² / (2 C Σ weights).
    reference = LogisticRegression(C=0.5, class_weight=class_weight, tol=1e-8).fit(X, LABELS)
    counts = {label: np.count_nonzero(label == LABELS) for label in np.unique(LABELS)}
    total = 90.0
    if isinstance(class_weight, dict):
        total = sum(count * class_weight.get(label, 1) for label, count in counts.items())
    network = NeuralNetworkClassifier(
        l2=1 / (2 * 0.5 * total), class_weight=class_weight, **TO_THE_OPTIMUM
    ).fit(X, LABELS)
    np.testing.assert_allclose(
        network.predict_proba(X), reference.predict_proba(X), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_array_equal(network.predict(X), reference.predict(X))


def test_with_weights_it_is_weighted_logistic_regression() -> None:
    reference = LogisticRegression(C=0.5, tol=1e-8).fit(X, LABELS, sample_weight=WEIGHTS)
    network = NeuralNetworkClassifier(l2=1 / WEIGHTS.sum(), **TO_THE_OPTIMUM)
    network.fit(X, LABELS, sample_weight=WEIGHTS)
    np.testing.assert_allclose(
        network.predict_proba(X), reference.predict_proba(X), rtol=1e-3, atol=1e-5
    )


def test_several_labels_per_sample_are_a_logistic_regression_each() -> None:
    data, labels = make_multilabel_classification(80, n_features=4, n_classes=3, random_state=0)
    data = StandardScaler().fit_transform(data)
    # The mean over three labels, so each has a third of the loss.
    network = NeuralNetworkClassifier(l2=1 / (2 * 0.5 * 80 * 3), **TO_THE_OPTIMUM)
    network.fit(data, labels)
    probabilities = network.predict_proba(data)
    for column in range(3):
        reference = LogisticRegression(C=0.5, tol=1e-8).fit(data, labels[:, column])
        expected = reference.predict_proba(data)[:, 1]
        np.testing.assert_allclose(probabilities[:, column], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(network.predict(data), probabilities > 0.5)
    assert network.classes_.tolist() == [0, 1, 2]
    again = clone(network).set_params(epochs=2).fit(data, csr_array(labels))
    assert again.predict(data).shape == (80, 3)


@pytest.mark.parametrize("outputs", [1, 2])
def test_without_hidden_layers_it_is_ridge_regression(outputs: int) -> None:
    targets = NUMBERS if outputs == 1 else np.stack([NUMBERS, 2 * X[:, 3] - 1], axis=1)
    reference = Ridge(alpha=5.0).fit(X, targets, sample_weight=WEIGHTS)
    network = NeuralNetworkRegressor(l2=5.0 / WEIGHTS.sum() / outputs, **TO_THE_OPTIMUM)
    network.fit(X, targets, sample_weight=WEIGHTS)
    assert network.predict(X).shape == targets.shape
    np.testing.assert_allclose(network.predict(X), reference.predict(X), rtol=1e-3, atol=1e-4)


def test_handwritten_digits_are_learned_in_a_pipeline_whose_settings_are_searched() -> None:
    data, digits = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NeuralNetworkClassifier(epochs=15, random_state=0))
    grid = {
        "neuralnetworkclassifier__hidden_layer_sizes": [(), (64, 32)],
        "neuralnetworkclassifier__activation": ["tanh", "leaky_relu"],
        "neuralnetworkclassifier__learning_rate": [0.005],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(data[::2], digits[::2])
    assert search.best_params_["neuralnetworkclassifier__hidden_layer_sizes"] == (64, 32)
    assert search.score(data[1::2], digits[1::2]) > 0.93


def test_numbers_are_predicted_in_cross_validation() -> None:
    data, numbers = make_regression(200, 5, noise=5, random_state=0)
    network = NeuralNetworkRegressor((32,), epochs=100, learning_rate=0.02, random_state=0)
    scaled = TransformedTargetRegressor(network, transformer=StandardScaler())
    assert cross_val_score(scaled, data, numbers, cv=4).min() > 0.95
