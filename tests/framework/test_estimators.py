"""Networks as scikit-learn estimators: its own checks, and what they leave open."""

import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    Callback,
    Dense,
    Dropout,
    EarlyStopping,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Training,
)
from framework.utils import rng
from optimizers import SGD, Adam
from optimizers.schedules import CosineDecay

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")

import joblib
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from framework.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor

chance = np.random.default_rng(0)
X = chance.normal(size=(90, 4))
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0] + 0.3 * chance.normal(size=90)
LABELS = np.array(["low", "middle", "top"])[np.digitize(NUMBERS, [-1, 1])]
WEIGHTS = chance.integers(0, 4, size=90)
# What trains a network without hidden layers to the optimum of its convex loss.
TO_THE_OPTIMUM: dict[str, Any] = {
    "hidden_layer_sizes": (),
    "learning_rate": CosineDecay(0.1, 2000),
    "batch_size": None,
    "epochs": 2000,
    "random_state": 0,
}


def classifier(**arguments: Any) -> NeuralNetworkClassifier:
    return NeuralNetworkClassifier(**{"epochs": 5, "random_state": 0, **arguments})


def regressor(**arguments: Any) -> NeuralNetworkRegressor:
    return NeuralNetworkRegressor(**{"epochs": 5, "random_state": 0, **arguments})


def parameters_of(network: Any) -> np.ndarray:
    return network.model_.parameters.weights.copy()


@parametrize_with_checks([NeuralNetworkClassifier(), NeuralNetworkRegressor()])
def test_every_check_of_scikit_learn_passes(estimator: Any, check: Any) -> None:
    check(estimator)


# What is learned


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


# How the network is built


def test_the_network_is_what_the_arguments_say() -> None:
    network = classifier(
        hidden_layer_sizes=(6, 5),
        activation=["tanh", LeakyReLU(0.2)],
        dropout=0.25,
        batch_normalization=True,
        l1=0.1,
        l2=0.2,
    ).fit(X, LABELS)
    kinds = [Dense, BatchNormalization, Tanh, Dropout, Dense, BatchNormalization, LeakyReLU]
    assert [type(layer) for layer in network.model_.layers] == [*kinds, Dropout, Dense, Softmax]
    dense = [layer for layer in network.model_.layers if isinstance(layer, Dense)]
    assert [layer.weights.shape for layer in dense] == [(4, 6), (6, 5), (5, 3)]
    for layer in dense:
        assert (layer.weight_regularizer_l1, layer.weight_regularizer_l2) == (0.1, 0.2)
        assert layer.bias_regularizer_l1 == layer.bias_regularizer_l2 == 0
    assert network.model_.layers[3].rate == 0.25
    assert network.model_.layers[6].configuration() == {"alpha": 0.2}
    assert network.model_.layers[6] is not network.activation[1]
    assert (network.n_outputs_, network.n_features_in_) == (3, 4)


@pytest.mark.parametrize(
    ("hidden", "activation", "kinds"),
    [
        ((), "relu", []),
        (3, "logistic", [Sigmoid]),
        ((3, 3), "identity", [Linear, Linear]),
        ([2, 2, 2], ReLU(), [ReLU, ReLU, ReLU]),
    ],
)
def test_one_activation_serves_every_hidden_layer(
    hidden: Any, activation: Any, kinds: list[type]
) -> None:
    network = regressor(hidden_layer_sizes=hidden, activation=activation).fit(X, NUMBERS)
    assert [type(layer) for layer in network.model_.layers[1:-1:2]] == [*kinds]
    assert type(network.model_.layers[-1]) is Linear


def test_the_dtype_is_that_of_the_data_unless_one_is_given() -> None:
    for data, dtype, expected in (
        (X, None, np.float64),
        (X.astype(np.float32), None, np.float32),
        (X.tolist(), None, np.float64),
        (X, "float32", np.float32),
        (X.astype(np.float32), "float64", np.float64),
    ):
        network = regressor(dtype=dtype).fit(data, NUMBERS)
        assert network.model_.dtype == network.predict(data).dtype == expected


def test_an_optimizer_is_chosen_by_name_or_copied() -> None:
    schedule = CosineDecay(0.1, 100)
    own = SGD(0.05, momentum=0.9)
    for optimizer, rate, kind, expected in (
        ("adam", None, Adam, 0.001),
        ("sgd", None, SGD, 0.01),
        ("sgd", 0.3, SGD, 0.3),
        ("adam", schedule, Adam, schedule),
        (own, None, SGD, 0.05),
    ):
        network = regressor(optimizer=optimizer, learning_rate=rate).fit(X, NUMBERS)
        assert type(network.model_.optimizer) is kind
        assert network.model_.optimizer.learning_rate is expected or rate is None
        assert network.model_.optimizer.learning_rate == expected
    assert network.model_.optimizer.momentum == 0.9
    assert own.iterations == 0


@pytest.mark.parametrize(("batch_size", "batches"), [("auto", 2), (90, 3), (1000, 1), (None, 1)])
def test_auto_is_200_samples_or_all_there_are(batch_size: Any, batches: int) -> None:
    class Recorder(Callback):
        def on_batch_end(self, training: Training) -> None:
            self.batches = training.batches

    data, recorder = np.tile(X, (3, 1)), Recorder()
    network = regressor(batch_size=batch_size, epochs=1, callbacks=[recorder])
    network.fit(data, np.tile(NUMBERS, 3))
    assert recorder.batches == batches


# Weights


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


# How training goes


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
    kept = KeepParameters()
    network = make(
        early_stopping=True,
        epochs=400,
        patience=4,
        learning_rate=0.05,
        validation_fraction=0.2,
        callbacks=[kept],
    ).fit(X, targets)
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


def test_callbacks_are_the_users_own_objects() -> None:
    stop = EarlyStopping("loss", patience=1, min_delta=1e9)
    network = regressor(callbacks=[stop]).fit(X, NUMBERS)
    assert network.n_iter_ == 2
    assert stop.best_epoch == 1


def test_verbose_prints_a_line_every_so_many_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, lines in ((False, 0), (0, 0), (True, 5), (2, 2)):
        regressor(verbose=verbose).fit(X, NUMBERS)
        assert len(capsys.readouterr().out.splitlines()) == lines


# Going on


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


# Chance


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


# Kept, shown, shared


def test_joblib_keeps_a_network_that_predicts_and_trains_on_as_before(tmp_path: Any) -> None:
    network = classifier(dropout=0.2, batch_size=20, callbacks=[EarlyStopping("loss")])
    network.fit(X, LABELS)
    joblib.dump(network, tmp_path / "network.joblib")
    loaded = joblib.load(tmp_path / "network.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), network.predict_proba(X))
    for each in (network, loaded):
        each.partial_fit(X, LABELS)
    np.testing.assert_array_equal(parameters_of(loaded), parameters_of(network))


def test_a_pickle_holds_the_parameters_and_not_the_data() -> None:
    data = np.tile(X, (50, 25))
    network = regressor(batch_size=None, epochs=1).fit(data, np.tile(NUMBERS, 50))
    network.predict(data)
    # Parameters, gradients and Adam's two memories are four vectors of 10,201 numbers.
    assert len(pickle.dumps(network)) < 4 * 8 * 10_201 + 20_000 < data.nbytes / 10


def test_it_shows_itself_in_notebooks() -> None:
    network = classifier(activation=["tanh"])
    for shown in (network._repr_html_(), network.fit(X, LABELS)._repr_html_()):
        assert "NeuralNetworkClassifier" in shown
        assert "tanh" in shown
    assert repr(network) == "NeuralNetworkClassifier(activation=['tanh'], epochs=5, random_state=0)"


def test_threads_can_share_a_network() -> None:
    class Unhurried(ReLU):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            super().forward(inputs, training)
            time.sleep(0.002)  # long enough for the other threads to come in
            return self.output

    network = regressor(activation=Unhurried(), epochs=1).fit(X, NUMBERS)
    parts = np.split(X, 6)
    expected = [network.predict(part) for part in parts]
    results: dict[int, list[np.ndarray]] = {}

    def predict(index: int) -> None:
        results[index] = [network.predict(parts[index]) for _ in range(5)]

    threads = [threading.Thread(target=predict, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, values in enumerate(expected):
        for result in results[index]:
            np.testing.assert_array_equal(result, values)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_a_prediction_that_is_nan_is_an_error_that_names_the_row(kind: str) -> None:
    targets = {"classes": LABELS, "labels": np.stack([NUMBERS > 0, NUMBERS > 1], 1).astype(int)}
    make: Any = regressor if kind == "numbers" else classifier
    network = make(hidden_layer_sizes=()).fit(X, targets.get(kind, NUMBERS))
    network.model_.layers[0].weights[0, -1] = -np.inf  # times 0 it is NaN
    data = np.ones((3, 4))
    data[1, 0] = 0
    with pytest.raises(ValueError, match=r"row 1 is NaN, as for 1 of 3\. .* are not finite"):
        network.predict(data)
    if kind != "numbers":
        assert np.isnan(network.predict_proba(data)).any(axis=1).tolist() == [False, True, False]


def test_where_an_output_is_nan_the_validation_score_is_nan() -> None:
    class Gaps(ReLU):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            output = super().forward(inputs, training)
            return output if training else np.full_like(output, np.nan)

    for network, targets in ((classifier, LABELS), (regressor, NUMBERS)):
        fitted = network(activation=Gaps(), early_stopping=True, patience=2).fit(X, targets)
        assert np.isnan(fitted.validation_scores_).tolist() == [True, True]


# What is refused


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"hidden_layer_sizes": (10, 0)}, ValueError, "hidden_layer_sizes must be at least 1"),
        ({"hidden_layer_sizes": "10"}, TypeError, "hidden_layer_sizes must be a whole number"),
        ({"activation": "rely"}, ValueError, "none named 'rely'; did you mean 'relu'"),
        ({"activation": ["relu", "tanh"]}, ValueError, "one for each of the 1, received 2"),
        ({"activation": ReLU}, TypeError, "needs forward and backward methods"),
        ({"dropout": 1.0}, ValueError, "dropout must be at least 0 and less than 1"),
        ({"l1": -1}, ValueError, "l1 must be 0 or greater"),
        ({"l2": "much"}, TypeError, "l2 must be a number"),
        ({"optimizer": "newton"}, ValueError, "none named 'newton'; known are adagrad, adam"),
        ({"optimizer": Adam}, TypeError, "the optimizer needs an object, not its class"),
        ({"optimizer": Adam(), "learning_rate": 1.0}, ValueError, r"set it in Adam\(\) itself"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be greater than 0"),
        ({"batch_size": "all"}, TypeError, "batch_size must be a whole number"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"early_stopping": True, "patience": 0}, ValueError, "patience must be at least 1"),
        ({"early_stopping": True, "validation_fraction": 1.0}, ValueError, "validation_fraction"),
        ({"random_state": "dice"}, ValueError, "'dice' cannot be used to seed"),
        ({"dtype": "float16"}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"verbose": -1}, ValueError, "verbose must be at least 0"),
        ({"class_weight": "heavy"}, ValueError, "class_weight"),
        ({"class_weight": {"low": -1}}, ValueError, "must be 0 or greater"),
    ],
)
def test_impossible_arguments_are_refused_in_fit(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    network = classifier(**arguments)
    with pytest.raises(error, match=message):
        network.fit(X, LABELS)
    with pytest.raises(NotFittedError):
        network.predict(X)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["only"] * 90, r"y has only one class, \['only'\]"),
        (np.stack([NUMBERS > 0, 2 * (NUMBERS > 1)], axis=1), "columns with other values"),
        (NUMBERS, "Unknown label type"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y)


def test_labels_stay_of_one_kind() -> None:
    several = np.stack([NUMBERS > 0, NUMBERS > 1], axis=1).astype(int)
    network = classifier().partial_fit(X, several, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y had 2 columns in the first fit, received .*\(90,\)"):
        network.partial_fit(X, several[:, 0])
    with pytest.raises(ValueError, match=r"y had 2 columns .*\(90, 3\)"):
        network.partial_fit(X, several[:, [0, 1, 1]])
    with pytest.raises(ValueError, match="class_weight is for one label per sample"):
        classifier(class_weight="balanced").fit(X, several)


def test_partial_fit_refuses_what_needs_all_samples() -> None:
    with pytest.raises(ValueError, match="partial_fit cannot stop early"):
        regressor(early_stopping=True).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match="does not know all samples"):
        classifier(class_weight="balanced").partial_fit(X, LABELS, classes=np.unique(LABELS))


def test_a_column_of_targets_is_flattened_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        network = regressor().fit(X, NUMBERS.reshape(-1, 1))
    assert network.predict(X).shape == (90,)


def test_a_fit_that_fails_leaves_no_network_of_other_data_behind() -> None:
    network = regressor().fit(X, NUMBERS)
    network.set_params(optimizer=SGD(1e6))
    with pytest.raises(FloatingPointError, match="the loss became"):
        network.fit(X, NUMBERS)
    with pytest.raises(NotFittedError):
        network.predict(X)
